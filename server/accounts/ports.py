"""What accounts need to know of the rooms above them; ``app`` stands the answers behind these."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from server.platform.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class OpenTrades:
    """The port through which ``trades`` says what would be left hanging."""

    between: Callable[[UnitOfWork, UUID, UUID], Awaitable[bool]]
    """Whether the two have a trade that a block would cancel (reserved; T14)."""

    of: Callable[[UnitOfWork, UUID], Awaitable[bool]]
    """Whether the account is a party of any open trade (H10)."""


@dataclass(frozen=True, slots=True)
class ResponseFigures:
    """How an account answers: the share within 24 h (0 to 1) and the median first reply.

    Over the chatrooms of the last 90 days; both None below five of them (rule 20).
    """

    rate: float | None = None
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Responsiveness:
    """The port through which ``chat`` says how an account answers."""

    of: Callable[[UnitOfWork, UUID], Awaitable[ResponseFigures]]
