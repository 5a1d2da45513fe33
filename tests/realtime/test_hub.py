"""What keeps a hub going: a bus that is away holds up no socket, and nothing ends its look at all
heads.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from itertools import pairwise
from random import Random
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from server.platform import streams, valkey_instance, valkey_line
from server.platform.bus import Hint
from server.platform.context import Context
from server.platform.streams import Position
from server.platform.unit_of_work import UnitOfWork
from server.platform.valkey_bus import ValkeyBus
from server.platform.valkey_instance import LOOK
from server.realtime.connection import Connection
from server.realtime.hub import Hub, Stream
from server.realtime.node import RealtimeNode
from server.realtime.settings import RealtimeSettings
from shared_models.realtime import Ephemeral
from tests.realtime.conftest import Connect, Person
from tests.realtime.model.virtual_time import VirtualLoop
from tests.server.chat.conftest import say
from tests.servers.lifetime import free_port

SOCKETS = 50
LOOKED_AT_S = 12
AT_ONCE_S = 10.0
"""Far less than one wait for each socket."""


@pytest.fixture(params=["dead", "silent"])
def bus_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Nobody is there, or somebody who takes connections and never says a word."""
    if request.param == "dead":
        yield f"redis://127.0.0.1:{free_port()}"
        return
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
async def hub(bus_url: str) -> AsyncIterator[Hub]:
    bus = ValkeyBus([bus_url])
    context = cast("Context", SimpleNamespace(bus=bus))
    hub = Hub(context, RealtimeSettings(), lambda: 0.5)
    yield hub
    for one in list(hub.connections()):
        await hub.leave(one)
    await bus.close()


def device(account_id: UUID) -> Connection:
    staying: Any = SimpleNamespace(account_id=account_id, writer=SimpleNamespace(closing=False))
    return cast("Connection", staying)


async def test_a_bus_that_is_away_holds_up_no_socket(hub: Hub) -> None:
    devices = [device(uuid4()) for _ in range(SOCKETS)]
    async with asyncio.timeout(AT_ONCE_S):
        await asyncio.gather(*(hub.join(one) for one in devices))
        await asyncio.gather(*(hub.leave(one) for one in devices))


async def test_nobody_waits_for_a_bus_that_is_known_to_be_away(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey_instance, "_JOIN_S", 10 * AT_ONCE_S)
    monkeypatch.setattr(valkey_line, "ANSWER_S", 0.2)
    async with asyncio.timeout(AT_ONCE_S):
        await hub.join(device(uuid4()))
        for _ in range(SOCKETS):
            await hub.join(device(uuid4()))


async def test_an_account_that_leaves_and_comes_back_meanwhile_is_joined(hub: Hub) -> None:
    account = uuid4()
    first, second = device(account), device(account)
    async with asyncio.timeout(AT_ONCE_S):
        joining = asyncio.create_task(hub.join(first))
        await asyncio.sleep(0)
        await hub.leave(first)
        await hub.join(second)
        await joining
    [instance] = cast("ValkeyBus", hub._context.bus)._instances
    assert instance._wanted - {LOOK} == {b"picky:" + account.hex.encode()}


async def test_whatever_fails_while_heads_are_compared_they_are_compared_again(
    node: RealtimeNode, join: Connect, buyer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, again = node.hub, asyncio.Event()
    compared = iter([RuntimeError("nobody thought of this"), None])

    async def reconcile() -> None:
        if (error := next(compared)) is not None:
            raise error
        again.set()

    monkeypatch.setattr(hub, "reconcile", reconcile)
    hub._look_now.set()
    async with asyncio.timeout(AT_ONCE_S):
        await again.wait()


def test_however_many_ask_for_looks_there_is_about_one_a_second() -> None:
    with closing(VirtualLoop()) as loop:
        looks = looks_in(loop, LOOKED_AT_S, publishers=20)
    assert looks[0] == 0
    assert all(0.8 <= later - sooner <= 1.2 for sooner, later in pairwise(looks))
    assert len(looks) > LOOKED_AT_S / 1.2 - 1


def looks_in(loop: VirtualLoop, seconds: int, *, publishers: int) -> list[float]:
    """When a hub looks that each of so many publishers tells of a gap, within its own limit."""
    bus, looks = Bus(), list[float]()
    hub = Hub(cast("Context", SimpleNamespace(bus=bus)), RealtimeSettings(), Random(7).random)

    async def reconcile() -> None:
        looks.append(loop.time())

    hub.reconcile = reconcile  # type: ignore[method-assign]
    running = loop.create_task(hub.run())
    for number in range(seconds * publishers):
        loop.call_at(number / publishers, bus.tell)
    while (due := loop.next_timer()) is None or due < seconds:
        if due is not None and not loop.busy:
            loop.move_to(due)
        loop.call_soon(loop.stop)
        loop.run_forever()
    running.cancel()
    loop.run_until_complete(asyncio.gather(running, return_exceptions=True))
    return looks


class Bus:
    """One that tells of gaps and of nothing else."""

    def listen(self, _receive: object) -> None:
        pass

    def on_gap(self, tell: Callable[[], None]) -> None:
        self.tell = tell


async def test_a_gap_that_could_not_be_filled_is_filled_soon_after(
    context: Context,
    node: RealtimeNode,
    join: Connect,
    buyer: Person,
    room: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device, fill, failures = await join(buyer), node.hub._fill_page, iter([TimeoutError()])

    async def failing_once(stream: Stream) -> None:
        for failure in failures:
            raise failure
        await fill(stream)

    async def lost(_hints: object) -> None:
        pass

    monkeypatch.setattr(node.hub, "_fill_page", failing_once)
    with monkeypatch.context() as patch:
        patch.setattr(context.bus, "publish", lost)
        await say(buyer, room, "first")
    await say(buyer, room, "second")
    async with asyncio.timeout(AT_ONCE_S):
        texts = [(await device.until("event", kind="message.new"))["data"]["text"] for _ in "12"]
    assert texts == ["first", "second"]


async def test_a_look_at_all_heads_finds_also_what_is_missing_to_who_is_just_coming(
    context: Context,
    node: RealtimeNode,
    join: Connect,
    seller: Person,
    buyer: Person,
    room: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await say(buyer, room, "is it still there?")
    has_read, goes_on, position = asyncio.Event(), asyncio.Event(), streams.position

    async def slow(work: UnitOfWork, account_id: UUID) -> Position:
        found = await position(work, account_id)
        has_read.set()
        await goes_on.wait()
        return found

    async def lost(_hints: object) -> None:
        pass

    async with asyncio.timeout(AT_ONCE_S):
        monkeypatch.setattr(streams, "position", slow)
        joining = asyncio.ensure_future(join(buyer))
        await has_read.wait()
        monkeypatch.setattr(context.bus, "publish", lost)
        await say(seller, room, "it is")
        await node.hub.reconcile()
        goes_on.set()
        device = await joining
        assert (await device.seen("message.new"))["text"] == "it is"


async def test_an_ephemeral_of_a_newer_version_is_passed_on_unread(
    node: RealtimeNode, join: Connect, buyer: Person
) -> None:
    device = await join(buyer)
    newer = b'{"t":"ephemeral","kind":"reading","chatroom_id":"any","more":[1]}'
    node.hub.receive(Hint(buyer.id, 0, newer))
    assert (await device.until("ephemeral"))["more"] == [1]


def test_the_other_side_is_taken_to_look_until_it_looks_away_or_is_silent() -> None:
    stream, one, other = Stream(uuid4(), 8), uuid4(), uuid4()

    def looks(room_id: UUID, *, on: bool) -> Ephemeral:
        return Ephemeral(kind="presence", chatroom_id=room_id, data={"on": on}, ttl_ms=60_000)

    stream.heed(looks(one, on=True), 0.0)
    stream.heed(looks(other, on=True), 30.0)
    assert stream.peer_looks_at(one, 59.0)
    assert not stream.peer_looks_at(one, 60.0)
    assert stream.peer_has_come(one)  # and is told of who looks, for it may look still
    stream.heed(looks(one, on=True), 59.0)
    assert stream.peer_looks_at(one, 118.0)
    stream.heed(looks(other, on=False), 60.0)
    assert not stream.peer_looks_at(other, 60.0)
    assert not stream.peer_has_come(other)
