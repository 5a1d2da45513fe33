"""The model behind docs/capacity.md: it loses nobody, is in proportion, and finds too much."""

import re
import tomllib
from dataclasses import replace
from itertools import pairwise
from math import ceil
from pathlib import Path

import pytest

from bench.capacity import costs, day
from bench.capacity.__main__ import main
from bench.capacity.fleet import Room, fleet, most_users
from bench.capacity.habits import Habits
from bench.capacity.hot import crowd
from bench.capacity.load import load
from bench.capacity.page import Question, page
from bench.capacity.returning import drained_together, returns, storm_at
from bench.capacity.storm import (
    AT_ONCE,
    PATIENCE_S,
    SENT_AWAY_WITHIN_S,
    TURNS_PER_S,
    Storm,
    most_at_first_try,
    most_that_end,
    simulate,
)
from client_tui.core.connection import WELCOME_S
from server.realtime.settings import RealtimeSettings

SOCKETS = 10_000
SUMS = ("api", "realtime", "worker", "database", "bus", "commits", "rows", "hints", "megabytes")


def small_storm(clients: int) -> Storm:
    """Two hundred resumes or a thousand sent away a second, everybody within a second."""
    return Storm(clients, within_s=1.0, resume_s=0.005, give_up_s=0.002, send_away_s=0.001)


def test_who_arrived_is_connected_or_gone() -> None:
    seen = day.simulate(100_000, stay_minutes=40, seed=3)
    here = seen.before
    for came, went, connected in zip(seen.arrived, seen.gone, seen.connected, strict=True):
        here += came - went
        assert here == connected >= 0
    assert seen.peak == pytest.approx(100_000, rel=0.02)


def test_nobody_costs_nothing() -> None:
    nothing = load(0, Habits(), SOCKETS)
    assert {name: getattr(nothing, name) for name in SUMS} == dict.fromkeys(SUMS, 0)
    assert set(day.simulate(0, stay_minutes=40, seed=1).connected) == {0}
    assert simulate(small_storm(0), seed=1).all_back_s == 0


def test_twice_the_users_cost_twice() -> None:
    once, twice = load(50_000, Habits(), SOCKETS), load(100_000, Habits(), SOCKETS)
    for name in SUMS:
        assert getattr(twice, name) == pytest.approx(2 * getattr(once, name))
        assert getattr(once, name) > 0
    assert fleet(1_000_000, Habits(), Room()).realtime > fleet(500_000, Habits(), Room()).realtime


def test_every_habit_of_more_costs_more() -> None:
    usual = load(1000, Habits(), SOCKETS)
    for name in ("messages", "searches", "photos", "trades", "drops", "devices"):
        more = load(1000, replace(Habits(), **{name: 2 * getattr(Habits(), name)}), SOCKETS)
        spent, usually = ((one.api + one.realtime + one.worker) for one in (more, usual))
        assert spent > usually, name


def test_messages_that_share_a_commit_cost_less_and_never_more() -> None:
    measured = [one.a_second for one in costs.SENDS]
    between = [(fewer + more) / 2 for fewer, more in pairwise(measured)]
    prices = [costs.send_cost(rate) for rate in sorted((0, *measured, *between, 9000))]
    assert prices[0].database_ms == prices[1].database_ms == costs.SENDS[0].database_ms
    assert prices[2].server_ms == pytest.approx(
        (costs.SENDS[0].server_ms + costs.SENDS[1].server_ms) / 2
    )
    assert prices[-1] == costs.SENDS[-1]
    told = "bench/capacity/costs.py: SENDS no longer fall; `python -m bench flow` has those between"
    for cheaper, dearer in zip(prices[1:], prices[:-1], strict=True):
        assert cheaper.server_ms <= dearer.server_ms, told
        assert cheaper.database_ms <= dearer.database_ms, told


def test_a_full_primary_is_full() -> None:
    room = Room(primary_cores=16)
    most = most_users(Habits(), room)
    assert fleet(most, Habits(), room).database_cores == 16
    assert fleet(most * 1.1, Habits(), room).database_cores > 16


def test_a_small_storm_is_over_when_its_work_is_done() -> None:
    outcome = simulate(small_storm(1_000), seed=1)
    assert outcome.is_over
    assert outcome.gave_up == 0
    assert outcome.all_back_s == pytest.approx(1_000 * 0.005, abs=0.1)
    assert outcome.away[-1] == 0
    assert sorted(outcome.away, reverse=True) == list(outcome.away)


def test_the_storm_is_of_the_client_and_the_server_as_they_are() -> None:
    server = RealtimeSettings()
    assert PATIENCE_S == WELCOME_S
    assert server.handshakes_most == AT_ONCE
    assert server.reconnect_within_ms / 1000 == SENT_AWAY_WITHIN_S
    assert server.handshakes_per_s == TURNS_PER_S


def test_a_storm_over_capacity_is_found_as_such() -> None:
    """Who has no turn comes after three quarters of the longest; the process does nothing else."""
    capacity = SENT_AWAY_WITHIN_S * 3 / 4 / 0.001
    endless = simulate(small_storm(int(2 * capacity)), seed=1)
    assert not endless.is_over
    assert endless.all_back_s == float("inf")
    assert endless.in_vain > endless.clients
    assert endless.back + endless.away[-1] == endless.clients
    most = most_that_end(small_storm(0), seed=1)
    assert 0.7 * capacity < most < 1.3 * capacity


def test_all_come_at_their_first_try_while_there_is_a_place_for_all() -> None:
    most = most_at_first_try(small_storm(0), seed=1)
    assert most == pytest.approx(AT_ONCE + 1.0 / 0.005, rel=0.05)
    assert simulate(small_storm(most), seed=1).in_vain == 0
    more = simulate(small_storm(2 * most), seed=1)
    assert more.is_over
    assert 0 < most - AT_ONCE < more.sent_away


def test_who_is_sent_away_is_worked_on_when_there_is_a_place() -> None:
    """Everybody at one moment: as many as there are places stay, each other one comes later."""
    storm = replace(small_storm(AT_ONCE), within_s=0.0)
    assert simulate(storm, seed=1).in_vain == 0
    outcome = simulate(replace(storm, clients=2 * AT_ONCE), seed=1)
    assert outcome.is_over
    assert outcome.sent_away >= AT_ONCE
    assert outcome.gave_up == 0
    assert 2 * AT_ONCE * 0.005 <= outcome.all_back_s < 2 * SENT_AWAY_WITHIN_S


def test_who_is_not_welcomed_in_time_gives_up_and_comes_again() -> None:
    """A process so slow that it has few of those it let in welcomed in time."""
    slow = Storm(AT_ONCE, within_s=0.0, resume_s=0.02, give_up_s=0.001, send_away_s=0.001)
    outcome = simulate(slow, seed=1)
    in_time = PATIENCE_S / 0.02
    assert outcome.gave_up >= 0.99 * (AT_ONCE - in_time)
    assert outcome.longest_wait_s == pytest.approx(PATIENCE_S, rel=0.01)
    assert outcome.is_over
    usual = simulate(replace(slow, resume_s=0.9 * PATIENCE_S / AT_ONCE), seed=1)
    assert (usual.gave_up, usual.sent_away) == (0, 0)


def test_a_lost_process_brings_its_clients_to_the_others() -> None:
    asked = fleet(1_000_000, Habits(), Room())
    drained, lost, *everybody = returns(asked, seed=1)
    for one in (drained, lost):
        assert asked.sockets_each <= one.clients < asked.sockets_each + asked.realtime
        assert one.outcome.is_over
    assert all(one.clients >= asked.load.sockets for one in everybody)


def test_as_many_are_drained_together_as_the_others_can_take() -> None:
    asked = fleet(1_000_000, Habits(), Room())
    most = drained_together(asked, seed=1)
    assert 1 < most < asked.realtime
    for count, is_too_many in ((most, False), (most + 1, True)):
        others = asked.realtime - count
        storm = storm_at(
            asked, ceil(count * asked.sockets_each / others), others, SENT_AWAY_WITHIN_S
        )
        assert (simulate(storm, seed=1).in_vain > 0) is is_too_many


def test_a_process_that_is_left_does_the_work_of_the_lost_one_too() -> None:
    asked = fleet(2_000, Habits(), Room())
    alone, both = (storm_at(asked, 1, processes, 20.0) for processes in (1, 2))
    assert alone.resume_s > both.resume_s > costs.RESUME.server_ms / 1000


def test_telling_a_crowd_costs_in_proportion() -> None:
    once, twice = crowd("", rooms=1_000, likers=0), crowd("", rooms=2_000, likers=0)
    assert twice.database_ms == pytest.approx(2 * once.database_ms)
    both = crowd("", rooms=1_000, likers=3_000)
    assert (both.hints, both.rows) == (4_001, 2 * 4_001 + 3_000 + 1)
    assert both.each_bus(2) == 2_001


def test_the_same_seed_is_the_same_page_and_another_one_another_storm(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench.capacity", "--users", "2000", "--seed", "2"])
    main()
    printed = capsys.readouterr().out
    assert printed == page(Question(users=2_000, seed=2))
    assert simulate(small_storm(900), seed=2) == simulate(small_storm(900), seed=2)
    assert simulate(small_storm(900), seed=2) != simulate(small_storm(900), seed=3)


@pytest.mark.parametrize(
    ("flag", "value", "told"),
    [
        ("--utilisation", "1", "--utilisation is the share of a core at work"),
        ("--primary-cores", "0", "--primary-cores must be above 0"),
        ("--photos", "-1", "--photos must be 0 or more"),
    ],
)
def test_what_cannot_be_asked_is_told(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flag: str,
    value: str,
    told: str,
) -> None:
    monkeypatch.setattr("sys.argv", ["bench.capacity", f"{flag}={value}"])
    with pytest.raises(SystemExit):
        main()
    assert told in capsys.readouterr().err


def test_the_page_of_capacity_is_what_the_command_prints() -> None:
    written = (Path(__file__).parents[2] / "docs" / "capacity.md").read_text("utf-8")
    assert written == page(Question()), "make capacity writes it anew"


def test_the_example_of_many_tasks_is_for_a_million_people() -> None:
    """In comments, which no other test reads; half as many again as are needed."""
    example = Path(__file__).parents[2] / "deploy" / "ecs" / "parameters.example.toml"
    _, found, told = example.read_text("utf-8").partition("\n# [most_tasks]\n")
    assert found
    shown = tomllib.loads(re.sub(r"^# ", "", told, flags=re.MULTILINE))
    needed = fleet(1_000_000, Habits(), Room())
    assert "these for 1,000,000" in example.read_text("utf-8")
    most = {role: ceil(1.5 * getattr(needed, role)) for role in ("api", "realtime", "worker")}
    assert shown == most, f"{example.name}: its comment on [most_tasks] must have {most}"
