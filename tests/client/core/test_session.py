from typing import cast

import pytest

from client_tui.core.changes import Change, Position
from client_tui.core.errors import ServerUnreachable
from client_tui.core.status import LineState
from tests.client.core.fakes import (
    EPOCH,
    ROOM,
    bootstrap,
    event,
    new_message,
    room,
    welcome,
)
from tests.client.core.session_world import World, running


async def test_the_first_hello_names_no_position_and_the_state_comes_from_a_bootstrap(
    world: World,
) -> None:
    world.bootstraps = [bootstrap(7, [room()])]
    async with running(world):
        peer = await world.server.peer()
        hello = await peer.receive()
        await peer.send(welcome(7, resumed=False))
        await world.heard.until_state(LineState.ONLINE)
        await peer.send(event(8))
        await world.heard.until_applied(8)
    assert hello["t"] == "hello"
    assert "pos" not in hello
    assert peer.socket.request is not None
    assert peer.socket.request.headers["Authorization"] == "Bearer token"
    assert [state.pos for state in world.heard.states] == [7]
    assert await world.cache.position() == Position(str(EPOCH), 8)


async def test_a_resume_names_the_position_and_applies_batches_in_order(world: World) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.server.peer()
        hello = await peer.receive()
        await peer.send(
            welcome(6, resumed=True),
            {"t": "batch", "events": [event(4), event(5)], "more": True},
            {"t": "batch", "events": [event(6)], "more": False},
            event(7),
        )
        await world.heard.until_applied(7)
    assert (hello["epoch"], hello["pos"]) == (str(EPOCH), 3)
    assert [change.pos for change in world.heard.changes] == [4, 5, 6, 7]
    assert [kept.seq for kept in await world.cache.messages(ROOM)] == [4, 5, 6, 7]


async def test_an_event_seen_twice_is_applied_once(world: World) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        await peer.send(event(3), event(4), event(4), event(5))
        await world.heard.until_applied(5)
    assert [change.pos for change in world.heard.changes] == [4, 5]


async def test_a_lost_event_makes_it_resume_from_the_last_applied_one(world: World) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        await peer.send(event(4))
        await world.heard.until_applied(4)
        await peer.send(event(6))
        await peer.gone()
        await world.heard.until_state(LineState.RECONNECTING)
        await world.clock.advance(0.5)
        again = await world.server.peer()
        hello = await again.receive()
    assert hello["pos"] == 4
    assert [change.pos for change in world.heard.changes] == [4]


async def test_a_reset_takes_a_bootstrap_and_drops_events_up_to_its_position(
    world: World,
) -> None:
    await world.past(3)
    world.bootstraps = [bootstrap(102, [room()])]
    async with running(world):
        peer = await world.server.peer()
        await peer.receive()
        await peer.send(
            {"t": "reset", "reason": "too_far"},
            welcome(100, resumed=False),
            *(event(pos) for pos in (101, 102, 103)),
        )
        await world.heard.until_applied(103)
    assert [change.pos for change in world.heard.changes] == [103]
    assert await world.cache.position() == Position(str(EPOCH), 103)
    assert [kept.seq for kept in await world.cache.messages(ROOM)] == [103]


async def test_a_bootstrap_that_fails_is_tried_again_with_a_new_connection(world: World) -> None:
    world.bootstraps = [ServerUnreachable(world.server.url, "gone"), bootstrap(0)]
    async with running(world):
        peer = await world.server.peer()
        await peer.receive()
        await peer.send(welcome(0, resumed=False))
        await peer.gone()
        await world.heard.until_state(LineState.OFFLINE)
        await world.clock.advance(0.5)
        await world.greeted(pos=0, resumed=False)
    assert await world.cache.position() == Position(str(EPOCH), 0)


async def test_what_cannot_be_read_is_made_good_by_a_bootstrap(world: World) -> None:
    await world.past(3)
    world.bootstraps = [bootstrap(4)]
    async with running(world):
        peer = await world.greeted(pos=3)
        await peer.send({"t": "event", "pos": 4, "kind": "message.new", "data": {"seq": "?"}})
        await peer.gone()
        await world.heard.until_state(LineState.RECONNECTING)
        await world.clock.advance(0.5)
        again = await world.server.peer()
        assert "pos" not in await again.receive()
        await again.send(welcome(4, resumed=False))
        await world.heard.until_state(LineState.ONLINE)


async def test_kinds_of_events_from_the_future_are_counted_and_frames_ignored(
    world: World,
) -> None:
    await world.past(3)
    async with running(world):
        peer = await world.greeted(pos=3)
        await peer.send(
            {"t": "confetti", "n": 1},
            {"t": "event", "pos": 4, "kind": "auction.started", "data": {}},
            event(5),
        )
        await world.heard.until_applied(5)
    assert world.heard.changes[0].data is None


async def test_the_position_on_disk_is_never_ahead_of_what_was_applied(world: World) -> None:
    """R4: an event and its position are one transaction, so a crash between them is none."""
    await world.past(3)
    with pytest.raises(AttributeError):
        await world.cache.apply(str(EPOCH), [new_message(4), cast(Change, _Unreadable())])
    assert await world.cache.position() == Position(str(EPOCH), 3)
    assert await world.cache.messages(ROOM) == []


class _Unreadable:
    pos = 5

    @property
    def data(self) -> None:
        raise AttributeError("the disk failed here")
