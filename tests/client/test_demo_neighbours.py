"""The demo's other people go on living when what they turn to is not there."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from client_tui.demo.neighbours import Neighbours
from client_tui.store import ListingChanged, MessageChanged, Store
from tests.client.core.fakes import ME, FakeClock, bootstrap, card, message

LONGER_THAN_ANY_PAUSE_BEFORE_THEY_TURN_TO_IT_S = 10


@pytest.fixture
def store() -> Store:
    store = Store()
    store.reset(bootstrap(0))
    return store


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def life(store: Store, clock: FakeClock) -> AsyncIterator[asyncio.Task[None]]:
    """The neighbours, who have just begun to live."""
    task = asyncio.create_task(Neighbours("http://nowhere", "", store, clock=clock).run())
    await clock.until_asleep()
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_new_listing_is_left_alone_while_nobody_is_known(
    store: Store, clock: FakeClock, life: asyncio.Task[None]
) -> None:
    store.publish(ListingChanged(card()))
    await clock.advance(LONGER_THAN_ANY_PAUSE_BEFORE_THEY_TURN_TO_IT_S)
    assert not life.done()


async def test_words_in_a_room_that_is_gone_are_left_unanswered(
    store: Store, clock: FakeClock, life: asyncio.Task[None]
) -> None:
    store.publish(MessageChanged(message(1, sender=ME)))
    await clock.advance(LONGER_THAN_ANY_PAUSE_BEFORE_THEY_TURN_TO_IT_S)
    assert not life.done()
