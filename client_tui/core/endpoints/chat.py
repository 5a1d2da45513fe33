"""Chatrooms, messages, notifications and sync."""

from uuid import UUID, uuid4

from client_tui.core.endpoints.calls import Calls
from shared_models.base import Page
from shared_models.chat import (
    Chatroom,
    ChatroomDetail,
    Message,
    MessagePage,
    OpenRoom,
    ReadUpTo,
    SendMessage,
)
from shared_models.notifications import Notification, NotificationsRead
from shared_models.sync import Bootstrap, Ticket


class ChatCalls(Calls):
    """``/v1/chatrooms`` and ``/v1/messages``."""

    async def open_room(self, listing_id: UUID, *, key: UUID | None = None) -> ChatroomDetail:
        """The room about a listing, made when there is none (T1)."""
        return await self._post(
            ChatroomDetail, "/v1/chatrooms", OpenRoom(listing_id=listing_id), key=key
        )

    async def rooms(self, *, cursor: str | None = None, limit: int = 20) -> Page[Chatroom]:
        """Rooms, newest activity first."""
        return await self._page(Chatroom, "/v1/chatrooms", cursor, limit)

    async def room(self, room_id: UUID) -> ChatroomDetail:
        """A room with trade, offer and appointment."""
        return await self._get(ChatroomDetail, f"/v1/chatrooms/{room_id}")

    async def messages(
        self,
        room_id: UUID,
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        limit: int = 20,
    ) -> MessagePage:
        """A stretch of history, ascending; without a place, the newest."""
        return await self._get(
            MessagePage,
            f"/v1/chatrooms/{room_id}/messages",
            before=before,
            after=after,
            around=around,
            limit=limit,
        )

    async def send_message(self, room_id: UUID, message: SendMessage) -> Message:
        """Send; the same ``cid`` again gives the first message."""
        return await self._post(
            Message, f"/v1/chatrooms/{room_id}/messages", message, key=message.cid
        )

    async def delete_message(self, room_id: UUID, seq: int) -> None:
        """Delete one's own message within five minutes."""
        await self._act("DELETE", f"/v1/chatrooms/{room_id}/messages/{seq}")

    async def mark_read(self, room_id: UUID, seq: int) -> None:
        """Everything up to ``seq`` was seen."""
        await self._act("PUT", f"/v1/chatrooms/{room_id}/read", ReadUpTo(seq=seq))

    async def mute(self, room_id: UUID) -> None:
        """No notifications from this room."""
        await self._act("PUT", f"/v1/chatrooms/{room_id}/mute")

    async def unmute(self, room_id: UUID) -> None:
        """Undo :meth:`mute`."""
        await self._act("DELETE", f"/v1/chatrooms/{room_id}/mute")

    async def leave(self, room_id: UUID) -> None:
        """Leave a room (rule 15)."""
        await self.http.call("POST", f"/v1/chatrooms/{room_id}/leave", key=uuid4())

    async def search_messages(
        self,
        q: str,
        *,
        room_id: UUID | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> Page[Message]:
        """Messages of one's own rooms, or of one, that hold the words, newest first."""
        return await self._page(
            Message, "/v1/messages/search", cursor, limit, q=q, chatroom_id=room_id
        )


class NotificationCalls(Calls):
    """``/v1/notifications``."""

    async def notifications(
        self, *, cursor: str | None = None, limit: int = 20
    ) -> Page[Notification]:
        """Notices, newest first."""
        return await self._page(Notification, "/v1/notifications", cursor, limit)

    async def read_notifications(self, up_to_id: UUID) -> None:
        """Everything up to this notice was read."""
        await self._act("PUT", "/v1/notifications/read", NotificationsRead(up_to_id=up_to_id))


class SyncCalls(Calls):
    """``/v1/sync`` and ``/v1/realtime/tickets``."""

    async def bootstrap(self) -> Bootstrap:
        """The state of the account, and the position from which events go on."""
        return await self._get(Bootstrap, "/v1/sync/bootstrap")

    async def ticket(self) -> Ticket:
        """A one-use ticket for ``hello``; never repeated by itself."""
        answer = await self.http.call("POST", "/v1/realtime/tickets")
        return self._read(Ticket, answer)
