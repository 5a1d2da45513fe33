"""What sockets send: together where nothing but counters changes, by all the rules elsewhere."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from server.chat import api as chat
from server.chat import sending
from server.chat.repository import Appended, Post, append
from server.chat.sending import append_plain
from server.chat.tables import Member, Message, Room
from server.notifications.tables import Notification
from server.platform.context import Actor, Context
from server.platform.errors import Refusal
from server.platform.tables import StreamEvent
from server.platform.unit_of_work import UnitOfWork, reading, transact
from shared_models.chat import SendMessage
from tests.server.chat.conftest import OpenRoom, Sell, Upload1, say
from tests.server.conftest import PATIENCE_S as LOCKS_ASKED_S
from tests.server.conftest import Person, SignUpPerson

LINK = "look at https://example.com/there"
PATIENCE_S = 60
AT_ONCE_S = LOCKS_ASKED_S / 2
"""While who waits for a lock still asks for it."""
WARNED = "Call me: 010-1234-5678"
WAITING = """SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> $1"""


def text(words: str, **fields: Any) -> SendMessage:
    return SendMessage(cid=uuid4(), text=words, **fields)


async def send(
    context: Context, person: Person, room: str, *messages: SendMessage
) -> list[chat.Sent | Exception]:
    line = context.wiring.port(chat.SendLine)
    actor = Actor(person.id, person.session_id)
    return await line.send(actor, [(UUID(room), message) for message in messages])


def seqs(answers: Sequence[chat.Sent | Exception]) -> list[int]:
    return [answer.message.seq for answer in answers if isinstance(answer, chat.Sent)]


def codes(answers: Sequence[chat.Sent | Exception]) -> list[str]:
    return [answer.code for answer in answers if isinstance(answer, Refusal)]


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many messages each commit holds."""
    sizes: list[int] = []

    async def counted(work: UnitOfWork, posts: Sequence[Post]) -> list[chat.Sent | None]:
        sizes.append(len(posts))
        return await append_plain(work, posts)

    monkeypatch.setattr(sending, "append_plain", counted)
    return sizes


@pytest.fixture
def pause_ends(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Until it is set, nothing is committed after a commit that several share."""
    event, sleep = asyncio.Event(), asyncio.sleep

    async def pause(seconds: float) -> None:
        await (event.wait() if seconds > PATIENCE_S else sleep(seconds))

    monkeypatch.setattr(sending, "_APART_S", 3600.0)
    monkeypatch.setattr(asyncio, "sleep", pause)
    return event


@pytest.fixture
async def talk(seller: Person, buyer: Person, room: str) -> str:
    """A room in which both have written and read, so that what follows is plain."""
    await say(buyer, room, "Is it still there?")
    await say(seller, room, "It is.")
    for person in (buyer, seller):
        await person.put(f"/v1/chatrooms/{room}/read", {"seq": 3})
    return room


async def appended(
    context: Context, person: Person, room: str, *messages: SendMessage
) -> list[Appended | None]:
    """What the log itself takes as plain."""
    posts = [
        Post(UUID(room), person.id, message.cid, uuid4(), message.text, "print")
        for message in messages
    ]

    async def run(work: UnitOfWork) -> list[Appended | None]:
        return await append(work, posts)

    return await transact(context, None, run)


async def test_plain_messages_are_numbered_in_their_order_and_told_once(
    context: Context, seller: Person, buyer: Person, talk: str
) -> None:
    answers = await send(context, buyer, talk, text("one"), text("two"), text("three"))
    assert seqs(answers) == [4, 5, 6]
    page = (await seller.get(f"/v1/chatrooms/{talk}/messages?after=3")).json()
    assert [(item["seq"], item["text"]) for item in page["items"]] == [
        (4, "one"),
        (5, "two"),
        (6, "three"),
    ]
    room = (await seller.get(f"/v1/chatrooms/{talk}")).json()
    assert (room["unread"], room["last_seq"], room["last_message"]["text"]) == (3, 6, "three")
    async with reading(context) as work:
        notices = await work.rows(
            select(Notification.text).where(
                Notification.account_id == seller.id, Notification.event == "message_new"
            )
        )
        heard = await work.rows(
            select(StreamEvent.pos, StreamEvent.kind)
            .where(StreamEvent.stream_id == seller.id)
            .order_by(StreamEvent.pos)
        )
    assert [row.text for row in notices if "one" in row.text] == ["one"]
    assert not [row.text for row in notices if "two" in row.text or "three" in row.text]
    kinds = [row.kind for row in heard]
    assert kinds[-4:] == ["message.new", "message.new", "message.new", "notification.new"]
    assert [row.pos for row in heard] == list(range(1, len(heard) + 1))


async def test_both_sides_and_many_rooms_in_one_commit_keep_every_counter(
    context: Context,
    seller: Person,
    sign_up: SignUpPerson,
    sell: Sell,
    open_room: OpenRoom,
) -> None:
    posts: list[Post] = []
    rooms = []
    for number in range(3):
        buyer = await sign_up(f"buyer_{number}")
        room = await open_room(buyer, await sell(seller))
        await say(buyer, room, "hello")
        await say(seller, room, "hello")
        rooms.append(room)
        for turn in range(4):
            person = (buyer, seller)[turn % 2]
            posts.append(Post(UUID(room), person.id, uuid4(), uuid4(), f"{turn}", "print"))

    async def run(work: UnitOfWork) -> list[Appended | None]:
        return await append(work, posts[::-1])

    stored = await transact(context, None, run)
    assert [row.seq for row in stored if row] == [4, 5, 6, 7] * 3
    async with reading(context) as work:
        for room in rooms:
            rows = await work.rows(
                select(Message.seq, Message.actor_id).where(Message.room_id == UUID(room))
            )
            assert sorted(row.seq for row in rows) == list(range(1, 8))
            last = await work.scalar(select(Room.last_seq).where(Room.id == UUID(room)))
            assert last == 7
            for member in await work.rows(
                select(Member.account_id, Member.unread, Member.read_seq).where(
                    Member.room_id == UUID(room)
                )
            ):
                unread = [
                    row
                    for row in rows
                    if row.seq > member.read_seq and row.actor_id != member.account_id
                ]
                assert member.unread == len(unread)


async def test_the_log_takes_nothing_that_is_more_than_counters(
    context: Context, seller: Person, buyer: Person, stranger: Person, room: str
) -> None:
    assert await appended(context, buyer, room, text("the first question")) == [None]
    await say(buyer, room)
    assert await appended(context, seller, room, text("the first answer")) == [None]
    await say(seller, room)
    assert await appended(context, stranger, room, text("let me in")) == [None]
    first = text("plain")
    assert None not in await appended(context, buyer, room, first)
    assert await appended(context, buyer, room, first, text("after it")) == [None, None]
    twice = text("twice")
    once, again = await appended(context, buyer, room, twice, twice)
    assert once is not None
    assert again is None
    await seller.put(f"/v1/accounts/{buyer.id}/block")
    assert await appended(context, buyer, room, text("blocked")) == [None]
    await seller.delete(f"/v1/accounts/{buyer.id}/block")
    assert None not in await appended(context, buyer, room, text("and not"))
    await seller.post(f"/v1/chatrooms/{room}/leave")
    assert await appended(context, buyer, room, text("who had left is back")) == [None]


async def test_who_is_muted_gets_no_news_and_only_the_first_unread_is_any(
    context: Context, seller: Person, buyer: Person, talk: str
) -> None:
    stored = await appended(context, buyer, talk, text("one"), text("two"))
    assert [row and row.news for row in stored] == [True, False]
    await seller.put(f"/v1/chatrooms/{talk}/read", {"seq": 5})
    await seller.put(f"/v1/chatrooms/{talk}/mute")
    assert [row and row.news for row in await appended(context, buyer, talk, text("3"))] == [False]


async def test_what_is_not_plain_keeps_its_place_among_what_is(
    context: Context, seller: Person, buyer: Person, talk: str, upload: Upload1
) -> None:
    photo = SendMessage(cid=uuid4(), photo_ids=[UUID(await upload(buyer))])
    repeated = text("one")
    answers = await send(
        context,
        buyer,
        talk,
        repeated,
        photo,
        text("two"),
        text(LINK),
        text("three"),
        repeated,
        SendMessage(cid=repeated.cid, text="something else"),
        text(WARNED),
        text(WARNED, confirmed=True),
        text("four"),
    )
    assert codes(answers) == ["message_blocked", "cid_conflict", "confirm_needed"]
    assert seqs(answers) == [4, 5, 6, 7, 4, 8, 9]
    duplicates = [answer.duplicate for answer in answers if isinstance(answer, chat.Sent)]
    assert duplicates == [False, False, False, False, True, False, False]


async def test_a_refusal_is_answered_for_its_message_alone(
    context: Context, buyer: Person, stranger: Person, talk: str
) -> None:
    answers = await send(context, stranger, talk, text("let me in"))
    assert codes(answers) == ["not_found"]
    assert seqs(await send(context, buyer, talk, text("still here"))) == [4]


async def test_a_database_that_is_away_is_answered_for_every_message(
    context: Context, buyer: Person, talk: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> Any:
        raise OSError("away")

    with monkeypatch.context() as patch:
        patch.setattr(type(context.database.writer), "begin", away)
        answers = await send(context, buyer, talk, text("one"), text("two"))
        assert [type(answer) for answer in answers] == [OSError, OSError]
    assert seqs(await send(context, buyer, talk, text("three"))) == [4]


@pytest.fixture
async def other(seller: Person, stranger: Person, sell: Sell, open_room: OpenRoom) -> str:
    """Another room of the same seller, in which what follows is plain too."""
    room = await open_room(stranger, await sell(seller))
    await say(stranger, room)
    await say(seller, room)
    return room


async def until_one_waits(context: Context, *, but: int = 0) -> None:
    """Until one of the database's processes waits for a lock, other than that one."""
    async with context.database.reader.connect() as looking:
        while (await looking.exec_driver_sql(WAITING, (but,))).scalar() is None:
            pass  # asking lets it go on


async def who_writes_together(context: Context) -> int:
    """The process of the one connection by which several send together."""
    async with context.database.impatient.connect() as connection:
        return int((await connection.exec_driver_sql("SELECT pg_backend_pid()")).scalar_one())


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("held", ["chat_room", "platform_stream"])
async def test_what_somebody_holds_for_long_holds_up_no_other_room(
    context: Context, buyer: Person, stranger: Person, talk: str, other: str, held: str
) -> None:
    async with context.database.writer.connect() as holder:
        which = UUID(talk) if held == "chat_room" else buyer.id
        await holder.exec_driver_sql(f"SELECT 1 FROM {held} WHERE id = $1 FOR UPDATE", (which,))
        waiting = asyncio.create_task(send(context, buyer, talk, text("waits")))
        await until_one_waits(context)
        async with asyncio.timeout(AT_ONCE_S):
            assert seqs(await send(context, stranger, other, text("goes on"))) == [4]
        await holder.rollback()
        assert seqs(await waiting) == [4]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_waits_for_a_stream_gives_back_the_other_partys(
    context: Context, seller: Person, buyer: Person, stranger: Person, talk: str, other: str
) -> None:
    """Both messages tell the seller, whose stream is locked before the one that is held."""
    assert seller.id < buyer.id
    together = await who_writes_together(context)
    async with context.database.writer.connect() as holder:
        await holder.exec_driver_sql(
            "SELECT 1 FROM platform_stream WHERE id = $1 FOR UPDATE", (buyer.id,)
        )
        waiting = asyncio.create_task(send(context, buyer, talk, text("waits")))
        await until_one_waits(context, but=together)  # that gives up soon, perhaps unseen
        async with asyncio.timeout(AT_ONCE_S):
            assert seqs(await send(context, stranger, other, text("goes on"))) == [4]
        assert not waiting.done()
        await holder.rollback()
        assert seqs(await waiting) == [4]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_room_that_somebody_holds_is_left_out_of_what_goes_in_together(
    context: Context, buyer: Person, stranger: Person, talk: str, other: str
) -> None:
    posts = [
        Post(UUID(room), person.id, uuid4(), uuid4(), "hello", "")
        for room, person in ((talk, buyer), (other, stranger))
    ]
    async with context.database.writer.connect() as holder:
        await holder.exec_driver_sql(
            "SELECT 1 FROM chat_room WHERE id = $1 FOR UPDATE", (UUID(talk),)
        )
        held, free = await transact(context, None, lambda work: append(work, posts))
        await holder.rollback()
    assert held is None
    assert free is not None
    assert free.seq == 4


async def test_after_a_commit_that_several_share_the_next_waits_for_more(
    context: Context,
    seller: Person,
    buyer: Person,
    talk: str,
    commits: list[int],
    pause_ends: asyncio.Event,
) -> None:
    async def in_turn(*people: Person) -> None:
        for person in people:
            answers = await send(context, person, talk, text("Hello"))
            assert len(seqs(answers)) == 1

    await asyncio.gather(in_turn(buyer), in_turn(seller))
    first = asyncio.create_task(in_turn(buyer))
    await say(seller, talk, "Without a pause, the other one would be written beside this one.")
    second = asyncio.create_task(in_turn(seller))
    await asyncio.sleep(0)
    assert commits == [2]
    pause_ends.set()
    await asyncio.gather(first, second)
    assert commits == [2, 2]


async def test_who_sends_alone_waits_for_nobody(
    context: Context,
    buyer: Person,
    talk: str,
    commits: list[int],
    pause_ends: asyncio.Event,
) -> None:
    for _ in range(5):
        await send(context, buyer, talk, text("Hello"), text("again"))
    assert commits == [2] * 5
