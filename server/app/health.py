"""``/healthz``, ``/readyz`` and ``/metrics``: unversioned, for whoever runs the server."""

import json

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from server.platform.context import Context
from server.platform.migrate import schema_is_current
from server.platform.object_store import ObjectStore, ObjectStoreError

router = APIRouter(tags=["operations"], include_in_schema=False)


async def failing_parts(context: Context) -> list[str]:
    """What this server needs and cannot use now; empty when all is well."""
    failing = []
    if not await schema_is_current(context.database):
        failing.append("database")
    try:
        await context.wiring.port(ObjectStore).check()
    except ObjectStoreError:
        failing.append("object_store")
    return failing


@router.get("/healthz")
async def healthz() -> Response:
    """Alive."""
    return Response('{"status":"ok"}', media_type="application/json")


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Ready for work: everything it needs is reachable and it is not draining."""
    if request.app.state.rooms.draining:
        return Response('{"status":"draining"}', 503, media_type="application/json")
    failing = await failing_parts(request.app.state.context)
    if failing:
        body = json.dumps({"status": "unready", "failing": failing})
        return Response(body, 503, media_type="application/json")
    return Response('{"status":"ready"}', media_type="application/json")


@router.get("/metrics")
async def metrics() -> Response:
    """Prometheus text."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
