"""``/healthz``, ``/readyz`` and ``/metrics``: unversioned, for whoever runs the server."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from server.platform.context import Context
from server.platform.object_store import ObjectStore
from server.platform.unit_of_work import reading

router = APIRouter(tags=["operations"], include_in_schema=False)


async def failing_parts(context: Context) -> dict[str, str]:
    """What this server needs and cannot reach, with the reason; empty when all is well."""
    checks: dict[str, Callable[[Context], Awaitable[None]]] = {
        "database": _check_database,
        "object_store": lambda context: context.wiring.port(ObjectStore).check(),
    }
    failing: dict[str, str] = {}
    for name, check in checks.items():
        try:
            await check(context)
        except Exception as error:  # each part must be reported, whatever is wrong with it
            failing[name] = f"{type(error).__name__}"
    return failing


async def _check_database(context: Context) -> None:
    async with reading(context) as work:
        await work.scalar(text("SELECT version_num FROM alembic_version"))


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
        names = ", ".join(f'"{name}"' for name in failing)
        body = f'{{"status":"unready","failing":[{names}]}}'
        return Response(body, 503, media_type="application/json")
    return Response('{"status":"ready"}', media_type="application/json")


@router.get("/metrics")
async def metrics() -> Response:
    """Prometheus text."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
