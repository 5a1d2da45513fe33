"""What accounts need to know of the rooms above them; ``app`` stands the answers behind these."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork
from shared_models.trades import Trade


@dataclass(frozen=True, slots=True)
class OpenTrades:
    """The port through which ``trades`` says what would be left hanging."""

    between: Callable[[UnitOfWork, UUID, UUID], Awaitable[bool]]
    """Whether the two have a trade that a block would cancel (reserved; T14)."""

    of: Callable[[UnitOfWork, UUID], Awaitable[bool]]
    """Whether the account is a party of any open trade (H10)."""

    settle: Callable[[Context, UUID], Awaitable[None]]
    """``(context, account_id)``: run what is overdue of it, before it is read (H5)."""

    shown: Callable[[UnitOfWork, UUID], Awaitable[list[Trade]]]
    """The account's trades as it sees them, open ones among them; for whoever is refused."""


@dataclass(frozen=True, slots=True)
class Dealings:
    """The port through which ``chat`` holds what two accounts deal about."""

    hold: Callable[[UnitOfWork, UUID, UUID], Awaitable[frozenset[UUID]]]
    """Hold the listings that the two have rooms on, first of all (H15); their ids."""


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


class ExportRow(NamedTuple):
    """A row of an account's archive; ``file`` is the name of the file it goes to, without type."""

    file: str
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExportParts:
    """The port through which the rooms above give what they keep about an account.

    A part yields all rows of one file before those of the next. It says of other people only what
    the account sees of them: the cards of those it dealt with, and what they wrote to it.
    """

    parts: tuple[Callable[[UnitOfWork, UUID], AsyncIterator[ExportRow]], ...]
