"""What notifications announce."""

from dataclasses import dataclass
from uuid import UUID

from shared_models.notifications import Notification, NotificationsSeen


@dataclass(frozen=True, slots=True)
class NotificationCreated:
    """A notice has been written for an account."""

    notification: Notification
    account_id: UUID


@dataclass(frozen=True, slots=True)
class NotificationsMarkedRead:
    """An account has read notices on one of its devices; the others have to hear of it."""

    seen: NotificationsSeen
    account_id: UUID
