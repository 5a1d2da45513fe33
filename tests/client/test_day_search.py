from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from client_tui.day_search import PAGE, first_of
from shared_models.chat import Message
from tests.client.core.fakes import START, message

MILLION = 1_000_000
When = Callable[[int], timedelta]


def evenly(seq: int) -> timedelta:
    return timedelta(minutes=seq)


def ever_more(seq: int) -> timedelta:
    return timedelta(days=1000 * (seq / MILLION) ** 0.1)


def ever_less(seq: int) -> timedelta:
    return timedelta(days=1000 * (seq / MILLION) ** 8)


def all_on_one_evening(seq: int) -> timedelta:
    return timedelta(days=500 * (seq > 1) + 500 * (seq == MILLION), microseconds=seq)


class Room:
    """A room whose messages are made when they are asked for."""

    def __init__(self, when: When, first: int = 1, last: int = MILLION) -> None:
        self._when = when
        self._first = first
        self._last = last
        self.pages = 0

    def message(self, seq: int) -> Message:
        return message(seq, created_at=START + self._when(seq))

    async def page_after(self, seq: int) -> Sequence[Message]:
        self.pages += 1
        begin = max(self._first, seq + 1)
        return [self.message(one) for one in range(begin, min(begin + PAGE, self._last + 1))]


@pytest.mark.parametrize("when", [evenly, ever_more, ever_less, all_on_one_evening])
@pytest.mark.parametrize("seq", [1, 2, 101, 4_321, 500_000, 999_950, MILLION])
async def test_any_day_of_a_million_messages_is_found_with_at_most_twenty_pages(
    when: When, seq: int
) -> None:
    room = Room(when)
    moment = room.message(seq).created_at
    found = await first_of(moment, MILLION, room.page_after)
    assert found is not None
    assert room.message(found).created_at >= moment
    assert found == 1 or room.message(found - 1).created_at < moment
    assert room.pages <= 20


async def test_where_messages_come_evenly_a_guess_is_enough() -> None:
    room = Room(evenly)
    assert await first_of(START + timedelta(minutes=654_320.5), MILLION, room.page_after) == 654_321
    assert room.pages <= 3


async def test_after_the_newest_there_is_none() -> None:
    room = Room(evenly)
    late = START + timedelta(minutes=MILLION + 1)
    assert await first_of(late, MILLION, room.page_after) is None


async def test_before_the_beginning_it_is_the_first_that_can_be_seen() -> None:
    """Which is not number 1 for somebody who had left."""
    assert await first_of(START, MILLION, Room(evenly).page_after) == 1
    left = Room(evenly, first=700_000)
    assert await first_of(START, MILLION, left.page_after) == 700_000
    assert left.pages == 2


@pytest.mark.parametrize("count", [1, 2, 3, 100, 101, 102, 250])
async def test_each_message_of_a_small_room_is_found(count: int) -> None:
    room = Room(evenly, last=count)
    for seq in range(1, count + 1):
        moment = START + timedelta(minutes=seq - 0.5)
        assert await first_of(moment, count, room.page_after) == seq
