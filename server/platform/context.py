"""What every unit of work can reach: made once by ``app``, passed down, never global."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from server.platform.clock import Clock
from server.platform.database import Database
from server.platform.ids import MakeId
from server.platform.passwords import Passwords
from server.platform.rates import RateLimiter
from server.platform.secrets import Secret
from server.platform.traces import NO_TRACES, Traces
from shared_models.market import Limits

if TYPE_CHECKING:
    from server.platform.bus import Bus
    from server.platform.unit_of_work import UnitOfWork

Port = TypeVar("Port")
Handler = Callable[["UnitOfWork", Any], Awaitable[None]]
Closing = Callable[["UnitOfWork", list[Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: always from a token, never from a payload."""

    account_id: UUID
    session_id: UUID
    wrote_at: datetime | None = field(default=None, compare=False)
    """When the session last wrote; noted only where there is a replica, which may not know."""


class Wiring:
    """What ``app`` plugs together: who hears which event, and which object stands behind a port."""

    def __init__(self) -> None:
        self._handlers: defaultdict[type, list[Handler]] = defaultdict(list)
        self._closing: list[Closing] = []
        self._ports: dict[type, object] = {}

    def on(self, event: type, handler: Handler) -> None:
        """Call ``handler(work, event)`` inside the transaction whenever one is announced."""
        self._handlers[event].append(handler)

    def at_end(self, handler: Closing) -> None:
        """Call ``handler(work, all_events)`` last, right before the commit."""
        self._closing.append(handler)

    def provide(self, port: type[Port], implementation: Port) -> None:
        """Stand ``implementation`` behind ``port``."""
        self._ports[port] = implementation

    def handlers(self, event: type) -> list[Handler]:
        """Who hears this type of event."""
        return self._handlers[event]

    def closing(self) -> list[Closing]:
        """Who is called right before the commit."""
        return self._closing

    def port(self, port: type[Port]) -> Port:
        """What stands behind ``port``."""
        return cast("Port", self._ports[port])


@dataclass(frozen=True, slots=True)
class Context:
    """The tools of one server process."""

    database: Database
    clock: Clock
    make_id: MakeId
    limits: Limits
    secret: Secret
    passwords: Passwords
    rates: RateLimiter
    bus: Bus
    wiring: Wiring = field(default_factory=Wiring)
    traces: Traces = NO_TRACES
