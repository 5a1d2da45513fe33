"""A read mark: what is left unread is right, and costs the step and not the room."""

from itertools import count
from uuid import UUID

import pytest
from sqlalchemy import update

from server.chat import service
from server.chat.api import ImportedMessage, import_messages
from server.chat.tables import Member
from server.platform.context import Actor, Context
from server.platform.sqlite_connection import driver_connection
from server.platform.unit_of_work import UnitOfWork, transact
from tests.server.chat.conftest import say
from tests.server.conftest import START, Person

STEP = 10
_LOOKED_AT = """
SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables
WHERE relname = 'chat_message'
"""


async def test_what_is_left_is_what_others_said_after_the_mark(
    seller: Person, buyer: Person, room: str
) -> None:
    by_others = []
    for number in range(24):
        writer = (buyer, buyer, seller)[number % 3]
        seq = (await say(writer, room))["seq"]
        by_others += [seq] if writer is buyer else []
    for mark in (3, 5, 6, 12, 23, 24):
        answer = await seller.put(f"/v1/chatrooms/{room}/read", {"seq": mark})
        left = len([seq for seq in by_others if seq > mark])
        assert (answer.json()["seq"], answer.json()["unread"]) == (mark, left)


@pytest.mark.parametrize("at_the_end", [False, True])
async def test_a_step_costs_the_same_with_any_number_unread(
    context: Context, seller: Person, buyer: Person, room: str, at_the_end: bool
) -> None:
    costs, last = [], 1
    for number in 50, 5_000:
        await all_unread(context, seller, buyer, UUID(room), number, last)
        last += number
        first = last - 2 * STEP if at_the_end else last - number + STEP
        costs.append(await effort_of_a_step(context, seller, UUID(room), first))
    assert costs[0] >= STEP
    assert costs[1] <= 1.5 * costs[0]


async def all_unread(
    context: Context, reader: Person, writer: Person, room_id: UUID, number: int, last: int
) -> None:
    """So many messages that the reader has not read, after the last one."""

    async def write(work: UnitOfWork) -> None:
        said = [ImportedMessage(writer.id, "Hello!", START) for _ in range(number)]
        await import_messages(work, room_id, said)
        mine = (Member.room_id == room_id, Member.account_id == reader.id)
        await work.execute(update(Member).where(*mine).values(read_seq=last, unread=number))

    await transact(context, None, write)


async def effort_of_a_step(context: Context, reader: Person, room_id: UUID, first: int) -> float:
    """What the database does for a mark that moves from there by a step: steps of SQLite's
    machine, or messages looked at.
    """

    async def run(work: UnitOfWork) -> float:
        await service.mark_read(work, room_id, first)
        if not work.is_sqlite:
            before = (await work.postgresql_rows(_LOOKED_AT))[0][0]
            await service.mark_read(work, room_id, first + STEP)
            return float((await work.postgresql_rows(_LOOKED_AT))[0][0] - before)
        steps = count(0)
        driver = driver_connection(work.connection)
        driver.set_progress_handler(lambda: next(steps) < 0, 1)
        await service.mark_read(work, room_id, first + STEP)
        driver.set_progress_handler(None, 0)
        return next(steps)

    return await transact(context, Actor(reader.id, reader.session_id), run)
