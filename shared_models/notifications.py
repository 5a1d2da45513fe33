"""The notification centre (rule 16)."""

from enum import StrEnum
from typing import Any

from shared_models.base import Body, Id, Time, Wire


class NotificationKind(StrEnum):
    """Trade and system cannot be switched off, only silenced."""

    CHAT = "chat"
    TRADE = "trade"
    OFFER = "offer"
    ALERT = "alert"
    PRICE = "price"
    REVIEW = "review"
    SOCIAL = "social"
    SYSTEM = "system"


class Notification(Wire):
    """One notice. ``data`` names the objects it is about by id."""

    id: Id
    kind: NotificationKind
    event: str
    text: str
    data: dict[str, Any]
    read: bool
    silent: bool
    created_at: Time


class NotificationsRead(Body):
    """``PUT /v1/notifications/read``: everything up to this one is read."""

    up_to_id: Id


class NotificationsSeen(Wire):
    """Everything up to a notice was read on some device; ``unread`` ones are left.

    With a ``chatroom_id`` it was read in that chat: of these only the notices of its messages.
    """

    up_to_id: Id
    unread: int
    chatroom_id: Id | None = None
