"""The machine's own time goes on while the machine is suspended."""

import asyncio
import time

import pytest

from client_tui.core import clock
from client_tui.core.clock import SystemClock
from tests.quiet import PATIENCE_S


class Laptop:
    """Its lid can be closed: the time since it was started goes on, that of its programs not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._asleep_s = 0.0
        self._now = time.clock_gettime
        monkeypatch.setattr(time, "clock_gettime", self._since_start)

    def sleep(self, seconds: float) -> None:
        """Close the lid for so long."""
        self._asleep_s += seconds

    def _since_start(self, clock_id: int) -> float:
        return self._now(clock_id) + self._asleep_s


@pytest.fixture
def laptop(monkeypatch: pytest.MonkeyPatch) -> Laptop:
    return Laptop(monkeypatch)


def test_seconds_go_on_while_the_machine_is_suspended(laptop: Laptop) -> None:
    machine = SystemClock()
    before = machine.monotonic()
    laptop.sleep(3600)
    assert 3600 <= machine.monotonic() - before < 3660


async def test_a_wait_that_ended_while_the_machine_was_suspended_is_over_soon_after(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "_AT_MOST_S", 0.01)
    waiting = asyncio.create_task(SystemClock().sleep(600))
    await asyncio.sleep(0)
    laptop.sleep(600)
    async with asyncio.timeout(PATIENCE_S):
        await waiting


async def test_a_wait_is_no_shorter_for_being_taken_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clock, "_AT_MOST_S", 0.01)
    machine = SystemClock()
    before = machine.monotonic()
    await machine.sleep(0.05)
    assert machine.monotonic() - before >= 0.05
