"""The other people of the demo market: they answer, and now and then begin something."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from uuid import UUID

from client_tui.core.clock import Clock, SystemClock
from client_tui.core.errors import ClientError
from client_tui.demo.habits import first_step, next_step
from client_tui.demo.neighbour import Neighbour
from client_tui.store import Change, ListingChanged, MessageChanged, Store
from shared_models.chat import Chatroom, ChatroomDetail, Message
from shared_models.listings import ListingCard, ListingState

_NOTICED_AFTER_S = (1.0, 2.5)
_BETWEEN_STEPS_S = (1.0, 2.0)
_FOUND_AFTER_S = (4.0, 8.0)
_FIRST_AFTER_S = (12.0, 18.0)
_EVERY_S = (40.0, 80.0)
_NEAR = 8


class Neighbours:
    """Everybody else, woken by what the demo person does. Run it for as long as the app."""

    def __init__(
        self,
        server: str,
        password: str,
        store: Store,
        *,
        clock: Clock | None = None,
        rng: Random | None = None,
    ) -> None:
        """``store`` is the demo person's; ``password`` is everybody's."""
        self._server = server
        self._password = password
        self._store = store
        self._clock = clock or SystemClock()
        self._rng = rng or Random()
        self._here: dict[str, Neighbour] = {}
        self._arriving = asyncio.Lock()
        self._heard: dict[UUID, Message] = {}
        """What the demo person said or did last in a room, until somebody turns to it."""
        self._busy: set[UUID] = set()
        self._found: set[UUID] = set()
        self._group: asyncio.TaskGroup

    async def run(self) -> None:
        """Live until cancelled."""
        unsubscribe = self._store.subscribe(self._hear)
        try:
            async with asyncio.TaskGroup() as self._group:
                await self._begin_things()
        finally:
            unsubscribe()
            await asyncio.gather(*(one.leave() for one in self._here.values()))

    def _hear(self, change: Change) -> None:
        if isinstance(change, MessageChanged) and self._is_mine(change.message):
            self._heard[change.message.chatroom_id] = change.message
            if change.message.chatroom_id not in self._busy:
                self._start(self._answer, change.message.chatroom_id)
        elif isinstance(change, ListingChanged) and self._is_new(change.card):
            self._found.add(change.card.id)
            self._start(self._visit, change.card.id)

    def _start(self, what: Callable[[UUID], Awaitable[None]], about: UUID) -> None:
        self._group.create_task(self._trying(what, about))

    async def _trying(self, what: Callable[[UUID], Awaitable[None]], about: UUID) -> None:
        """People meet with refusals; nobody but themselves needs to hear of it."""
        try:
            await what(about)
        except ClientError:
            return

    def _is_mine(self, message: Message) -> bool:
        """Whether the demo person has written or done this."""
        actor = message.system.actor_id if message.system else message.sender_id
        return actor is not None and actor == self._store.me

    def _is_new(self, card: ListingCard) -> bool:
        """Whether it is a listing of the demo person that nobody has asked about."""
        asked = any(room.listing.id == card.id for room in self._store.state.rooms.values())
        return card.state is ListingState.SELLING and not asked and card.id not in self._found

    async def _answer(self, room_id: UUID) -> None:
        """Answer what happened in a room until there is nothing left to answer."""
        self._busy.add(room_id)
        try:
            await self._pause(_NOTICED_AFTER_S)
            neighbour = await self._neighbour_in(room_id)
            while neighbour is not None:
                heard = self._heard.pop(room_id, None)
                room = await neighbour.look(room_id)
                step = next_step(room, heard, neighbour.id, self._rng)
                if step is not None:
                    await self._pause(_BETWEEN_STEPS_S)
                    await neighbour.do(room, step)
                elif room_id not in self._heard:
                    return
        finally:
            self._busy.discard(room_id)

    async def _visit(self, listing_id: UUID) -> None:
        """Somebody finds a new listing and asks about it."""
        await self._pause(_FOUND_AFTER_S)
        rooms = self._open_rooms()
        if not rooms:
            return
        neighbour = await self._neighbour(self._rng.choice(rooms))
        await self._begin(neighbour, await neighbour.api.open_room(listing_id))

    async def _begin_things(self) -> None:
        await self._pause(_FIRST_AFTER_S)
        while True:
            rooms = [room for room in self._open_rooms() if room.id not in self._busy]
            if rooms:
                self._start(self._begin_in, self._rng.choice(rooms[:_NEAR]).id)
            await self._pause(_EVERY_S)

    async def _begin_in(self, room_id: UUID) -> None:
        neighbour = await self._neighbour_in(room_id)
        if neighbour is not None:
            await self._begin(neighbour, await neighbour.look(room_id))

    async def _begin(self, neighbour: Neighbour, room: ChatroomDetail) -> None:
        await neighbour.do(room, first_step(room, neighbour.id, self._rng))

    def _open_rooms(self) -> list[Chatroom]:
        """Rooms about things on sale, the newest first."""
        rooms = self._store.rooms_by_activity()
        selling = ListingState.SELLING
        return [one for one in rooms if one.state == "open" and one.listing.state is selling]

    async def _neighbour_in(self, room_id: UUID) -> Neighbour | None:
        """The other side of a room, if the demo person's app knows of the room."""
        room = self._store.state.rooms.get(room_id)
        return None if room is None else await self._neighbour(room)

    async def _neighbour(self, room: Chatroom) -> Neighbour:
        """The other side of a room, signed in when first needed."""
        handle = room.other.handle or ""
        async with self._arriving:
            if handle not in self._here:
                self._here[handle] = await Neighbour.arrive(
                    self._server, handle, self._password, self._clock
                )
        return self._here[handle]

    async def _pause(self, between: tuple[float, float]) -> None:
        await self._clock.sleep(self._rng.uniform(*between))
