"""What notifications announce."""

from dataclasses import dataclass
from uuid import UUID

from shared_models.notifications import Notification


@dataclass(frozen=True, slots=True)
class NotificationCreated:
    """A notice has been written for an account."""

    notification: Notification
    account_id: UUID
