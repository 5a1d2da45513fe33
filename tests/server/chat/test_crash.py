"""A crash between any two statements leaves all of an action, or nothing of it."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, select

from migrations.metadata import metadata
from server.chat import api as chat
from server.chat.repository import Post
from server.chat.sending import append_plain
from server.platform.context import Actor, Context
from server.platform.unit_of_work import UnitOfWork, reading, transact
from shared_models.chat import SendMessage
from tests.server.chat.conftest import Upload1, say
from tests.server.conftest import Person
from tests.server.statements import before_each_statement


class Crash(Exception):
    """The process ends here."""


@contextmanager
def crash_at(context: Context, number: int) -> Iterator[list[str]]:
    """Crash before the n-th statement; the commit counts as the last one."""
    engine = context.database.writer.sync_engine
    seen: list[str] = []

    def step(statement: str) -> None:
        seen.append(statement)
        if len(seen) == number:
            raise Crash

    def before_commit(_c: Any) -> None:
        step("COMMIT")

    event.listen(engine, "commit", before_commit)
    try:
        with before_each_statement(context.database, step):
            yield seen
    finally:
        event.remove(engine, "commit", before_commit)


async def everything(context: Context) -> dict[str, list[str]]:
    """Every row of every table."""
    async with reading(context) as work:
        return {
            table.name: sorted(map(repr, await work.rows(select(table))))
            for table in metadata.sorted_tables
        }


async def check_all_or_nothing(
    context: Context,
    actor: Person,
    action: Callable[[UnitOfWork], Awaitable[Any]],
    changed: set[str],
    *,
    least: int = 5,
) -> None:
    """Crash at every statement; then let it through, and see that all these tables changed."""
    who = Actor(actor.id, actor.session_id)
    before = await everything(context)
    for number in range(1, 100):
        with crash_at(context, number) as seen:
            try:
                await transact(context, who, action)
            except Crash:
                assert await everything(context) == before, f"half done at {seen[-1]}"
                continue
        assert seen[-1] == "COMMIT"
        assert number > least
        break
    after = await everything(context)
    assert {name for name in after if after[name] != before[name]} == changed


async def test_a_message_its_room_its_counters_and_its_events_are_one(
    context: Context, buyer: Person, room: str, upload: Upload1
) -> None:
    body = SendMessage(cid=uuid4(), text="hello", photo_ids=[UUID(await upload(buyer))])

    async def send(work: UnitOfWork) -> None:
        await chat.send(work, UUID(room), body)

    tables = {"chat_room", "chat_member", "chat_message", "media_upload"}
    streams = {"platform_stream", "platform_stream_event"}
    await check_all_or_nothing(context, buyer, send, tables | streams)


async def test_plain_messages_of_one_commit_are_one(
    context: Context, seller: Person, buyer: Person, room: str
) -> None:
    await say(buyer, room, "Is it still there?")
    await say(seller, room, "It is.")
    texts = ("I'll take it.", "When can we meet?")
    posts = [Post(UUID(room), buyer.id, uuid4(), uuid4(), text, "print") for text in texts]

    async def append(work: UnitOfWork) -> None:
        assert None not in await append_plain(work, posts)

    tables = {"chat_room", "chat_member", "chat_message"}
    streams = {"platform_stream", "platform_stream_event"}
    # On PostgreSQL messages, counters and heads are two statements.
    await check_all_or_nothing(context, buyer, append, tables | streams, least=3)


async def test_the_first_unread_message_and_its_notice_are_one(
    context: Context, seller: Person, buyer: Person, room: str
) -> None:
    await seller.put(f"/v1/chatrooms/{room}/read", {"seq": 1})

    async def send(work: UnitOfWork) -> None:
        await chat.send(work, UUID(room), SendMessage(cid=uuid4(), text="hello"))

    tables = {"chat_room", "chat_member", "chat_message", "notifications_notification"}
    streams = {"platform_stream", "platform_stream_event"}
    await check_all_or_nothing(context, buyer, send, tables | streams)


async def test_a_room_its_members_and_its_first_message_are_one(
    context: Context, buyer: Person, listing: UUID
) -> None:
    async def open_room(work: UnitOfWork) -> None:
        await chat.open_room(work, listing)

    tables = {"chat_room", "chat_member", "chat_message", "listings_listing"}
    streams = {"platform_stream", "platform_stream_event"}
    await check_all_or_nothing(context, buyer, open_room, tables | streams)


@pytest.mark.parametrize("seq", [1])
async def test_a_read_mark_and_its_event_are_one(
    context: Context, seller: Person, room: str, seq: int
) -> None:
    async def read(work: UnitOfWork) -> None:
        await chat.mark_read(work, UUID(room), seq)

    changed = {"chat_member", "platform_stream", "platform_stream_event"}
    await check_all_or_nothing(context, seller, read, changed)
