"""The bus between processes carries hints, and says when some may be missing."""

import asyncio
from uuid import uuid4

import pytest
import redis.asyncio

from server.platform.bus import BusError, Hint
from tests.server.platform.conftest import PATIENCE_S, MakeNode
from tests.servers.lifetime import Lifetime, kill
from tests.servers.valkey import Valkey, start_valkey


async def test_hints_reach_the_nodes_that_have_joined_in_their_order(
    node: MakeNode, valkey_url: str
) -> None:
    stream, other = uuid4(), uuid4()
    listener = await node(valkey_url, listens_to=stream)
    speaker = await node(valkey_url)
    hints = [Hint(stream, pos, b"%d" % pos) for pos in range(1, 1001)]
    await speaker.bus.publish([Hint(other, 1, b"not for it"), *hints, Hint(stream, -1, b"ended")])
    await listener.until(lambda: len(listener.heard) == 1001)
    assert listener.heard == [*hints, Hint(stream, -1, b"ended")]


async def test_a_process_hears_its_own_events_without_the_bus(
    node: MakeNode, private_lifetime: Lifetime
) -> None:
    stream = uuid4()
    valkey = start_valkey(private_lifetime)
    alone = await node(valkey.url(), listens_to=stream)
    kill(valkey.pid)
    await alone.bus.publish([Hint(stream, 1, b"here"), Hint(stream, 0, b"typing")])
    assert alone.heard == [Hint(stream, 1, b"here")]
    with pytest.raises(BusError):
        await alone.bus.check()


async def test_who_has_left_hears_nothing(node: MakeNode, valkey_url: str) -> None:
    left, kept = uuid4(), uuid4()
    listener = await node(valkey_url, listens_to=left)
    await listener.bus.join(kept)
    await listener.bus.leave(left)
    speaker = await node(valkey_url)
    await speaker.bus.publish([Hint(left, 1, b"no"), Hint(kept, 1, b"yes")])
    await listener.until(lambda: bool(listener.heard))
    assert listener.heard == [Hint(kept, 1, b"yes")]


async def test_a_bus_that_was_killed_is_heard_again_and_the_gap_is_told(
    node: MakeNode, private_lifetime: Lifetime
) -> None:
    stream = uuid4()
    valkey = start_valkey(private_lifetime)
    listener = await node(valkey.url(), listens_to=stream)
    speaker = await node(valkey.url(), listens_to=uuid4())
    kill(valkey.pid)
    await speaker.bus.publish([Hint(stream, 1, b"perhaps lost")])
    start_valkey(private_lifetime, "again", port=valkey.port)
    for one in (listener, speaker):
        await one.until(lambda one=one: one.gaps > 1)  # type: ignore[misc]
    await speaker.bus.publish([Hint(stream, 2, b"heard")])
    await listener.until(lambda: Hint(stream, 2, b"heard") in listener.heard)


async def test_a_bus_that_is_away_holds_up_nobody(
    node: MakeNode, private_lifetime: Lifetime
) -> None:
    valkey: Valkey = start_valkey(private_lifetime)
    speaker = await node(valkey.url(), listens_to=uuid4())
    kill(valkey.pid)
    async with asyncio.timeout(PATIENCE_S):
        await speaker.bus.publish(Hint(uuid4(), pos, b"x") for pos in range(20_000))
        await speaker.bus.join(uuid4())
        await speaker.bus.leave(uuid4())


async def test_streams_are_spread_over_instances_and_one_of_them_lost_stops_only_its_own(
    node: MakeNode, private_lifetime: Lifetime
) -> None:
    first, second = (start_valkey(private_lifetime, name) for name in ("first", "second"))
    urls = first.url(), second.url()
    listener, speaker = await node(*urls), await node(*reversed(urls))
    streams = [uuid4() for _ in range(20)]
    for stream in streams:
        await listener.bus.join(stream)
    await listener.until(lambda: listener.gaps == 2)
    await speaker.bus.publish([Hint(stream, 1, b"one") for stream in streams])
    await listener.until(lambda: len(listener.heard) == 20)
    kill(second.pid)
    await speaker.bus.publish([Hint(stream, 2, b"two") for stream in streams])
    alive = [stream for stream in streams if speaker.bus.place(stream) == first.url()]
    assert 0 < len(alive) < 20
    await listener.until(lambda: len(listener.heard) == 20 + len(alive))
    assert {hint.stream_id for hint in listener.heard[20:]} == set(alive)
    await listener.bus.check()  # what is away for all of them makes nobody unready
    kill(first.pid)
    with pytest.raises(BusError):
        await listener.bus.check()


async def test_a_join_after_one_that_was_cancelled_returns_when_the_stream_is_heard(
    node: MakeNode, valkey_url: str
) -> None:
    stream = uuid4()
    here = await node(valkey_url, listens_to=uuid4())
    joining = asyncio.create_task(here.bus.join(stream))
    await asyncio.sleep(0)
    joining.cancel()
    await asyncio.gather(joining, return_exceptions=True)
    await here.bus.join(stream)
    async with redis.asyncio.from_url(valkey_url) as client:
        assert await client.pubsub_numsub(f"picky:{stream.hex}") == [
            (f"picky:{stream.hex}".encode(), 1)
        ]


async def test_a_bad_message_and_a_receiver_that_fails_cost_one_message_each(
    node: MakeNode, valkey_url: str
) -> None:
    stream, hint = uuid4(), Hint(uuid4(), 2, b"good")
    here = await node(valkey_url, listens_to=stream)
    await here.bus.join(hint.stream_id)
    hear = here.hear

    def failing(hint: Hint) -> None:
        if hint.stream_id == stream:
            raise RuntimeError("of no use")
        hear(hint)

    here.bus.listen(failing)
    async with redis.asyncio.from_url(valkey_url) as client:
        await client.publish("picky:", b"foreign")
        await client.publish(f"picky:{hint.stream_id.hex}", b"foreign")
    speaker = await node(valkey_url)
    await speaker.bus.publish([Hint(stream, 1, b"fails"), hint])
    await here.until(lambda: bool(here.heard))
    assert here.heard == [hint]
    assert here.gaps == 1


async def test_a_bus_that_answers_but_cannot_be_listened_to_is_not_ready(
    node: MakeNode, private_lifetime: Lifetime
) -> None:
    valkey = start_valkey(private_lifetime)
    async with redis.asyncio.from_url(valkey.url()) as client:
        await client.acl_setuser(
            "deaf", enabled=True, nopass=True, categories=["+@all"], commands=["-subscribe"]
        )
    here = await node(f"redis://deaf:any@127.0.0.1:{valkey.port}")
    await here.bus.join(uuid4())
    with pytest.raises(BusError):
        await here.bus.check()


async def test_a_bus_whose_listener_has_ended_is_not_ready(node: MakeNode, valkey_url: str) -> None:
    here = await node(valkey_url, listens_to=uuid4())
    await here.bus.check()
    [instance] = here.bus._instances
    listener = instance._tasks[-1]
    listener.cancel()
    await asyncio.gather(listener, return_exceptions=True)
    with pytest.raises(BusError):
        await here.bus.check()
