import asyncio
import gc
from uuid import uuid4

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosedError

from client_tui.core.errors import Disconnected, Invalid
from client_tui.core.status import LineState
from shared_models.realtime import Err, Ok
from tests.client.core.fakes import (
    ME,
    ROOM,
)
from tests.client.core.session_world import World, running


async def test_pings_are_answered(world: World) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        await peer.send({"t": "ping", "n": 9, "pos": 3})
        assert await peer.receive() == {"t": "pong", "n": 9}


async def test_an_answer_finds_the_message_it_belongs_to(world: World) -> None:
    await world.past(0)
    first, second = uuid4(), uuid4()
    async with running(world):
        peer = await world.greeted(pos=0)
        sends = [
            asyncio.create_task(world.session.send(ROOM, cid, "hello")) for cid in (first, second)
        ]
        frames = [await peer.receive(), await peer.receive()]
        await peer.send(
            {
                "t": "err",
                "id": frames[1]["id"],
                "code": "rate_limited",
                "retryable": True,
                "retry_ms": 200,
                "detail": "Too fast.",
            },
            {
                "t": "ok",
                "id": frames[0]["id"],
                "chatroom_id": str(ROOM),
                "cid": frames[0]["cid"],
                "seq": 1,
                "message_id": str(uuid4()),
                "created_at": "2026-11-19T14:02:00.000000Z",
                "duplicate": False,
            },
        )
        answers = await asyncio.gather(*sends)
    assert isinstance(answers[0], Ok)
    assert answers[0].cid == first
    assert isinstance(answers[1], Err)


async def test_a_message_without_an_answer_is_known_to_be_unanswered(world: World) -> None:
    await world.past(0)
    async with running(world):
        peer = await world.greeted(pos=0)
        sending = asyncio.create_task(world.session.send(ROOM, uuid4(), "hello"))
        await peer.receive()
        await peer.close(1011)
        with pytest.raises(Disconnected):
            await sending
        with pytest.raises(Disconnected):
            await world.session.send(ROOM, uuid4(), "offline")


async def test_who_still_sends_when_the_line_ends_leaves_no_error_that_nobody_takes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    missed: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: missed.append(told["message"]))
    ended = asyncio.Event()

    async def send_late(socket: ClientConnection, text: str) -> None:
        await ended.wait()
        raise ConnectionClosedError(None, None)

    await world.past(0)
    async with running(world):
        peer = await world.greeted(pos=0)
        monkeypatch.setattr(ClientConnection, "send", send_late)
        sending = asyncio.create_task(world.session.send(ROOM, uuid4(), "hello"))
        await peer.close(1011)
        await world.heard.until_state(LineState.RECONNECTING)
        ended.set()
        with pytest.raises(Disconnected):
            await sending
    del sending  # it holds what was raised, and that the frames it passed through
    gc.collect()
    assert missed == []


async def test_what_no_server_would_take_is_refused_before_it_is_sent(world: World) -> None:
    await world.past(0)
    async with running(world):
        await world.greeted(pos=0)
        for text in ("", "x" * 2001):
            with pytest.raises(Invalid):
                await world.session.send(ROOM, uuid4(), text)


async def test_read_marks_are_joined_kept_while_offline_and_sent_until_they_count(
    world: World,
) -> None:
    await world.past(0)
    world.session.mark_read(ROOM, 3)
    async with running(world):
        peer = await world.greeted(pos=0)
        assert await peer.receive() == {"t": "read", "chatroom_id": str(ROOM), "seq": 3}
        world.session.mark_read(ROOM, 4)
        world.session.mark_read(ROOM, 6)
        world.session.mark_read(ROOM, 5)
        await world.clock.advance(2)
        assert (await peer.receive())["seq"] == 6
        await peer.close(1011)
        await world.heard.until_state(LineState.RECONNECTING)
        await world.clock.advance(0.5)
        again = await world.greeted(pos=0)
        assert (await again.receive())["seq"] == 6
        mark = {"chatroom_id": str(ROOM), "account_id": str(ME), "seq": 6, "unread": 0}
        await again.send({"t": "event", "pos": 1, "kind": "chatroom.read", "data": mark})
        await world.heard.until_applied(1)
        await again.close(1011)
        await world.heard.until_state(LineState.RECONNECTING)
        await world.clock.advance(1)
        third = await world.greeted(pos=1)
        await third.send({"t": "ping", "n": 1, "pos": 1})
        assert (await third.receive())["t"] == "pong"


async def test_typing_is_said_at_most_every_three_seconds_and_never_offline(world: World) -> None:
    await world.past(0)
    await world.session.typing(ROOM, True)
    await world.clock.advance(3)
    async with running(world):
        peer = await world.greeted(pos=0)
        await world.session.typing(ROOM, True)
        await world.session.typing(ROOM, True)
        await world.clock.advance(3)
        await world.session.typing(ROOM, False)
        frames = [await peer.receive(), await peer.receive()]
    assert [frame["on"] for frame in frames] == [True, False]


async def test_rooms_looked_at_are_named_again_after_a_reconnect(world: World) -> None:
    await world.past(0)
    async with running(world):
        peer = await world.greeted(pos=0)
        await world.session.open(ROOM)
        assert (await peer.receive())["t"] == "open"
        await peer.close(1011)
        await world.heard.until_state(LineState.RECONNECTING)
        await world.clock.advance(0.5)
        again = await world.greeted(pos=0)
        assert await again.receive() == {"t": "open", "chatroom_id": str(ROOM)}


async def test_passing_news_is_handed_on(world: World) -> None:
    await world.past(0)
    async with running(world):
        peer = await world.greeted(pos=0)
        await peer.send(
            {
                "t": "ephemeral",
                "kind": "typing",
                "chatroom_id": str(ROOM),
                "data": {"on": True},
                "ttl_ms": 6000,
            }
        )
        await world.heard.until(lambda: bool(world.heard.ephemerals))
    assert world.heard.ephemerals[0].kind == "typing"
