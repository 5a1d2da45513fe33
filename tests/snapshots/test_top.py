"""What `picky-server top` looks like. Look at the picture before blessing a change of one."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from textual.pilot import Pilot

from server.app.top.reading import Servers
from server.app.top.screen import TopApp

NARROW = (80, 24)
WIDE = (120, 36)
SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x36"])

BOUNDS = ("0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "+Inf")
GROWING = {
    'picky_http_request_duration_seconds_count{method="GET",route="/v1/me",status="2xx"}': 1900,
    'picky_http_request_duration_seconds_count{method="GET",route="/v1/me",status="5xx"}': 3,
    'picky_sends_total{outcome="acknowledged"}': 840,
    'picky_sends_total{outcome="rate_limited"}': 6,
    "picky_deliveries_total": 1712,
    'picky_handshakes_total{outcome="resumed"}': 5,
    'picky_handshakes_total{outcome="too_far"}': 1,
    'picky_jobs_total{kind="media.process",outcome="done"}': 9,
    'picky_jobs_total{kind="media.process",outcome="failed"}': 1,
    'picky_jobs_total{kind="media.process",outcome="dead"}': 1,
    "picky_bus_published_total": 1698,
    "process_cpu_seconds_total": 1.46,
}
STANDING = {
    "picky_sockets": 2041,
    "picky_writer_queue_frames": 38,
    "picky_writer_queue_frames_max": 17,
    'picky_sockets_closed_total{reason="slow_consumer"}': 3,
    'picky_jobs_waiting{state="due"}': 12,
    'picky_jobs_waiting{state="running"}': 4,
    'picky_jobs_waiting{state="scheduled"}': 2318,
    'picky_jobs_waiting{state="dead"}': 2,
    'picky_jobs_waiting{state="unknown"}': 1,
    "picky_jobs_oldest_due_seconds": 1.8,
    'picky_uploads{state="pending"}': 21,
    'picky_uploads{state="processing"}': 6,
    'picky_uploads{state="ready"}': 140,
    'picky_uploads{state="failed"}': 2,
    'picky_open_trades{state="reserved"}': 318,
    'picky_open_trades{state="shipped"}': 77,
    'picky_open_trades{state="handed_over"}': 24,
    'picky_open_trades{state="disputed"}': 5,
    'picky_database_connections_in_use{pool="writer"}': 3,
    'picky_database_connections_max{pool="writer"}': 8,
    "picky_bus_lines_lost_total": 1,
    "picky_bus_dropped_total": 0,
    "process_resident_memory_bytes": 148_000_000,
}


def metrics(looks: int, share: float) -> str:
    """The text of a process that does this share of everything, at its so manieth look."""
    values = {name: value * share * looks for name, value in GROWING.items()}
    values |= {name: value * (share if value > 100 else 1) for name, value in STANDING.items()}
    for place, bound in enumerate(BOUNDS, start=1):
        seen = min(place, 8) * looks * share
        for what in ("http_request", "send"):
            values[f'picky_{what}_duration_seconds_bucket{{le="{bound}"}}'] = seen
    return "".join(f"{name} {value}\n" for name, value in values.items())


class Fleet:
    """Three processes; one of them does not answer."""

    def __init__(self) -> None:
        self._looks: dict[str, Iterator[int]] = {}

    async def fetch(self, address: str) -> str:
        if "10.0.0.13" in address:
            raise httpx.ConnectError("")
        looks = self._looks.setdefault(address, count(1))
        return metrics(next(looks), 0.6 if "10.0.0.11" in address else 0.4)


async def look_again(pilot: Pilot[Any]) -> None:
    """The second look, which gives rates."""
    await pilot.pause()
    app = pilot.app
    assert isinstance(app, TopApp)
    await app.look()
    await pilot.pause()


def top(addresses: list[str]) -> TopApp:
    moments = count(step=2)
    return TopApp(Servers(addresses, Fleet().fetch, lambda: float(next(moments))), every_s=3600)


@SIZES
def test_top(snap_compare: Any, size: tuple[int, int]) -> None:
    app = top(["10.0.0.11:8470", "10.0.0.12:8470", "10.0.0.13:8470"])
    assert snap_compare(app, terminal_size=size, run_before=look_again)


def test_top_of_one_server_at_the_first_look(snap_compare: Any) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await pilot.pause()

    assert snap_compare(top(["127.0.0.1:8470"]), terminal_size=NARROW, run_before=steps)


def test_top_of_nobody(snap_compare: Any) -> None:
    assert snap_compare(top(["10.0.0.13:8470"]), terminal_size=NARROW, run_before=look_again)
