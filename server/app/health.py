"""``/healthz``, ``/readyz`` and ``/metrics``: unversioned, for whoever runs the server."""

import asyncio
import json
import time
from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from server.platform.bus import BusError
from server.platform.context import Context
from server.platform.migrate import schema_is_current
from server.platform.object_store import ObjectStore, ObjectStoreError

router = APIRouter(tags=["operations"], include_in_schema=False)

_KEPT_S = 1.0


async def failing_parts(context: Context) -> list[str]:
    """What this server needs and cannot use now; empty when all is well."""
    failing = []
    if not await schema_is_current(context.database):
        failing.append("database")
    try:
        await context.wiring.port(ObjectStore).check()
    except ObjectStoreError:
        failing.append("object_store")
    try:
        await context.bus.check()
    except BusError:
        failing.append("bus")
    return failing


class Readiness:
    """Whether this server can do its work; looked up once a second, however often it is asked."""

    def __init__(self, context: Context, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._context = context
        self._monotonic = monotonic
        self._asking = asyncio.Lock()
        self._asked_at: float | None = None
        self._failing: list[str] = []

    async def failing(self) -> list[str]:
        """What it needs and cannot use; empty when all is well."""
        async with self._asking:
            if self._asked_at is None or self._monotonic() - self._asked_at >= _KEPT_S:
                self._failing = await failing_parts(self._context)
                self._asked_at = self._monotonic()
            return self._failing


@router.get("/healthz")
async def healthz() -> Response:
    """Alive."""
    return Response('{"status":"ok"}', media_type="application/json")


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Ready for work: everything it needs is reachable and it is not draining."""
    if request.app.state.rooms.draining:
        return Response('{"status":"draining"}', 503, media_type="application/json")
    failing = await request.app.state.readiness.failing()
    if failing:
        body = json.dumps({"status": "unready", "failing": failing})
        return Response(body, 503, media_type="application/json")
    return Response('{"status":"ready"}', media_type="application/json")


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Prometheus text."""
    text = await request.app.state.metrics.text()
    return Response(text, media_type=CONTENT_TYPE_LATEST)
