"""The bus between processes carries hints, and says when some may be missing."""

import asyncio
from uuid import uuid4

import pytest
import redis.asyncio
from redis.asyncio.client import Pipeline
from structlog.testing import capture_logs

from server.platform import valkey_bus
from server.platform.bus import BusError, Hint
from server.platform.valkey_bus import ValkeyBus
from tests.server.platform.conftest import PATIENCE_S, MakeNode
from tests.servers.figures import Counting
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
    alive = [stream for stream in streams if speaker.bus.place(stream) == first.address]
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


async def test_what_is_more_than_the_queue_takes_is_told_to_all_who_listen(
    node: MakeNode, private_lifetime: Lifetime
) -> None:
    valkey, stream, counting = start_valkey(private_lifetime), uuid4(), Counting()
    listeners = [await node(valkey.url(), listens_to=one) for one in (stream, uuid4())]
    speaker = await node(valkey.url())
    with capture_logs() as logs:
        await speaker.bus.publish(Hint(stream, pos, b"x") for pos in range(1, 12_001))
        for listener in listeners:
            await listener.until(lambda one=listener: one.gaps == 2)  # type: ignore[misc]
    assert [line["event"] for line in logs] == ["bus_hints_dropped"]
    assert counting.grown("picky_bus_dropped_total") == 2_000
    await listeners[0].until(lambda: len(listeners[0].heard) == 10_000)
    assert [listener.gaps for listener in listeners] == [2, 2]


async def test_hints_that_a_bus_refuses_are_told_of(
    node: MakeNode, private_lifetime: Lifetime
) -> None:
    valkey = start_valkey(private_lifetime)
    async with redis.asyncio.from_url(valkey.url()) as client:
        await client.acl_setuser(
            "dumb", enabled=True, nopass=True, categories=["+@all"], commands=["-publish"]
        )
        listener = await node(valkey.url(), listens_to=uuid4())
        speaker = await node(f"redis://dumb:any@127.0.0.1:{valkey.port}")
        counting = Counting()
        await speaker.bus.publish([Hint(uuid4(), 1, b"refused")])
        with pytest.raises(BusError):
            await speaker.bus.check()
        while counting.grown("picky_bus_dropped_total") < 1:
            await client.ping()  # asking takes a moment
        await client.acl_setuser(
            "dumb", enabled=True, nopass=True, categories=["+@all"], channels=["*"]
        )
        await speaker.bus.publish([Hint(uuid4(), 2, b"taken")])
        await listener.until(lambda: listener.gaps == 2)


async def test_a_bus_that_loses_what_is_sent_is_not_ready(
    node: MakeNode, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, tried = await node(valkey_url, listens_to=uuid4()), asyncio.Event()

    async def lose(_pipeline: object) -> None:
        tried.set()
        raise OSError("nobody takes it")

    await here.bus.check()
    monkeypatch.setattr(Pipeline, "execute", lose)
    await here.bus.publish([Hint(uuid4(), 1, b"lost")])
    async with asyncio.timeout(PATIENCE_S):
        await tried.wait()
        with pytest.raises(BusError, match="takes nothing"):
            await here.bus.check()
        monkeypatch.undo()
        [instance] = here.bus._instances
        while instance._failing:
            await here.bus.join(uuid4())  # asking takes a moment
    await here.bus.check()


async def test_an_instance_that_answers_a_little_later_than_another_is_not_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(valkey_bus, "_BESIDE_S", PATIENCE_S)
    bus, answered = ValkeyBus([f"redis://bus-{number}.example" for number in range(2)]), []
    for instance, turns in zip(bus._instances, (0, 20), strict=True):

        async def check(address: str = instance.address, turns: int = turns) -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            answered.append(address)

        monkeypatch.setattr(instance, "check", check)
    await bus.check()
    assert answered == [instance.address for instance in bus._instances]
    await bus.close()


async def test_one_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = ValkeyBus([f"redis://bus-{number}.example" for number in range(2)])
    for instance, check in zip(bus._instances, (asyncio.Event().wait, answer), strict=True):
        monkeypatch.setattr(instance, "check", check)
    async with asyncio.timeout(PATIENCE_S):
        await bus.check()
    await bus.close()


async def answer() -> None:
    """At once."""


async def test_workers_hear_of_jobs_once_for_all_that_come_at_once(
    node: MakeNode, private_lifetime: Lifetime
) -> None:
    urls = [start_valkey(private_lifetime, name).url() for name in "ab"]
    rings: asyncio.Queue[None] = asyncio.Queue()
    worker, api = await node(*urls), await node(*urls)
    worker.bus.on_ring(lambda: rings.put_nowait(None))
    await worker.until(lambda: worker.gaps == 2)
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(2):
            for _ in range(1_000):
                api.bus.ring()
            for _ in urls:
                await rings.get()
    assert rings.empty()
    assert worker.heard == []


async def test_where_a_stream_has_its_place_does_not_hang_on_how_one_signs_in() -> None:
    streams = [uuid4() for _ in range(50)]
    places = []
    for user in "", "picky:old@", "picky:new@", ":newer@":
        urls = [f"redis://{user}Bus-{number}.example:6379/0" for number in range(3)]
        bus = ValkeyBus([*urls[1:], urls[0].replace("redis:", "valkeys:").replace(":6379/0", "")])
        places.append([bus.place(stream) for stream in streams])
        await bus.close()
    assert len(set(places[0])) == 3
    assert all(place == places[0] for place in places)
    assert "bus-0.example:6379/0" in places[0]
