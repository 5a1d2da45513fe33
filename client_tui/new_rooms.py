"""Rooms of which a message is the first thing heard: they are read from the server and put."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from uuid import UUID

from client_tui.core.errors import ClientError
from client_tui.core.rooms import with_message
from client_tui.store import Store
from shared_models.chat import Chatroom, Message

Read = Callable[[UUID], Awaitable[Chatroom]]
Keep = Callable[[Chatroom], Awaitable[None]]


class NewRooms:
    """Each room is read once, however many messages come meanwhile.

    One that can't be read now is read when its next message comes, or comes with a bootstrap.
    """

    def __init__(self, store: Store, *, read: Read, keep: Keep) -> None:
        """``keep`` writes the room to the copies on disk, which missed the same message."""
        self._store = store
        self._read = read
        self._keep = keep
        self._heard: dict[UUID, list[Message]] = {}
        self._reading: dict[UUID, asyncio.Task[None]] = {}

    def heard(self, message: Message) -> None:
        """A message came in a room that is not known."""
        room_id = message.chatroom_id
        self._heard.setdefault(room_id, []).append(message)
        if room_id not in self._reading:
            self._reading[room_id] = asyncio.create_task(self._put(room_id))

    async def close(self) -> None:
        """Read no more."""
        reading = list(self._reading.values())
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)

    async def _put(self, room_id: UUID) -> None:
        try:
            with contextlib.suppress(ClientError):
                room = await self._read(room_id)
                # The answer may have been made before the last of them came.
                for message in self._heard[room_id]:
                    if self._store.me is not None:
                        room = with_message(room, message, self._store.me)
                self._store.put_room(room)
                await self._keep(room)
        finally:
            del self._reading[room_id], self._heard[room_id]
