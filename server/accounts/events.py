"""What accounts announce."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """What the account's own devices or its cards show has changed."""

    account_id: UUID


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A device was signed out: its sockets are to be closed."""

    account_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class AccountBlocked:
    """``account_id`` has blocked ``blocked_id``: a reserved trade of the two is cancelled (T14)."""

    account_id: UUID
    blocked_id: UUID


@dataclass(frozen=True, slots=True)
class AccountUnblocked:
    """``account_id`` has taken its block of ``unblocked_id`` back."""

    account_id: UUID
    unblocked_id: UUID


@dataclass(frozen=True, slots=True)
class AccountDeleted:
    """The account is gone: what it offered goes with it."""

    account_id: UUID
