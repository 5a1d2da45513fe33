"""What the server counts as a whole: requests; and all that is looked up when somebody asks."""

import asyncio
import time
from collections.abc import Callable

import structlog
from prometheus_client import (
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from server.app.background import deleting, runners
from server.app.roles import Role
from server.media import api as media
from server.platform import job_figures, state_gauges
from server.platform.context import Context
from server.platform.failures import DATABASE_FAILURES
from server.platform.metrics import measure_database
from server.platform.unit_of_work import reading
from server.realtime.node import RealtimeNode
from server.trades import api as trades

REQUEST_SECONDS = Histogram(
    "picky_http_request_duration_seconds",
    "Requests, by the template of their route and the class of their status.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
READY = Gauge("picky_ready", "1 for what this process needs and can use, else 0.", ["part"])

_KEPT_S = 15.0
_PATIENCE_S = 2.0

log = structlog.get_logger("metrics")

disable_created_metrics()  # type: ignore[no-untyped-call] # half of all lines; nobody reads them


class Metrics:
    """The text of ``/metrics``. What is in the database is looked up every 15 s at most, by
    processes that work on it: it is the same for all of them.
    """

    def __init__(
        self, context: Context, role: Role, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._context = context
        self._looks = role in (Role.ALL, Role.WORKER)
        self._monotonic = monotonic
        self._looking = asyncio.Lock()
        self._looked_at: float | None = None

    async def text(self) -> bytes:
        """All figures, as they are now."""
        if self._looks:
            async with self._looking:
                await self._look_sometimes()
        replica = self._context.database.replica
        if replica is not None:
            await replica.is_near()  # where nobody reads, nobody else asks
        measure_database(self._context.database)
        self._context.wiring.port(RealtimeNode).measure()
        return generate_latest()

    async def _look_sometimes(self) -> None:
        now = self._monotonic()
        if self._looked_at is not None and now - self._looked_at < _KEPT_S:
            return
        self._looked_at = now
        try:
            async with asyncio.timeout(_PATIENCE_S), reading(self._context) as work:
                await job_figures.measure(work, runners(), deleting())
                await media.measure(work)
                await trades.measure(work)
        except DATABASE_FAILURES as error:  # the other figures are wanted all the more now
            log.warning("figures_not_looked_up", error=type(error).__name__)
            state_gauges.forget_states()
            job_figures.forget()
