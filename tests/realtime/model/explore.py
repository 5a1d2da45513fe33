"""Whatever the bus, the sockets and the nodes do, nothing is lost, doubled or out of order."""

import asyncio
import os
from collections.abc import Awaitable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from server.app.container import build_context, close_context
from server.app.settings import Environment, Settings
from server.chat import service as chat
from server.chat.tables import Member, Message, Room
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.passwords import Passwords
from server.platform.unit_of_work import reading
from tests.realtime.model.device import Device
from tests.realtime.model.world import World
from tests.server.conftest import BASE_URL, START

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "500"))
"""`make model` explores; it is too slow yet for the run of all tests."""
STEPS = 12

numbers = st.integers(0, 10**6)


class Line:
    """The loop, and the world that all examples of a run share but for their people."""

    def __init__(self, context: Context, loop: Any) -> None:
        self.context, self.loop = context, loop
        self.serial = count(1)

    def run(self, doing: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(doing)


line: Line


class Market(RuleBasedStateMachine):
    """Two people, three devices, two rooms, two nodes."""

    @initialize()
    def begin(self) -> None:
        self.world = World(line.context, line.loop)
        self.said = count(1)
        line.run(self._begin())

    async def _begin(self) -> None:
        world, number = self.world, next(line.serial)
        minji, at_minji = await world.sign_up(f"minji_{number}")
        bora, at_bora = await world.sign_up(f"bora_{number}")
        self.people = [minji, bora]
        self.rooms = [await world.open_room(minji, bora), await world.open_room(bora, minji)]
        self.devices = [
            Device(world, minji, at_minji),
            Device(world, minji, at_minji),
            Device(world, bora, at_bora),
        ]
        for number, device in enumerate(self.devices):
            device.connect(world.nodes[number % 2])
        await self._rest()

    async def _rest(self) -> None:
        await self.world.settle()
        for device in self.devices:
            await device.listen()

    def _device(self, number: int) -> Device:
        return self.devices[number % len(self.devices)]

    def _room(self, number: int) -> UUID:
        return self.rooms[number % len(self.rooms)]

    # What people do

    @rule(device=numbers, room=numbers, times=st.integers(1, 4), at_once=st.booleans())
    def send(self, device: int, room: int, times: int, at_once: bool) -> None:
        for _ in range(0 if self._device(device).revoked else times):
            self._device(device).send(self._room(room), f"message {next(self.said)}")
        if not at_once:
            line.run(self._rest())

    @rule(device=numbers)
    def send_again(self, device: int) -> None:
        self._device(device).send_again()
        line.run(self._rest())

    @rule(device=numbers, room=numbers, back=st.integers(0, 3))
    def read(self, device: int, room: int, back: int) -> None:
        one, room_id = self._device(device), self._room(room)
        seq = max(0, one.last_seq.get(str(room_id), 0) - back)
        one.say("read", room_id, seq=seq)
        line.run(self._rest())

    @rule(device=numbers, room=numbers, on=st.booleans())
    def type(self, device: int, room: int, on: bool) -> None:
        self._device(device).say("typing", self._room(room), on=on)
        line.run(self._rest())

    @rule(device=numbers, room=numbers, look=st.booleans())
    def look(self, device: int, room: int, look: bool) -> None:
        self._device(device).say("open" if look else "close", self._room(room))
        line.run(self._rest())

    @rule(device=numbers)
    def delete(self, device: int) -> None:
        one = self._device(device)
        if one.acknowledged and not one.revoked:
            room_id, seq = next(reversed(one.acknowledged.values()))
            line.run(self._delete(one, UUID(room_id), seq))

    async def _delete(self, one: Device, room_id: UUID, seq: int) -> None:
        await self.world.do(lambda work: chat.delete_message(work, room_id, seq), one.actor)
        await self._rest()

    # What lines do

    @rule(device=numbers, node=st.integers(0, 1))
    def connect(self, device: int, node: int) -> None:
        one = self._device(device)
        if not one.revoked:
            one.connect(self.world.nodes[node])
            one.send_again()
            line.run(self._rest())

    @rule(device=numbers, turns=st.integers(0, 30))
    def cut(self, device: int, turns: int) -> None:
        line.run(self._cut(self._device(device), turns))

    async def _cut(self, one: Device, turns: int) -> None:
        """Somewhere amid what is under way."""
        for _ in range(turns):
            await asyncio.sleep(0)
        await one.listen()
        one.hang_up()
        await self._rest()

    @rule(device=numbers, times=st.integers(1, 80))
    def stall(self, device: int, times: int) -> None:
        """A device reads no more, while the other side goes on talking."""
        one = self._device(device)
        if one.socket is not None:
            one.socket.stall()
            speaker = self.devices[0 if one is self.devices[2] else 2]
            for _ in range(times):
                speaker.send(self.rooms[0], f"message {next(self.said)}")
            line.run(self._rest())
            one.hang_up()
            line.run(self._rest())

    # What the bus does

    @precondition(lambda self: self.world.ether.under_way)
    @rule(which=numbers, keep=st.booleans())
    def bring(self, which: int, keep: bool) -> None:
        """Any one of what is under way arrives, perhaps not for the last time."""
        under_way = self.world.ether.under_way
        place = which % len(under_way)
        node, hint = under_way[place] if keep else under_way.pop(place)
        node.bus.bring(hint)
        line.run(self._rest())

    @precondition(lambda self: self.world.ether.under_way)
    @rule()
    def bring_all(self) -> None:
        under_way, self.world.ether.under_way = self.world.ether.under_way, []
        for node, hint in under_way:
            node.bus.bring(hint)
        line.run(self._rest())

    @precondition(lambda self: self.world.ether.under_way)
    @rule()
    def lose_all(self) -> None:
        self.world.ether.under_way.clear()

    # What nodes and operators do

    @rule(node=st.integers(0, 1), after_commit=st.booleans())
    def crash(self, node: int, after_commit: bool) -> None:
        if after_commit:
            self.world.nodes[node].bus.crash_next = True
        else:
            self.world.nodes[node].crash()
            for device in self.devices:
                device.hang_up()
            line.run(self._rest())

    @rule(node=st.integers(0, 1))
    def reconcile(self, node: int) -> None:
        line.run(self._reconcile(node))

    async def _reconcile(self, node: int) -> None:
        await self.world.nodes[node].realtime.hub.reconcile()
        await self._rest()

    @rule(person=st.integers(0, 1))
    def trim(self, person: int) -> None:
        line.run(self.world.trim(self.people[person].account_id))

    @rule(person=st.integers(0, 1))
    def new_epoch(self, person: int) -> None:
        line.run(self._new_epoch(self.people[person].account_id))

    async def _new_epoch(self, account_id: UUID) -> None:
        """A restore ends every connection."""
        for device in self.devices:
            device.hang_up()
        await self._rest()
        await self.world.new_epoch(account_id)

    @precondition(lambda self: not self.devices[1].revoked)
    @rule()
    def revoke(self) -> None:
        """The second device is signed out; the first one has a session of its own by then."""
        line.run(self._revoke())

    async def _revoke(self) -> None:
        first, second = self.devices[:2]
        for device in (first, second):
            device.hang_up()
        await self._rest()
        second.revoked = True
        second.outbox.clear()
        second.token = "nobody's"
        second.connect(self.world.nodes[0])
        await self._rest()

    # What must be so

    @invariant()
    def what_was_acknowledged_is_in_the_log(self) -> None:
        if hasattr(self, "devices"):
            line.run(self._check_log())

    async def _check_log(self) -> None:
        async with reading(self.world.context) as work:
            rows = await work.rows(
                select(Message.room_id, Message.seq, Message.cid).where(
                    Message.room_id.in_(self.rooms)
                )
            )
        stored = {str(row.cid): (str(row.room_id), row.seq) for row in rows if row.cid}
        for device in self.devices:
            for cid, place in device.acknowledged.items():
                assert stored.get(cid) == place

    def teardown(self) -> None:
        if hasattr(self, "devices"):
            line.run(self._end())

    async def _end(self) -> None:
        """Everybody comes back; then all believe what the database says."""
        for node in self.world.nodes:
            node.bus.crash_next = False
        for device in self.devices:
            if not device.revoked:
                device.connect(self.world.nodes[0])
                await self._rest()
        while any(device.outbox for device in self.devices):
            waiting = [len(device.outbox) for device in self.devices]
            for device in self.devices:
                device.send_again()
                await self._rest()
            assert waiting != [len(device.outbox) for device in self.devices], "it goes on"
        await self._reconcile(0)
        for device in self.devices:
            assert not device.outbox, "what was written is sent in the end"
        await self._check_counters()
        await self.world.close()

    async def _check_counters(self) -> None:
        async with reading(self.world.context) as work:
            for room_id in self.rooms:
                rows = await work.rows(
                    select(Message.seq, Message.actor_id).where(Message.room_id == room_id)
                )
                last = await work.scalar(select(Room.last_seq).where(Room.id == room_id))
                assert sorted(row.seq for row in rows) == list(range(1, last + 1)), "I8"
                for device in self.devices:
                    assert device.revoked or device.last_seq[str(room_id)] == last
                for member in await work.rows(
                    select(Member.account_id, Member.read_seq, Member.unread).where(
                        Member.room_id == room_id
                    )
                ):
                    unread = [
                        row
                        for row in rows
                        if row.seq > member.read_seq and row.actor_id != member.account_id
                    ]
                    assert member.unread == len(unread), "I10"


@pytest.fixture
def one_line(sqlite_url: str, tmp_path: Path) -> Iterator[None]:
    """A loop and a database for all examples: each has people of its own."""
    global line  # noqa: PLW0603 - Hypothesis makes the machines itself
    clock = MovableClock(START)
    configuration = Settings(
        environment=Environment.TEST,
        data_dir=tmp_path / "data",
        database_url=sqlite_url,
        rate_limits=False,
    )
    cheap = Passwords(time_cost=1, memory_kib=8)
    with asyncio.Runner() as runner:
        context = build_context(configuration, base_url=BASE_URL, clock=clock, passwords=cheap)
        line = Line(context, runner.get_loop())
        yield
        runner.run(close_context(context))


@pytest.mark.timeout(0)
def test_nothing_is_lost_doubled_or_out_of_order(one_line: None) -> None:
    run_state_machine_as_test(
        Market,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
