"""Two people with three devices, two nodes, and everything that can happen between them."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from server.accounts.sessions import end_session
from server.chat import service as chat
from server.platform.bus import Hint
from server.platform.clock import MovableClock
from server.platform.context import Context
from tests.realtime.model.beginning import Beginning
from tests.realtime.model.device import Device
from tests.realtime.model.records import Records
from tests.realtime.model.virtual_time import VirtualLoop
from tests.realtime.model.world import Node, World
from tests.server.conftest import START

_DRAIN_ROUNDS = 40
"""More than an example can leave waiting, by what may be in flight."""

numbers = st.integers(0, 10**6)
devices = st.integers(0, 2)
rooms = st.integers(0, 1)
nodes = st.integers(0, 1)


@dataclass(frozen=True, slots=True)
class Stage:
    """What all examples of a run share."""

    context: Context
    loop: VirtualLoop
    clock: MovableClock
    beginning: Beginning
    records: Records


class Market(RuleBasedStateMachine):
    """Whatever the bus, the sockets and the nodes do, nothing is lost, doubled or disordered."""

    stage: Stage

    @initialize()
    def begin(self) -> None:
        self.run(self._begin())

    async def _begin(self) -> None:
        stage = self.stage
        await stage.beginning.restore(stage.context)
        stage.clock.move_to(START)
        stage.records.begin()
        self.said = count(1)
        self.world = world = World(stage.context, stage.loop, stage.clock)
        beginning = stage.beginning
        self.rooms = beginning.rooms
        self.devices = [
            Device(world, *device, state)
            for device, state in zip(beginning.devices, beginning.states, strict=True)
        ]
        for number, device in enumerate(self.devices):
            device.connect(world.nodes[number % 2])
        await self.rest()

    def run(self, doing: Awaitable[Any]) -> None:
        self.stage.loop.run_until_complete(doing)

    async def rest(self) -> None:
        """Everybody takes in what has come, until nothing comes any more."""
        await self.world.settle()
        while any(device.socket and device.socket.heard for device in self.devices):
            for device in self.devices:
                await device.listen()
            await self.world.settle()
        for device in self.devices:
            await device.listen()

    # What people do

    @rule(device=devices, room=rooms, times=st.integers(1, 4), at_once=st.booleans())
    def send(self, device: int, room: int, times: int, at_once: bool) -> None:
        for _ in range(0 if self.devices[device].revoked else times):
            self.devices[device].send(self.rooms[room], f"message {next(self.said)}")
        if not at_once:
            self.run(self.rest())

    @rule(device=devices)
    def send_again(self, device: int) -> None:
        self.devices[device].send_again()
        self.run(self.rest())

    @rule(device=devices, room=rooms, back=st.integers(0, 3))
    def read(self, device: int, room: int, back: int) -> None:
        one, room_id = self.devices[device], self.rooms[room]
        seq = max(0, one.rooms[room_id].last_seq - back)
        one.say("read", room_id, seq=seq)
        self.run(self.rest())

    @rule(device=devices, room=rooms, on=st.booleans())
    def type(self, device: int, room: int, on: bool) -> None:
        self.devices[device].say("typing", self.rooms[room], on=on)
        self.run(self.rest())

    @rule(device=devices, room=rooms, look=st.booleans())
    def look(self, device: int, room: int, look: bool) -> None:
        self.devices[device].say("open" if look else "close", self.rooms[room])
        self.run(self.rest())

    @rule(device=devices)
    def delete(self, device: int) -> None:
        one = self.devices[device]
        if one.acknowledged and not one.revoked:
            room_id, seq = next(reversed(one.acknowledged.values()))
            self.run(self._delete(one, UUID(room_id), seq))

    async def _delete(self, one: Device, room_id: UUID, seq: int) -> None:
        await self.world.do(lambda work: chat.delete_message(work, room_id, seq), one.actor)
        await self.rest()

    # What lines do

    @rule(device=devices, node=nodes)
    def connect(self, device: int, node: int) -> None:
        one = self.devices[device]
        one.connect(self.world.nodes[node])
        one.send_again()
        self.run(self.rest())

    @rule(device=devices, turns=st.integers(0, 30))
    def cut(self, device: int, turns: int) -> None:
        """Somewhere amid what is under way."""
        self.run(self._cut(self.devices[device], turns))

    async def _cut(self, one: Device, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        await one.listen()
        one.hang_up()
        await self.rest()

    @rule(device=devices, times=st.integers(1, 40))
    def stall(self, device: int, times: int) -> None:
        """A device reads no more, while the other side goes on talking."""
        one = self.devices[device]
        if one.socket is not None:
            one.socket.stall()
            speaker = self.devices[0 if device == 2 else 2]
            for _ in range(times):
                speaker.send(self.rooms[0], f"message {next(self.said)}")
            self.run(self.rest())

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds: int) -> None:
        """Long enough, perhaps, for a heartbeat or a look at all heads."""
        self.run(self.world.wait(seconds, self.rest))

    # What the bus does

    @precondition(lambda self: self.world.ether.under_way)
    @rule(which=numbers, keep=st.booleans())
    def bring(self, which: int, keep: bool) -> None:
        """Any one of what is under way arrives, perhaps not for the last time."""
        under_way = self.world.ether.under_way
        place = which % len(under_way)
        self.run(self._bring([under_way[place] if keep else under_way.pop(place)]))

    @precondition(lambda self: self.world.ether.under_way)
    @rule()
    def bring_all(self) -> None:
        under_way, self.world.ether.under_way = self.world.ether.under_way, []
        self.run(self._bring(under_way))

    async def _bring(self, arriving: Sequence[tuple[Node, Hint]]) -> None:
        for node, hint in arriving:
            node.bus.bring(hint)
        await self.rest()

    @precondition(lambda self: self.world.ether.under_way)
    @rule()
    def lose_all(self) -> None:
        self.world.ether.under_way.clear()

    # What nodes and operators do

    @rule(node=nodes, after_commit=st.booleans())
    def crash(self, node: int, after_commit: bool) -> None:
        """Now, or between the next commit and what is published of it."""
        if after_commit:
            self.world.nodes[node].bus.crash_next = True
        else:
            self.run(self._crash(self.world.nodes[node]))

    async def _crash(self, node: Node) -> None:
        node.crash()
        await self.rest()

    @rule(person=st.sampled_from((0, 2)))
    def trim(self, person: int) -> None:
        self.run(self.world.trim(self.devices[person].actor.account_id))

    @rule(person=st.sampled_from((0, 2)))
    def new_epoch(self, person: int) -> None:
        self.run(self._new_epoch(self.devices[person].actor.account_id))

    async def _new_epoch(self, account_id: UUID) -> None:
        """A restore ends every connection."""
        for device in self.devices:
            device.hang_up()
        await self.rest()
        await self.world.new_epoch(account_id)

    @precondition(lambda self: not self.devices[1].revoked)
    @rule()
    def revoke(self) -> None:
        """The first device signs the second one out; the node of that may not hear of it."""
        self.run(self._revoke(*self.devices[:2]))

    async def _revoke(self, first: Device, second: Device) -> None:
        second.revoked = True
        second.outbox.clear()
        await self.world.do(lambda work: end_session(work, second.actor.session_id), first.actor)
        await self.rest()

    # What must be so

    @invariant()
    def what_was_acknowledged_is_in_the_log(self) -> None:
        stored = self.stage.records.messages()
        for device in self.devices:
            for cid, place in device.acknowledged.items():
                assert stored.get(cid) == place

    @invariant()
    def counters_are_right(self) -> None:
        self.stage.records.check_counters()

    def teardown(self) -> None:
        """Everybody comes back; then all believe what the database says."""
        if hasattr(self, "devices"):
            self.run(self._end())

    async def _end(self) -> None:
        try:
            await self._agree()
        finally:
            await self.world.close()

    async def _agree(self) -> None:
        for node in self.world.nodes:
            node.bus.crash_next = False
        first, second, third = self.devices
        staying = [first, third] if second.revoked else self.devices
        await self._wait_on_the_lines_that_are_left()
        for device in staying:
            device.connect(self.world.nodes[0])
        await self.rest()
        for _ in range(_DRAIN_ROUNDS):
            if not any(device.outbox for device in staying):
                break
            for device in staying:
                device.send_again()
                await self.rest()
        assert not any(device.outbox for device in staying), "what was written is sent"
        await self.world.wait(20, self.rest)
        assert not (second.revoked and second.online), "who is signed out has no line"
        for device in staying:
            assert device.online, "a line that is used stays"
            assert device.counts == self.stage.records.counts(device.actor.account_id)
        self._check_positions()

    async def _wait_on_the_lines_that_are_left(self) -> None:
        """Whatever was lost on the bus is found by the next look at all heads."""
        for device in self.devices:
            if device.stalled:
                device.hang_up()
        self.world.ether.under_way.clear()
        await self.world.wait(20, self.rest)
        self._check_positions()

    def _check_positions(self) -> None:
        heads = self.stage.records.heads()
        for device in self.devices:
            if device.online and not device.revoked:
                assert device.pos == heads[str(device.actor.account_id)], "all events have come"
