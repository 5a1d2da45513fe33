"""What runs beside the requests, by role: the worker and the realtime hub; and all routes."""

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter

from server.accounts import jobs as accounts_jobs
from server.accounts import routes as accounts_routes
from server.app.roles import Role
from server.app.settings import Settings
from server.chat import jobs as chat_jobs
from server.chat import routes as chat_routes
from server.listings import jobs as listings_jobs
from server.listings import routes as listings_routes
from server.media import jobs as media_jobs
from server.media import routes as media_routes
from server.notifications import jobs as notifications_jobs
from server.notifications import routes as notifications_routes
from server.platform import housekeeping
from server.platform.bus import LocalBus
from server.platform.context import Context
from server.platform.jobs import Bell, Periodic, Run, Worker
from server.realtime import jobs as realtime_jobs
from server.realtime import routes as realtime_routes
from server.realtime.node import RealtimeNode
from server.realtime.settings import RealtimeSettings
from server.trades import jobs as trades_jobs
from server.trades import routes as trades_routes

_JOBS_END_WITHIN_S = 20.0
"""No longer than the sockets of a process are given to go."""
_STOPS_WITHIN_S = 5.0


def http_routers() -> list[APIRouter]:
    """The HTTP of all rooms, the busiest first: each one that does not match costs a little."""
    return [
        chat_routes.router,
        listings_routes.router,
        media_routes.router,
        accounts_routes.router,
        trades_routes.router,
        notifications_routes.router,
        realtime_routes.router,
    ]


def runners() -> Mapping[str, Run]:
    """What the worker can run, by kind."""
    return {
        **housekeeping.RUNNERS,
        **media_jobs.RUNNERS,
        **accounts_jobs.RUNNERS,
        **listings_jobs.RUNNERS,
        **chat_jobs.RUNNERS,
        **trades_jobs.RUNNERS,
        **notifications_jobs.RUNNERS,
        **realtime_jobs.RUNNERS,
    }


def deleting() -> frozenset[str]:
    """The kinds of jobs that delete objects."""
    return media_jobs.DELETING | accounts_jobs.DELETING


def periodic() -> tuple[Periodic, ...]:
    """What starts itself again."""
    return (
        *housekeeping.PERIODIC,
        *media_jobs.PERIODIC,
        *accounts_jobs.PERIODIC,
        *listings_jobs.PERIODIC,
        *chat_jobs.PERIODIC,
        *trades_jobs.PERIODIC,
        *notifications_jobs.PERIODIC,
        *realtime_jobs.PERIODIC,
    )


def _realtime_settings(settings: Settings) -> RealtimeSettings:
    limits = settings.limits
    return RealtimeSettings(
        allowed_origins=frozenset(settings.allowed_origins),
        frames_burst=limits.frames_burst,
        frames_per_s=limits.frames_per_s,
        connections_per_account=limits.connections_max,
    )


class Background:
    """Starts and stops the background work of a process, by its role."""

    def __init__(self, context: Context, settings: Settings) -> None:
        self._context = context
        self._settings = settings
        self._tasks: list[asyncio.Task[None]] = []
        self._worker: Worker | None = None
        self.draining = False
        self._realtime = RealtimeNode(context, _realtime_settings(settings))
        context.wiring.provide(RealtimeNode, self._realtime)

    async def start(self) -> None:
        """Start what this role runs."""
        role = self._settings.role
        if role.serves(Role.REALTIME):
            await self._realtime.start()
        if role.serves(Role.WORKER):
            self._context.bus.on_ring(self._context.wiring.port(Bell).ring)
            self._worker = Worker(self._context, runners(), periodic(), deleting=deleting())
            self._tasks.append(asyncio.create_task(self._worker.run(), name="worker"))

    async def drain(self) -> None:
        """Take no new work; running requests are finished by the server around this."""
        self.draining = True
        if self._worker is not None:
            self._worker.take_no_more()
        await asyncio.gather(self._realtime.drain(), self._jobs_end())

    async def _jobs_end(self) -> None:
        """Let jobs under way end, where others serve meanwhile; the rest are given back."""
        if self._tasks and not isinstance(self._context.bus, LocalBus):
            await asyncio.wait(self._tasks, timeout=_JOBS_END_WITHIN_S)

    async def stop(self) -> None:
        """Stop it; what waits for a database that hangs is not waited for."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOPS_WITHIN_S)
        await self._realtime.stop()
