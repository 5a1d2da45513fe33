"""What happens in a room while somebody who looked at it before has yet to write (H13, H15)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from server.chat import api as chat
from server.chat import repository, service
from server.chat.repository import Post, append
from server.chat.tables import Member, Message, Room
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork, reading, transact
from tests.server.chat.conftest import message, say
from tests.server.conftest import Person, problem

HELD_S = 0.5
PATIENCE_S = 20.0
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.usefixtures("no_deadlocks")


class Meanwhile:
    """Lets something else happen, once, right after a function has looked.

    It is waited for, for ``held_s``: less where it has to wait itself for who has looked.
    """

    def __init__(
        self,
        looks: Callable[..., Any],
        then: Callable[[], Awaitable[Any]],
        *,
        held_s: float = HELD_S,
    ) -> None:
        self._looks, self._then, self._held_s = looks, then, held_s
        self.happening: asyncio.Future[httpx.Response] | None = None

    async def __call__(self, *args: Any, **options: Any) -> Any:
        found = await self._looks(*args, **options)
        if self.happening is None:
            self.happening = asyncio.ensure_future(self._then())
            await asyncio.wait([self.happening], timeout=self._held_s)
        return found


@pytest.mark.parametrize("ending", ["blocked", "room_read_only"])
async def test_nothing_is_sent_after_a_block_or_the_end(
    context: Context,
    seller: Person,
    buyer: Person,
    listing: UUID,
    room: str,
    ending: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def end() -> httpx.Response:
        if ending == "blocked":
            return await seller.put(f"/v1/accounts/{buyer.id}/block")
        return await seller.delete(f"/v1/listings/{listing}")

    has_one_writer = context.database.is_sqlite
    looked = Meanwhile(service._check, end, held_s=HELD_S if has_one_writer else PATIENCE_S)
    monkeypatch.setattr(service, "_check", looked)
    sent = await buyer.post(f"/v1/chatrooms/{room}/messages", message())
    assert looked.happening is not None
    assert (await looked.happening).status_code == 204
    if context.database.is_sqlite:
        assert sent.status_code == 201
    else:
        problem(sent, 403 if ending == "blocked" else 409, ending)


async def test_a_message_deleted_twice_at_once_is_deleted(
    buyer: Person, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await say(buyer, room)
    path = f"/v1/chatrooms/{room}/messages/2"
    looked = Meanwhile(repository.message, lambda: buyer.delete(path))
    monkeypatch.setattr(repository, "message", looked)
    assert (await buyer.delete(path)).status_code == 204
    assert looked.happening is not None
    assert (await looked.happening).status_code == 204


async def moments(context: Context, room: str) -> tuple[list[datetime], list[datetime]]:
    """When the messages of a room were made, in their order; where its list entries stand."""
    async with reading(context) as work:
        made = await work.rows(
            select(Message.created_at).where(Message.room_id == UUID(room)).order_by(Message.seq)
        )
        active = await work.rows(
            select(Room.active_at)
            .where(Room.id == UUID(room))
            .union_all(select(Member.active_at).where(Member.room_id == UUID(room)))
        )
    return [row[0] for row in made], [row[0] for row in active]


async def test_time_never_goes_back_in_a_room(
    context: Context,
    clock: MovableClock,
    seller: Person,
    buyer: Person,
    listing: UUID,
    room: str,
) -> None:
    """Who waited for the room began before who was in it: here the clock itself is set back."""

    async def log(work: UnitOfWork) -> Any:
        return await append(work, [Post(UUID(room), buyer.id, uuid4(), uuid4(), "plain", "print")])

    async def tell_elsewhere(work: UnitOfWork) -> Any:
        await chat.post_elsewhere(
            work, listing, event="news", actor_id=seller.id, text="News.", data={}
        )

    answers = []
    for number in range(2):
        clock.advance(timedelta(seconds=-number))
        for person in (buyer, seller):
            answers.append((await say(person, room))["created_at"])
            clock.advance(timedelta(seconds=-1))
        assert None not in await transact(context, None, log)
        clock.advance(timedelta(seconds=-1))
        await transact(context, None, tell_elsewhere)
    made, active = await moments(context, room)
    assert made == [made[0]] * len(made)
    assert active == [made[-1]] * 3
    assert answers == [answers[0]] * len(answers)
    figures = await transact(
        context, None, lambda work: repository.response_times(work, seller.id, made[0] - HOUR)
    )
    assert figures == [(made[0], made[0])]

    clock.advance(HOUR)
    assert None not in await transact(context, None, log)
    made, active = await moments(context, room)
    assert made[-1] > made[0]
    assert active == [made[-1]] * 3
