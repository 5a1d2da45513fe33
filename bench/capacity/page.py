"""``docs/capacity.md``: what users need, in words and tables. ``make capacity`` writes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from textwrap import fill

from bench.capacity import costs, day, habits, storm
from bench.capacity.fleet import Fleet, Room, fleet, most_users
from bench.capacity.habits import Habits
from bench.capacity.hot import Crowd, crowd
from bench.capacity.returning import Return, drained_together, returns, storm_at
from server.platform.valkey_instance import MOST_QUEUED
from server.realtime.settings import RealtimeSettings

SIZES = (1_000, 10_000, 100_000, 1_000_000)
_BAR = 30
_BUSY = (0.2, 0.4, 0.6)
_SOCKETS = (2_500, 5_000, 7_500, 10_000)
_PATIENCE = f"{storm.PATIENCE_S:.0f} s"

_HEAD = """\
# Capacity

What a number of connected users needs, worked out from what one operation was measured to cost
(below, each with its command) and from habits that are assumed (below, each with why). Nothing here
was run with a million users; it is arithmetic and a simulation, and says where both end.

`make capacity` writes this page; `python -m bench.capacity --help` has the flags for other numbers,
as in `python -m bench.capacity --users 50000 --messages 60 --utilisation 0.5`."""

_LEFT_OUT = """
## What is left out

- The costs are of two cores that the client and PostgreSQL were on too. Other cores have other
  figures, in the same proportions; take the send as the measure.
- PostgreSQL is its CPU here. That its disk, locks and vacuum keep up with so many commits was not
  tried; neither were replicas, which could take the pages and searches off the primary.
- Rows are counted from the statements; indexes and the log of the database come on top.
- In a storm handshakes are worked on in their order, and whoever is sent away goes before all of
  them. The real loop takes turns: all handshakes wait about as long as the last one here, and they
  get on a little while others are sent away, so what never ends here may end late. TLS is the
  proxy's, and so is what does not fit into a listening socket's queue.
- The memory of the worker's decoders, which live no longer than a photo takes.
- Photos go to the object store and from it, not through these processes: its bandwidth is not here.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """What the page answers: for whom, at which habits, with how much room, by which chance."""

    users: int = SIZES[-1]
    habits: Habits = field(default_factory=Habits)
    room: Room = field(default_factory=Room)
    seed: int = 1


def page(question: Question) -> str:
    """The whole page."""
    asked = fleet(question.users, question.habits, question.room)
    parts = (
        _HEAD,
        _needs(question),
        _primary(question),
        _day(question),
        _storms(question, asked),
        _critical(question, asked),
        _hot(asked),
        _costs(),
        _habits(question.habits),
        _LEFT_OUT,
    )
    return "\n".join(parts)


def _needs(question: Question) -> str:
    sizes = _sizes(question)
    fleets = [fleet(users, question.habits, question.room) for users in sizes]
    rows: dict[str, list[str]] = {
        "api processes (cores at work)": [_processes(one.api, one.load.api) for one in fleets],
        "realtime processes": [_processes(one.realtime, one.load.realtime) for one in fleets],
        "worker processes": [_processes(one.worker, one.load.worker) for one in fleets],
        "PostgreSQL cores": [_processes(one.database_cores, one.load.database) for one in fleets],
        "Valkey instances": [_processes(one.bus, one.load.bus) for one in fleets],
        "sockets a realtime process": [f"{one.sockets_each:,}" for one in fleets],
        "memory of all processes": [f"{one.memory_gib:,.1f} GiB" for one in fleets],
        "connections to the database, pools full": [f"{one.connections:,}" for one in fleets],
        "messages a second": [_number(one.load.messages) for one in fleets],
        "commits a second": [_number(one.load.commits) for one in fleets],
        "rows written a second": [_number(one.load.rows) for one in fleets],
        "bus messages a second, each instance": [
            _number(one.load.hints / one.bus) for one in fleets
        ],
        "to clients": [f"{one.load.megabytes * 8:,.1f} Mbit/s" for one in fleets],
    }
    told = f"""At the hour of the day when most are connected, with
        {question.room.utilisation:.0%} of each core at work; a process is one core, and there are
        two of each role at the least, so that one may be lost. In brackets: the cores that are at
        work."""
    head = ["connected users", *(f"{users:,}" for users in sizes)]
    return f"\n## What users need\n\n{_prose(told)}\n{_table(head, rows)}"


def _sizes(question: Question) -> list[int]:
    return sorted({*SIZES, question.users})


def _primary(question: Question) -> str:
    most, room = most_users(question.habits, question.room), question.room
    full = fleet(most, question.habits, room)
    told = f"""One primary of {room.primary_cores} cores is full to {room.utilisation:.0%} at
        **{most:,} connected users**: {_number(full.load.commits)} commits and
        {_number(full.load.rows)} rows a second, of which {_number(full.load.messages)} are
        messages. Beyond that, reads that may be a moment old go to replicas, and then accounts
        and rooms must be spread over several primaries, which this program does not do."""
    return f"\n## Where one PostgreSQL ends\n\n{_prose(told)}"


def _day(question: Question) -> str:
    seen = day.simulate(question.users, question.habits.minutes, question.seed)
    most = max(seen.peak, 1)
    lines = []
    for hour in range(24):
        minutes = slice(60 * hour, 60 * hour + 60)
        here = sum(seen.connected[minutes]) // 60
        came = sum(seen.arrived[minutes]) / 3600
        needs = fleet(here, question.habits, question.room)
        bar = "█" * round(_BAR * here / most)
        lines.append(
            f"{hour:02}:00 {here:>11,} {came:>7,.1f} {needs.api:>6,} {needs.realtime:>9,}"
            f" {needs.database_cores:>6,}  {bar}"
        )
    head = "hour    connected  come/s    api  realtime     db"
    busiest = f"{seen.busiest_minute // 60:02}:{seen.busiest_minute % 60:02}"
    told = f"""{sum(seen.arrived):,} arrivals and {sum(seen.gone):,} departures, by the minute; at
        most {most:,} connected at once, at {busiest}. Processes, and cores of PostgreSQL, as they
        would follow the load."""
    return "\n".join(("\n## A day\n", _prose(told), "\n```", head, *lines, "```"))


def _storms(question: Question, asked: Fleet) -> str:
    fleets = [fleet(users, question.habits, question.room) for users in _sizes(question)]
    found = {one: list(returns(one, question.seed)) for one in fleets}
    rows = {
        f"{one.load.users:,.0f}: {met.what}": _storm_row(met)
        for one, all_met in found.items()
        for met in all_met
    }
    head = ["", "clients", "to each process", "half back", "all back", "sent away", "gave up"]
    together = drained_together(asked, question.seed)
    charts = "\n".join(f"{one.what}\n{_curve(one.outcome)}" for one in found[asked])
    told = f"""Who was told to leave comes back within {storm.SENT_AWAY_WITHIN_S:.0f} s, who was cut
        off within {storm.CUT_OFF_WITHIN_S} s. A process works on {storm.AT_ONCE:,} handshakes at
        once; who comes then is sent away until its turn, {storm.TURNS_PER_S:.0f} a second and
        within {storm.SENT_AWAY_WITHIN_S:.0f} s. A try that has waited {_PATIENCE} for its
        welcome is given up and made again after the client's own backoff.
        A storm that is not over after {storm.HORIZON_S:.0f} s is endless."""
    rolled = f"""With {question.users:,} users on {asked.realtime:,} realtime processes, which are
        {asked.busy:.0%} busy, {together:,} may be drained together in a rolling restart before
        anybody has to try twice. Clients that are still away:"""
    table = _table([*head, "CPU of ours", "of PostgreSQL"], rows)
    return "\n".join(
        (
            "\n## Everybody comes back\n",
            _prose(told),
            table,
            "",
            _prose(rolled),
            "\n```",
            charts,
            "```",
        )
    )


def _storm_row(one: Return) -> list[str]:
    return [
        f"{one.clients:,}",
        f"{one.outcome.clients:,}",
        _seconds(one.outcome.half_back_s),
        _seconds(one.outcome.all_back_s),
        f"{one.processes * one.outcome.sent_away:,}",
        f"{one.processes * one.outcome.gave_up:,}",
        f"{_number(one.server_cpu_s)} s",
        f"{_number(one.database_cpu_s)} s",
    ]


def _curve(outcome: storm.Outcome) -> str:
    """How many are away, in at most so many bars of eight heights."""
    step = max(1, -(-len(outcome.away) // (2 * _BAR)))
    heights = [
        "▁▂▃▄▅▆▇█"[min(7, 8 * away // outcome.clients)] if away else " "
        for away in outcome.away[::step]
    ]
    return f"  {''.join(heights)}| {len(outcome.away)} s"


def _critical(question: Question, asked: Fleet) -> str:
    rows = {
        f"{busy:.0%}": [
            f"{most(storm_at(asked, 0, 1, within_s, busy=busy), question.seed):,}"
            for within_s in (storm.SENT_AWAY_WITHIN_S, storm.CUT_OFF_WITHIN_S)
            for most in (storm.most_at_first_try, storm.most_that_end)
        ]
        for busy in _BUSY
    }
    names = ("told to leave", "cut off")
    head = [f"{name}: {end}" for name in names for end in ("all at their first try", "it ends")]
    told = f"""How many clients one process can take at once, by how much of its core is at work
        already, with PostgreSQL as no limit. With more than the first figure some are sent away, or
        wait longer than {_PATIENCE}, and try again. That ends by itself while the process has time
        beside sending away: everybody who is away comes every
        {storm.SENT_AWAY_WITHIN_S / 2:.0f} s on average, and to be sent away takes
        {costs.SENT_AWAY.server_ms:.3g} ms of an idle core. With more than the second figure it
        takes the whole core, and nothing but fewer clients ends it."""
    so = f"""So the sockets of a process (`--sockets`) are chosen by what it can take when all come
        back at once, and not by its memory. With {question.users:,} users:"""
    fleets = [
        fleet(question.users, question.habits, replace(question.room, sockets=n)) for n in _SOCKETS
    ]
    chosen = {f"{n:,}": _back(one, question.seed) for n, one in zip(_SOCKETS, fleets, strict=True)}
    columns = ["sockets a process", "processes", "busy", "all drained: back", "all cut: back"]
    return "\n".join(
        (
            "\n### When a storm feeds itself\n",
            _prose(told),
            _table(["busy", *head], rows),
            "",
            _prose(so),
            _table(columns, chosen),
        )
    )


def _back(chosen: Fleet, seed: int) -> list[str]:
    *_, drained, cut = returns(chosen, seed)
    times = [_seconds(one.outcome.all_back_s) for one in (drained, cut)]
    return [f"{chosen.realtime:,}", f"{chosen.busy:.0%}", *times]


def _hot(asked: Fleet) -> str:
    crowds = [
        crowd("a listing with 5,000 rooms changes", rooms=5_000, likers=0),
        crowd("a price cut is told to 10,000 likers", rooms=0, likers=10_000),
        crowd("both at once", rooms=5_000, likers=10_000),
    ]
    rows = {one.what: _crowd_row(one) for one in crowds}
    head = ["", "told", "CPU of ours", "of PostgreSQL", "takes", "rows", "on the bus", "to clients"]
    fits = crowds[-1].each_bus(asked.bus)
    spare = asked.database_cores - asked.load.database
    told = f"""The heads of all these streams are locked from then on to the commit, and who writes
        to one of those people waits for it. A process keeps {MOST_QUEUED:,} hints waiting for
        an instance of the bus; with {asked.bus} of them the last case puts {fits:,} on each,
        {_lost(fits)}. The {_number(spare)} cores that PostgreSQL has to spare here pay for
        {_number(spare * 1000 / crowds[-1].database_ms)} such changes a second."""
    rooms = """To have thousands of rooms costs their seller nothing by itself: the room list is a
        page of 20 whatever is behind it. Messages to one seller queue at the one row of the
        seller's stream."""
    return "\n".join(
        (
            "\n## Hot sellers\n",
            "One change, in one transaction: everybody who is told has an event in an own stream.",
            _table(head, rows),
            "",
            _prose(told),
            "",
            _prose(rooms),
        )
    )


def _lost(each: int) -> str:
    if each <= MOST_QUEUED:
        return "and none is dropped"
    return (
        f"and the oldest {each - MOST_QUEUED:,} are dropped: as soon as the instance takes"
        " anything, all processes are told over it to look into the database, which has them;"
        " while it is itself away they look every"
        f" {RealtimeSettings().reconcile_s:.0f} s or so"
    )


def _crowd_row(one: Crowd) -> list[str]:
    return [
        f"{one.told:,}",
        f"{one.server_ms:,.0f} ms",
        f"{one.database_ms:,.0f} ms",
        f"{one.takes_s:,.1f} s",
        f"{one.rows:,}",
        f"{one.hints:,}",
        f"{one.megabytes:,.1f} MB",
    ]


def _costs() -> str:
    rows = {
        one.name: [
            *(f"{of:.3g}" for of in (one.server_ms, one.database_ms, one.kb)),
            f"`{one.source}`",
        ]
        for one in costs.ALL
    }
    told = f"""CPU in ms of one operation, on PostgreSQL; `python -m bench` was run with
        `--database postgresql`. A socket holds {costs.SOCKET_KIB:.0f} KiB, a process
        {costs.PROCESS_MIB:.0f} MiB; Valkey spends {costs.HINT_IN_VALKEY_MS * 1000:.0f} µs on a
        hint. The lines are those of [the figures](figures.md); PostgreSQL's part has
        in it what it did by itself meanwhile, such as a vacuum of what was written before."""
    head = ["operation", "ours", "PostgreSQL's", "KB to clients", "measured by"]
    return "\n".join(("\n## What was measured\n", _prose(told), _table(head, rows, words=1)))


def _habits(chosen: Habits) -> str:
    rows = {
        one.metadata["what"]: [
            f"{getattr(chosen, one.name):g}",
            f"`--{one.name.replace('_', '-')}`",
            one.metadata["why"],
        ]
        for one in habits.table()
    }
    return f"""
## What is assumed

An hour and connected user at the busiest hour, where nothing else is said.
{_table(["habit", "", "flag", "because"], rows, words=2)}"""


def _prose(text: str) -> str:
    return fill(" ".join(text.split()), width=100, break_long_words=False, break_on_hyphens=False)


def _table(head: Sequence[str], rows: Mapping[str, Sequence[str]], *, words: int = 0) -> str:
    """The last ``words`` columns are words, the others numbers."""
    numbers = len(head) - 1 - words
    lines: list[Sequence[str]] = [head, ["---", *["---:"] * numbers, *["---"] * words]]
    lines += [[name, *cells] for name, cells in rows.items()]
    return "\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _processes(count: int, at_work: float) -> str:
    return f"{count:,} ({_number(at_work)})"


def _number(value: float) -> str:
    """With as many digits as it is known to."""
    if 0 < value < 0.01:
        return "<0.01"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def _seconds(value: float) -> str:
    return "never" if value == float("inf") else f"{value:,.1f} s"
