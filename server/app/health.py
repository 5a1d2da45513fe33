"""``/healthz``, ``/startedz``, ``/readyz``, ``/metrics``: unversioned, for who runs the server."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Mapping

import structlog
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from server.app.metrics import READY
from server.app.roles import Role
from server.platform.bus import BusError
from server.platform.context import Context
from server.platform.migrate import schema_is_current
from server.platform.object_store import ObjectStore, ObjectStoreError

log = structlog.get_logger("health")

router = APIRouter(tags=["operations"], include_in_schema=False)

DATABASE = "database"
"""Without it nobody can be served. Without the others there is less: see decision 0032."""

_KEPT_S = 1.0
_ANSWERS_WITHIN_S = 1.5
"""Less than who asks us waits."""
_OPENS_WITHIN_S = 2.5
"""The same until all was there once: lines to it are only being opened."""
_NOTED_WITHIN_S = 0.5
"""Less than who reads figures waits: the ones of this process are worth more than these few."""
_SLICE_S = 0.1
"""What is waited at once: a process that lets thousands in has its loop held up meanwhile, and does
not take its own lateness for that of what it asks.
"""


async def _ask_database(context: Context) -> bool:
    return await schema_is_current(context.database)


async def _ask_store(context: Context) -> bool:
    try:
        await context.wiring.port(ObjectStore).check()
    except ObjectStoreError:
        return False
    return True


async def _ask_bus(context: Context) -> bool:
    try:
        await context.bus.check()
    except BusError:
        return False
    return True


def _parts(role: Role) -> Mapping[str, Callable[[Context], Coroutine[None, None, bool]]]:
    """What a server of this role needs, and how it is asked."""
    parts = {DATABASE: _ask_database, "object_store": _ask_store, "bus": _ask_bus}
    if role is Role.REALTIME:  # which has nothing to do with objects, nor the right to
        del parts["object_store"]
    return parts


class Readiness:
    """Whether this server can do its work; looked up once a second, however often it is asked."""

    def __init__(
        self, context: Context, role: Role, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._context = context
        self._parts = _parts(role)
        self._monotonic = monotonic
        self._asking = asyncio.Lock()
        self._asked_at: float | None = None
        self._failing: list[str] = []
        self._has_been_ready = False
        self._noting: asyncio.Task[list[str]] | None = None
        self._broken: set[str] = set()
        """What could not even be asked, and has been logged."""

    async def failing(self) -> list[str]:
        """What it needs and cannot use; empty when all is well."""
        async with self._asking:
            if self._asked_at is None or self._monotonic() - self._asked_at >= _KEPT_S:
                self._failing = await self._ask()
                self._asked_at = self._monotonic()
                self._has_been_ready |= not self._failing
            return self._failing

    async def note(self) -> None:
        """Have its figures set, and wait a moment for it: later ones are read the next time."""
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self.failing(), name="note readiness")
        await asyncio.wait([self._noting], timeout=_NOTED_WITHIN_S)

    async def _ask(self) -> list[str]:
        """Ask all at once, and wait for a moment: who has not answered by then is away."""
        asked = {
            part: asyncio.create_task(self._works(part), name=f"ask the {part}")
            for part in self._parts
        }
        patience_s = _ANSWERS_WITHIN_S if self._has_been_ready else _OPENS_WITHIN_S
        late = set(asked.values())
        try:
            for _ in range(round(patience_s / _SLICE_S)):
                _answers, late = await asyncio.wait(late, timeout=_SLICE_S)
                if not late:
                    break
        finally:
            for task in asked.values():
                task.cancel()
        failing = [part for part, task in asked.items() if task in late or not task.result()]
        for part in self._parts:
            READY.labels(part).set(part not in failing)
        return failing

    async def _works(self, part: str) -> bool:
        """Whether a part can be used; one that fails in a way nobody foresaw cannot."""
        try:
            works = await self._parts[part](self._context)
        except Exception:
            if part not in self._broken:
                log.exception("part_not_asked", part=part)
            self._broken.add(part)
            return False
        self._broken.discard(part)
        return works

    async def missing_since_start(self) -> list[str]:
        """What it needs and has never been able to use together; empty for good from then on."""
        return [] if self._has_been_ready else await self.failing()


@router.get("/healthz")
async def healthz() -> Response:
    """Alive."""
    return Response('{"status":"ok"}', media_type="application/json")


@router.get("/startedz")
async def startedz(request: Request) -> Response:
    """Ready once, and then for good: no outage undoes it, and what cannot work never is."""
    missing = await request.app.state.readiness.missing_since_start()
    told = {"status": "starting", "failing": missing} if missing else {"status": "started"}
    return Response(json.dumps(told), 503 if missing else 200, media_type="application/json")


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Ready for work: everything it needs is reachable and it is not draining.

    ``/readyz?serving`` is for who sends people here: it is 503 only for what keeps all of them from
    being served, and tells of the rest.
    """
    if request.app.state.background.draining:
        return Response('{"status":"draining"}', 503, media_type="application/json")
    failing = await request.app.state.readiness.failing()
    unready = DATABASE in failing if "serving" in request.query_params else bool(failing)
    told: dict[str, object] = {"status": "unready" if unready else "ready"}
    if failing:
        told["failing"] = failing
    replica = request.app.state.context.database.replica
    if replica is not None:  # it can be done without
        await replica.is_near()
        told["replica"] = replica.state
    return Response(json.dumps(told), 503 if unready else 200, media_type="application/json")


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Prometheus text."""
    await request.app.state.readiness.note()
    text = await request.app.state.metrics.text()
    return Response(text, media_type=CONTENT_TYPE_LATEST)
