"""`picky-server top`: rates and times from two looks at the metrics, of one process and in sum."""

import math
import subprocess
import sys
from collections.abc import Sequence

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from server.app.top.figures import Step, Window, parse
from server.app.top.reading import NoAddress, Server, Servers, fetch_text, metrics_address
from server.app.top.screen import TopApp
from server.app.top.shown import COLUMNS, row, stock, time_taken, traffic
from tests.house.sources import ROOT
from tests.house.test_start import packages_after_importing
from tests.journeys.terminal import Terminal

PATIENCE_S = 20
ADDRESS = "http://127.0.0.1:1/metrics"


class Process:
    """Metrics of a process that are set by hand."""

    def __init__(self) -> None:
        self._own = CollectorRegistry()
        self.sends = Counter("picky_sends", "-", ["outcome"], registry=self._own)
        self.seconds = Histogram(
            "picky_send_duration_seconds", "-", buckets=(0.01, 0.1, 1), registry=self._own
        )
        self.due = Gauge("picky_jobs_waiting", "-", ["state"], registry=self._own)

    @property
    def text(self) -> str:
        return generate_latest(self._own).decode()


def between(before: str | None, now: str, seconds: float = 2.0) -> Step:
    return Step(None if before is None else parse(before, 0.0), parse(now, seconds))


def test_rates_are_of_the_time_between_two_looks_by_label_and_in_sum() -> None:
    one, two = Process(), Process()
    one.sends.labels("acknowledged").inc(1000)
    before = one.text, two.text
    one.sends.labels("acknowledged").inc(30)
    one.sends.labels("not_found").inc(2)
    two.sends.labels("acknowledged").inc(10)
    window = Window([between(before[0], one.text), between(before[1], two.text)])
    rates = window.rates("picky_sends_total", by="outcome")
    assert rates == {"acknowledged": 20, "not_found": 1}
    assert window.rates("picky_sends_total") == {"": 21}
    assert Window(window.steps[1:]).rates("picky_sends_total") == {"": 5}


def test_a_process_that_was_restarted_counts_from_nothing() -> None:
    old, new = Process(), Process()
    old.sends.labels("acknowledged").inc(1000)
    new.sends.labels("acknowledged").inc(4)
    window = Window([between(old.text, new.text)])
    assert window.rates("picky_sends_total") == {"": 2}


def test_the_first_look_gives_totals_but_no_rates_and_no_times() -> None:
    process = Process()
    process.due.labels("due").set(7)
    process.seconds.observe(0.05)
    window = Window([between(None, process.text)])
    assert window.total("picky_jobs_waiting", by="state") == {"due": 7}
    assert window.rates("picky_sends_total") == {}
    assert window.quantile("picky_send_duration_seconds", 0.5) is None


def test_quantiles_are_of_all_processes_and_only_of_what_is_new() -> None:
    one, two = Process(), Process()
    one.seconds.observe(50)
    before = one.text, two.text
    for _ in range(98):
        one.seconds.observe(0.005)
    for _ in range(2):
        two.seconds.observe(0.5)
    window = Window([between(before[0], one.text), between(before[1], two.text)])
    assert window.quantile("picky_send_duration_seconds", 0.5) == pytest.approx(0.0051, abs=1e-4)
    assert window.quantile("picky_send_duration_seconds", 0.99) == pytest.approx(0.55)
    assert window.quantile("picky_nothing", 0.5) is None


def test_what_a_process_cannot_say_now_is_not_shown() -> None:
    one, two = Process(), Process()
    one.due.labels("due").set(math.nan)
    two.due.labels("due").set(5)
    for steps in ([one, two], [two, one]):
        window = Window([between(None, process.text) for process in steps])
        assert window.most("picky_jobs_waiting", by="state") == {"due": 5}
    assert Window([between(None, one.text)]).most("picky_jobs_waiting") == {}


def test_how_many_jobs_are_dead_is_as_the_database_has_it() -> None:
    """A worker that has just begun has seen none die."""
    process = Process()
    process.due.labels("dead").set(3)
    shown = dict(stock(Window([between(None, process.text)])))
    assert shown["dead"] == "3"


def test_what_all_tell_of_one_database_is_not_summed() -> None:
    one, two = Process(), Process()
    one.due.labels("due").set(7)
    two.due.labels("due").set(5)
    window = Window([between(None, one.text), between(None, two.text)])
    assert window.most("picky_jobs_waiting", by="state") == {"due": 7}


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("localhost:8470", "http://localhost:8470/metrics"),
        ("https://picky.example/", "https://picky.example/metrics"),
        ("http://[::1]:8470/metrics", "http://[::1]:8470/metrics"),
    ],
)
def test_an_address_may_be_given_shortly(given: str, address: str) -> None:
    assert metrics_address(given) == address


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "–"), (0.0024, "2 ms"), (0.25, "250 ms"), (1.25, "1.2 s"), (600.0, "10 min")],
)
def test_times_are_told_shortly(seconds: float | None, told: str) -> None:
    assert time_taken(seconds) == told


def answering(status: int, text: str) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _request: httpx.Response(status, text=text))


def failing(error: httpx.HTTPError) -> httpx.MockTransport:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    return httpx.MockTransport(fail)


@pytest.mark.parametrize(
    ("transport", "problem"),
    [
        (failing(httpx.ConnectError("")), "does not answer: nobody listens there"),
        (failing(httpx.ReadTimeout("")), "does not answer within 1.5 s"),
        (failing(httpx.ReadError("")), "cannot be asked: ReadError"),
        (answering(404, ""), "answers 404"),
        (answering(200, "<html>"), "answers, but not with metrics"),
    ],
)
async def test_a_server_that_cannot_be_read_says_why(
    transport: httpx.MockTransport, problem: str
) -> None:
    async def fetch(address: str) -> str:
        async with httpx.AsyncClient(transport=transport) as client:
            return (await client.get(address)).raise_for_status().text

    server = Server(ADDRESS)
    await server.look(fetch, 0.0)
    assert (server.step, server.problem) == (None, problem)


async def test_a_server_that_is_back_begins_anew() -> None:
    texts: list[str | None] = [Process().text, None, Process().text, Process().text]

    async def fetch(_address: str) -> str:
        text = texts.pop(0)
        if text is None:
            raise httpx.ConnectError("")
        return text

    server, steps = Server(ADDRESS), []
    for at in range(4):
        await server.look(fetch, float(at))
        steps.append(None if server.step is None else server.step.seconds)
    assert steps == [0.0, None, 0.0, 1.0]


async def test_figures_that_are_shown_are_those_that_a_server_tells(
    client: httpx.AsyncClient,
) -> None:
    texts = []
    for _ in range(2):
        texts.append((await client.get("/metrics")).text)
        await client.get("/v1/market")
    window = Window([between(texts[0], texts[1])])
    cells = dict(zip(COLUMNS, row("here", window), strict=True))
    assert cells["Sockets"] == "0"
    assert cells["Req/s"] == "0.5"
    assert cells["MB"] != "–"
    shown = dict([*traffic(window), *stock(window)])
    assert " of " in shown["connections"]
    assert (shown["due"], shown["the oldest for"]) == ("0", "0 ms")


async def test_it_looks_again_and_again_and_q_quits() -> None:
    looks: list[str] = []

    async def fetch(address: str) -> str:
        looks.append(address)
        return Process().text

    app = TopApp(Servers(["one", "two"], fetch, lambda: 0.0), every_s=0.01)
    async with app.run_test() as pilot:
        while len(looks) < 6:
            await pilot.pause()
        await pilot.press("q")
    assert set(looks) == {"http://one/metrics", "http://two/metrics"}
    assert app.return_code == 0


async def test_who_does_not_answer_is_told() -> None:
    server = Server(ADDRESS)
    await server.look(fetch_text, 0.0)
    assert server.problem == "does not answer: nobody listens there"


def run_top(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server", "top", *arguments],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_without_a_terminal_it_says_what_to_read() -> None:
    run = run_top(["--server", "localhost:1"])
    assert run.returncode == 2
    assert run.stderr == "picky-server: top needs a terminal; scripts read /metrics\n"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("127.0.0.1:abc", "Invalid port: 'abc'"),
        ("127.0.0.1:99999", "ports are 1 to 65535"),
        ("[::1", "Invalid port: ':1'"),
        ("a b:80", "it names no server"),
        ("http://", "it names no server"),
        ("ftp://127.0.0.1", "it names no server"),
    ],
)
def test_an_address_that_is_none_is_refused(given: str, why: str) -> None:
    with pytest.raises(NoAddress) as refused:
        metrics_address(given)
    assert str(refused.value) == f"{given} is no address of a server: {why}"


def test_addresses_that_are_none_are_refused_before_there_is_a_screen() -> None:
    run = run_top(["--server", "127.0.0.1:8470", "--server", "127.0.0.1:abc"])
    assert run.returncode == 2
    told = "127.0.0.1:abc is no address of a server: Invalid port: 'abc'"
    assert run.stderr == f"picky-server: {told}\n"


def test_in_a_terminal_it_shows_who_does_not_answer_and_q_quits() -> None:
    command = [sys.executable, "-m", "server", "top", "--server", "127.0.0.1:1"]
    with Terminal(command, {"PYTHONPATH": str(ROOT)}) as terminal:
        terminal.wait_for("nobody listens there", PATIENCE_S)
        terminal.press("q")
        assert terminal.wait_for_end(PATIENCE_S) == 0


def test_other_commands_do_without_its_screen() -> None:
    assert "textual" not in packages_after_importing("server.app.cli", "server.app.serve")
