import asyncio
import socket
from pathlib import Path
from uuid import uuid4

import pytest
from websockets.asyncio.client import ClientConnection

from client_tui.core import session
from client_tui.core.cache import Cache
from client_tui.core.errors import Disconnected
from client_tui.core.line import open_line
from client_tui.core.status import LineState
from tests.client.core.fakes import (
    ME,
    ROOM,
    FakeServer,
    event,
    welcome,
)
from tests.client.core.session_world import World, running
from tests.quiet import PATIENCE_S


async def test_forty_silent_seconds_mean_reconnect(world: World) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        await world.clock.advance(39)
        assert world.session.status.state is LineState.ONLINE
        await world.clock.advance(2)
        await peer.gone()
        status = await world.heard.until_state(LineState.RECONNECTING)
    assert status.reason == "the server has gone silent"


async def test_a_head_that_stays_ahead_for_five_seconds_means_reconnect(world: World) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        await peer.send({"t": "ping", "n": 1, "pos": 4})
        await peer.receive()
        await world.clock.advance(4)
        await peer.send(event(4))
        await world.heard.until_applied(4)
        await world.clock.advance(6)
        assert world.session.status.state is LineState.ONLINE
        await peer.send({"t": "ping", "n": 2, "pos": 9})
        await peer.receive()
        await world.clock.advance(7)
        await peer.gone()


async def test_tries_wait_twice_as_long_each_time_up_to_half_a_minute(world: World) -> None:
    waits = []
    async with running(world):
        for _ in range(9):
            peer = await world.server.peer()
            await peer.close(1011)
            await world.heard.until_state(LineState.OFFLINE)
            retry_at = world.session.status.retry_at
            assert retry_at is not None
            waits.append(retry_at - world.clock.monotonic())
            world.heard.statuses.clear()
            await world.clock.advance(waits[-1])
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


async def test_a_minute_of_quiet_makes_the_waits_short_again(world: World) -> None:
    await world.past(3)
    async with running(world):
        for _ in range(3):
            await (await world.server.peer()).close(1011)
            await world.heard.until_state(LineState.OFFLINE)
            world.heard.statuses.clear()
            await world.clock.advance(4)
        peer = await world.greeted(pos=3)
        await world.clock.advance(30)
        await peer.send({"t": "ping", "n": 1, "pos": 3})
        await peer.receive()
        await world.clock.advance(31)
        await peer.close(1011)
        status = await world.heard.until_state(LineState.RECONNECTING)
    assert status.retry_at == pytest.approx(world.clock.monotonic() + 0.5)


async def test_a_draining_server_says_when_to_come_back(world: World) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        await peer.send({"t": "bye", "reconnect_in_ms": 12_500, "reason": "draining"})
        await peer.close(4000)
        status = await world.heard.until_state(LineState.RECONNECTING)
        assert status.retry_at == pytest.approx(12.5)
        assert status.reason == "the server restarts"
        await world.clock.advance(12.5)
        await world.greeted(pos=3)


async def test_a_busy_server_says_when_to_come_back_also_before_it_is_greeted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def open_line_that_ends(server: str, token: str) -> ClientConnection:
        line = await open_line(server, token)
        await line.wait_closed()
        return line

    monkeypatch.setattr(session, "open_line", open_line_that_ends)
    async with running(world):
        peer = await world.server.peer()
        await peer.send({"t": "bye", "reconnect_in_ms": 12_500, "reason": "busy"})
        await peer.close(4000)
        status = await world.heard.until_state(LineState.OFFLINE)
        assert status.retry_at == pytest.approx(12.5)
        assert status.reason == "the server is busy"


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        (4500, LineState.SIGNED_OUT, "signed out"),
        (4501, LineState.OFFLINE, "did not understand"),
        (4502, LineState.OFFLINE, "another version"),
        (4503, LineState.OFFLINE, "too many devices"),
        (4504, LineState.OFFLINE, "suspended"),
        (4999, LineState.OFFLINE, "wants no connection (4999)"),
    ],
)
async def test_codes_from_4500_are_final_and_say_why(
    world: World, code: int, state: LineState, reason: str
) -> None:
    running = asyncio.create_task(world.session.run())
    await (await world.server.peer()).close(code)
    await asyncio.wait_for(running, PATIENCE_S)
    assert world.session.status.state is state
    assert world.session.status.retry_at is None
    assert reason in world.session.status.reason


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1012, 4000, 4001, 4002, 4003, 4006, 4499])
async def test_all_other_codes_are_tried_again(world: World, code: int) -> None:
    async with running(world):
        peer = await world.server.peer()
        if code == 1006:
            peer.socket.transport.abort()
        else:
            await peer.close(code)
        status = await world.heard.until_state(LineState.OFFLINE)
    assert status.retry_at is not None


async def test_a_line_that_was_closed_is_offline_until_it_is_welcomed_again(world: World) -> None:
    await world.past(3)
    async with running(world):
        await world.greeted(pos=3)
    world.heard.statuses.clear()
    async with running(world):
        peer = await world.server.peer()
        assert (await peer.receive())["t"] == "hello"
        with pytest.raises(Disconnected):
            await world.session.send(ROOM, uuid4(), "too early")
        await peer.send(welcome(3, resumed=True))
        await world.heard.until_state(LineState.ONLINE)


async def test_a_person_need_not_wait_for_the_next_try(world: World) -> None:
    async with running(world):
        await (await world.server.peer()).close(1011)
        await world.heard.until_state(LineState.OFFLINE)
        world.session.retry_now()
        await world.server.peer()


async def test_where_nobody_listens_the_line_is_offline_and_tries_again(tmp_path: Path) -> None:
    cache, server = await Cache(tmp_path / "cache.db", ME).open(), FakeServer()
    with socket.socket() as taken:  # by nobody else meanwhile
        taken.bind(("127.0.0.1", 0))
        server.url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        world = World(server, cache)
        async with running(world):
            status = await world.heard.until_state(LineState.OFFLINE)
    await cache.close()
    assert status.reason == "the server was not reached"
    assert status.retry_at == pytest.approx(0.5)


async def test_a_message_without_an_answer_for_a_minute_means_reconnect(world: World) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        sending = asyncio.create_task(world.session.send(uuid4(), uuid4(), "are you there?"))
        await peer.receive()
        for number in range(1, 4):
            await world.clock.advance(19)
            await peer.send({"t": "ping", "n": number, "pos": 3})
            assert (await peer.receive())["t"] == "pong"
            assert world.session.unanswered_s() == pytest.approx(19 * number)
        assert not sending.done()
        await world.clock.advance(4)
        await peer.gone()
        with pytest.raises(Disconnected):
            await sending
        status = await world.heard.until_state(LineState.RECONNECTING)
    assert status.reason == "the server does not answer"
    assert world.session.unanswered_s() == 0
