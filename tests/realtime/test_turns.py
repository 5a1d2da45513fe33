"""Who comes while too many are worked on is given a turn of its own."""

import pytest

from server.realtime.handshakes import Busy, Handshakes
from server.realtime.settings import RealtimeSettings

SETTINGS = RealtimeSettings(handshakes_most=100, handshakes_per_s=50, reconnect_within_ms=10_000)


class Clock:
    """Seconds that pass when they are told to."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_there_is_room_for_as_many_as_are_worked_on_at_once() -> None:
    handshakes = Handshakes(RealtimeSettings(handshakes_most=1), lambda: 0.5, Clock())
    handshakes.admit()
    with handshakes.at_work(), pytest.raises(Busy):
        handshakes.admit()
    handshakes.admit()


def test_turns_are_behind_those_under_way_and_one_after_the_other() -> None:
    clock = Clock()
    handshakes = Handshakes(SETTINGS, lambda: 0.5, clock)
    with handshakes.at_work():
        turns = [handshakes.turn_ms() for _ in range(200)]
    assert turns[:3] == pytest.approx([40, 60, 80], abs=1)
    assert turns[-1] == pytest.approx(4_020, abs=1)
    clock.now += 2
    assert handshakes.turn_ms() == pytest.approx(2_040, abs=1)
    clock.now += 60
    assert handshakes.turn_ms() == pytest.approx(20, abs=1)


def test_nobody_waits_for_longer_than_the_longest() -> None:
    chances = iter([0.0, 0.5, 0.999])
    handshakes = Handshakes(SETTINGS, lambda: next(chances), Clock())
    turns = [handshakes.turn_ms() for _ in range(503)]
    assert turns[499] == pytest.approx(10_000, abs=1)
    assert turns[500:] == [5_000, 7_500, 9_995]
