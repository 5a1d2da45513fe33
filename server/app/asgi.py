"""The ASGI application of one process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response
from fastapi.telemetry import TelemetryConfig
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from server.app.background import Background, http_routers
from server.app.health import Readiness
from server.app.health import router as health_router
from server.app.market import describe_market
from server.app.metrics import Metrics
from server.app.other_roles import refuse_http, refuse_sockets
from server.app.roles import Role
from server.app.settings import Settings
from server.app.version import picky_version
from server.app.watch import Watch
from server.platform.body_limit import BodyLimit
from server.platform.context import Context
from server.platform.http import install_problem_handlers
from server.platform.object_store import MOUNT_PATH, EmbeddedFiles
from server.realtime.door import SocketDoor
from shared_models.bounds import PHOTO_BYTES_MAX
from shared_models.market import Market
from shared_models.problem import Problem

MAX_BODY_BYTES = 1024 * 1024
# FastAPI's own spans hold queries, and with them what people look for; Watch makes ours.
_NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "auto_configure": False,
}
_PROBLEMS = {
    "4XX": {
        "model": Problem,
        "description": "Refused; `code` says why.",
        "content": {"application/problem+json": {}},
    }
}


def create_app(context: Context, settings: Settings) -> FastAPI:
    """The application over a wired context; its lifespan starts and stops the background work."""
    background = Background(context, settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await background.start()
        try:
            yield
        finally:
            await background.stop()

    app = FastAPI(
        title="Picky",
        version=picky_version(),
        summary="A second-hand market that lives in the terminal.",
        lifespan=lifespan,
        redoc_url=None,
        telemetry=_NO_TELEMETRY,
        openapi_url="/openapi.json" if settings.role.serves(Role.API) else None,
        responses=_PROBLEMS,  # type: ignore[arg-type]
    )
    app.state.context = context
    app.state.settings = settings
    app.state.background = background
    app.state.readiness = Readiness(context, settings.role)
    app.state.metrics = Metrics(context, settings.role)
    install_problem_handlers(app)
    app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES, but_under=MOUNT_PATH)
    app.add_middleware(Watch, traces=context.traces)
    _add_routes(app, context, settings)
    return app


def _add_routes(app: FastAPI, context: Context, settings: Settings) -> None:
    """The busiest first: they are tried in their order, and each costs those after it."""
    role = settings.role
    if role.serves(Role.API):
        for router in http_routers():
            app.include_router(router)
        _add_market_route(app, settings)
    if role.serves(Role.REALTIME):
        app.add_middleware(SocketDoor, context=context)
    else:
        refuse_sockets(app, role)
    app.include_router(health_router)
    _mount_embedded_store(app, context, settings)
    if not role.serves(Role.API):
        refuse_http(app, role)


def _add_market_route(app: FastAPI, settings: Settings) -> None:
    market = describe_market(settings).model_dump_json()

    @app.get("/v1/market", tags=["market"], response_model=Market)
    async def read_market() -> Response:
        """The closed lists and limits that every form needs."""
        return Response(
            market,
            media_type="application/json",
            headers={"Cache-Control": "public, max-age=60"},
        )


def _mount_embedded_store(app: FastAPI, context: Context, settings: Settings) -> None:
    if settings.object_store_url:
        return
    from server.platform.object_store.embedded_app import EmbeddedStoreApp

    files = context.wiring.port(EmbeddedFiles)
    files.drop_unfinished()
    store = EmbeddedStoreApp(files, context.clock)
    app.mount(MOUNT_PATH, RequestBodyLimitMiddleware(store, PHOTO_BYTES_MAX))
