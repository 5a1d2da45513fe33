"""What realtime counts of its sockets."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx
import pytest

from server.realtime.node import RealtimeNode
from server.realtime.settings import RealtimeSettings
from server.realtime.writer import Writer
from shared_models.realtime import CloseCode
from tests.realtime.conftest import Connect, Person
from tests.server.chat.conftest import message
from tests.servers.figures import Counting, figure


@pytest.fixture
def counting() -> Counting:
    return Counting()


async def test_sends_are_counted_by_their_answer(
    join: Connect, buyer: Person, room: str, counting: Counting
) -> None:
    device = await join(buyer)
    body = message("hello")
    sends = [body, body, {**body, "text": "another"}, {**message(), "chatroom_id": str(uuid4())}]
    for number, send in enumerate(sends):
        await device.say("send", id=str(number), **({"chatroom_id": room} | send))
        await device.until("ok" if number < 2 else "err", id=str(number))
    for outcome in ("acknowledged", "duplicate", "cid_conflict", "not_found"):
        assert counting.grown("picky_sends_total", outcome=outcome) == 1, outcome
    assert counting.grown("picky_send_duration_seconds_count") == 4


async def test_sends_over_http_are_counted_too(
    buyer: Person, room: str, counting: Counting
) -> None:
    body = message("hello")
    path = f"/v1/chatrooms/{room}/messages"
    for status in (201, 200):
        assert (await buyer.post(path, body)).status_code == status
    assert (await buyer.post(path, {**body, "text": "another"})).status_code == 422
    for outcome in ("acknowledged", "duplicate", "cid_conflict"):
        assert counting.grown("picky_sends_total", outcome=outcome) == 1, outcome


async def test_deliveries_and_handshakes_are_counted(
    join: Connect, buyer: Person, seller: Person, room: str, counting: Counting
) -> None:
    here, there = await join(buyer), await join(seller)
    await here.send(room)
    await there.event("message.new")
    await here.seen("message.new")
    assert counting.grown("picky_deliveries_total") >= 2
    epoch, pos = there.welcome["epoch"], there.welcome["pos"]
    again = await join(seller, {"epoch": epoch, "pos": pos})
    await again.seen("message.new")
    await join(seller, {"epoch": str(uuid4()), "pos": pos})
    handshakes = {
        outcome: counting.grown("picky_handshakes_total", outcome=outcome)
        for outcome in ("new", "resumed", "epoch")
    }
    assert handshakes == {"new": 2, "resumed": 1, "epoch": 1}


class Unread:
    """A socket whose peer reads nothing."""

    async def send(self, _frames: Sequence[bytes]) -> None:
        await asyncio.Event().wait()

    async def close(self, _code: int, _reason: str | None = None) -> None:
        pass


async def test_queues_are_measured_and_a_slow_consumer_is_counted(
    client: httpx.AsyncClient, node: RealtimeNode, counting: Counting
) -> None:
    for frames in (1, 3):
        writer = Writer(Unread(), RealtimeSettings(queue_frames=4))
        node.gateway.writers.add(writer)
        for _ in range(frames):
            writer.put(b"12345")
    await client.get("/metrics")
    assert figure("picky_writer_queue_frames") == 4
    assert figure("picky_writer_queue_bytes") == 20
    assert figure("picky_writer_queue_frames_max") == 3
    writer.put(b"12345")
    assert counting.grown("picky_sockets_closed_total", reason="slow_consumer") == 1
    node.gateway.writers.clear()


async def test_a_close_is_counted_by_its_code(
    join: Connect, node: RealtimeNode, buyer: Person, counting: Counting
) -> None:
    device: Any = await join(buyer)
    [connection] = node.hub.connections()
    for _ in range(2):
        connection.close(CloseCode.DRAINING, "draining")
    assert await device.closed() == CloseCode.DRAINING
    assert counting.grown("picky_sockets_closed_total", reason="draining") == 1
