"""Search within one's own messages, in an index that is filled after the fact.

Sending writes nothing for it: the worker indexes what was sent, and a search first indexes what
its account's rooms still lack, so that a message is found as soon as it is acknowledged.
"""

import asyncio
import time
from contextlib import suppress
from functools import partial
from uuid import UUID

from server.chat import repository, views
from server.platform.context import Actor, Context
from server.platform.errors import Conflict, NotFound
from server.platform.pages import read_page
from server.platform.rates import Rate
from server.platform.unit_of_work import UnitOfWork, reading, transact
from shared_models.base import Page
from shared_models.chat import Message

_SEARCHES = Rate("message_searches", burst=60, per_second=10)
_BATCH = 200
_BATCH_BESIDE, _RESTS = 50, 3
"""The worker's batches are short, and it rests for so many times as long as each has taken."""
_BATCHES_A_SEARCH = 10
_ROOMS_AT_ONCE = 2_000
_FIRST_ID = UUID(int=0)


async def catch_up(context: Context, actor: Actor) -> None:
    """Index what the actor's rooms still lack, up to 2,000 messages: the rest is the worker's.

    429 to who searches too fast.
    """
    context.rates.take(_SEARCHES, str(actor.account_id))
    for _ in range(_BATCHES_A_SEARCH):
        async with reading(context, actor) as work:
            behind = await repository.rooms_behind(work, actor.account_id, _BATCH)
        if not behind:
            return
        with suppress(Conflict):  # somebody else is indexing the same
            if await _index(context, behind, _BATCH) < _BATCH:
                return


async def page(
    work: UnitOfWork, q: str, room_id: UUID | None, limit: int, cursor: str | None
) -> Page[Message]:
    """A page of the actor's messages with all words of ``q``, newest first; of one room, if given.

    404 for a stranger's room.
    """
    me = work.actor.account_id
    if room_id is not None and await repository.room(work, room_id, me) is None:
        raise NotFound("chatroom")
    found, next_cursor = await read_page(
        partial(repository.found_page, work, me, q, room_id),
        limit,
        cursor,
        secret=work.context.secret,
        scope=f"messages:{room_id}:{q}",
        key=lambda one: (one.place,),
    )
    items = [views.message_of(one.message, me) for one in found]
    return Page[Message](items=items, next_cursor=next_cursor)


async def index_all(context: Context) -> None:
    """Index whatever is not indexed yet, a batch a transaction, and most of the time not: who sends
    waits for the database, and in one process for the processor too.
    """
    last_id: UUID | None = _FIRST_ID
    while last_id is not None:
        async with reading(context) as work:
            rooms = await repository.rooms_after(work, last_id, _ROOMS_AT_ONCE)
        behind = [room.id for room in rooms if room.behind]
        with suppress(Conflict):  # somebody else is indexing them
            while behind:
                began = time.monotonic()
                if await _index(context, behind, _BATCH_BESIDE) < _BATCH_BESIDE:
                    break
                await asyncio.sleep(_RESTS * (time.monotonic() - began))
        last_id = rooms[-1].id if len(rooms) == _ROOMS_AT_ONCE else None


async def _index(context: Context, room_ids: list[UUID], most: int) -> int:
    return await transact(
        context, None, lambda work: repository.index_messages(work, room_ids, most)
    )
