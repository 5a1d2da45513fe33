"""Thousands of messages wait after a long time offline: what each costs does not grow with them."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from client_tui.conversation import Conversation
from tests.client.app.chat_rows import ME, message
from tests.client.test_conversation import opened, outgoing

FEW, MANY = 100, 1_000


def steps_of(work: Callable[[], object]) -> int:
    """How many steps of Python's own machine something takes: a measure without a clock."""
    steps = 0

    def count(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal steps
        frame.f_trace_opcodes = True
        steps += event == "opcode"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)
    return steps


def with_waiting(count: int) -> Conversation:
    conversation = opened(5, 8)
    for number in range(1, count + 1):
        conversation.wait_for(outgoing(number))
    return conversation


def fill(count: int) -> None:
    with_waiting(count)


def fill_from_the_end(count: int) -> None:
    conversation = opened(5, 8)
    for number in range(count, 0, -1):
        conversation.wait_for(outgoing(number))


def look_at_each(count: int) -> int:
    conversation = with_waiting(count)

    def look() -> None:
        for key in conversation.keys[5:]:
            waiting = conversation.waiting(key)
            assert waiting is not None
            conversation.waiting_before(waiting)

    return steps_of(look)


def discard_each(count: int) -> int:
    conversation = with_waiting(count)
    cids = [one.message.cid for one in conversation.all_waiting()]

    def discard() -> None:
        for cid in cids:
            conversation.discard(cid)

    return steps_of(discard)


def drain(count: int) -> int:
    conversation = with_waiting(count)
    cids = [one.message.cid for one in conversation.all_waiting()]
    come = [message(9 + place, sender=ME, cid=cid) for place, cid in enumerate(cids)]

    def take() -> None:
        for one in come:
            conversation.take(one)

    return steps_of(take)


@pytest.mark.parametrize(
    "work",
    [
        lambda count: steps_of(lambda: fill(count)),
        lambda count: steps_of(lambda: fill_from_the_end(count)),
        look_at_each,
        discard_each,
        drain,
    ],
    ids=["fill", "fill from the end", "look at each", "discard each", "drain"],
)
def test_ten_times_as_many_cost_ten_times_as_much(work: Callable[[int], int]) -> None:
    assert work(MANY) / work(FEW) < 1.2 * MANY / FEW


def test_what_waits_is_in_order_however_it_is_heard_of() -> None:
    conversation = opened(5, 8)
    for number in (3, 1, 4, 2):
        conversation.wait_for(outgoing(number))
    assert conversation.keys[5:] == [-1, -2, -3, -4]
    second = conversation.waiting(-2)
    assert second is not None
    conversation.discard(second.message.cid)
    third = conversation.waiting(-3)
    assert third is not None
    before = conversation.waiting_before(third)
    assert before is not None
    assert before.key == -1
    assert conversation.waiting_before(before) is None


def test_the_row_below_one_that_has_gone_is_drawn_anew() -> None:
    conversation = with_waiting(3)
    first = conversation.waiting(-1)
    assert first is not None
    conversation.take_changes()
    conversation.discard(first.message.cid)
    assert -2 in conversation.take_changes().touched
