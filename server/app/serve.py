"""Runs a process: bind, migrate, listen, and drain on SIGTERM."""

import asyncio
import gc
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from server.app.asgi import create_app
from server.app.background import Background
from server.app.container import build_context, close_context
from server.app.frames_protocol import FramesProtocol
from server.app.logs import configure_logs
from server.app.settings import Settings, SettingsError
from server.platform.database import Database
from server.platform.failures import DATABASE_FAILURES, why_unavailable
from server.platform.migrate import SchemaTooOld, require_schema, upgrade_database
from shared_models.bounds import FRAME_BYTES_MAX

_GRACE_S = 10
_KEEP_ALIVE_S = 130
"""Longer than who asks keeps a connection that nothing comes on: Caddy two minutes, AWS's balancer
one. The one to close it must be the one who sends, or a request meets a connection that goes."""
_ECHO_S = 0.5


class DrainingServer(uvicorn.Server):
    """uvicorn closes sockets with 1012 on a signal; this one drains first, as the protocol says."""

    def __init__(
        self, config: uvicorn.Config, background: Background, on_ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._background = background
        self._on_ready = on_ready
        self._heard_at: dict[int, float] = {}

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say when requests are answered."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First signal: drain. A second one, or ctrl-c: go at once, but close what is open.

        uvicorn would raise the signal again when it has ended, amid that closing.

        A terminal and a service manager signal the whole group, in which the launcher of the one
        file passes on what it gets: what comes twice within a moment was meant once.
        """
        now = time.monotonic()
        if now - self._heard_at.get(sig, float("-inf")) < _ECHO_S:
            return
        self._heard_at[sig] = now
        if sig == signal.SIGINT or self._background.draining or not self.started:
            self.force_exit = self.should_exit
            self.should_exit = True
            return
        asyncio.get_running_loop().call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self._draining = asyncio.create_task(self._drain_then_exit())

    async def _drain_then_exit(self) -> None:
        try:
            await self._background.drain()
        finally:
            self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, so that the port is known before anything is built on it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    listener.listen(2048)
    listener.setblocking(False)
    return listener


def base_url_of(listener: socket.socket) -> str:
    """How a client on this machine reaches the socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(settings: Settings) -> None:
    """Run until a signal; prints ``listening on URL`` once requests are answered."""
    gc.disable()  # a start leaves hardly any garbage, and looking for it is a tenth of it
    configure_logs(settings.log_level)
    uvicorn_loop = uvicorn.Config("", loop="auto", log_config=None).get_loop_factory()
    with asyncio.Runner(loop_factory=uvicorn_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    listener = listen(settings.host, settings.port)
    base_url = base_url_of(listener)
    context = build_context(settings, base_url=settings.public_url or base_url)
    try:
        await _prepare_schema(context.database, settings)
        app = create_app(context, settings)
        server = DrainingServer(
            configured(app, settings),
            app.state.background,
            lambda: _announce(settings, base_url),
        )
        await server.serve([listener])
    finally:
        await close_context(context)


def configured(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """How the app is served."""
    return uvicorn.Config(
        app,
        http="httptools",
        ws=FramesProtocol,
        ws_max_size=FRAME_BYTES_MAX,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=[str(network) for network in settings.trusted_proxies],
    )


async def _prepare_schema(database: Database, settings: Settings) -> None:
    """Migrate, or refuse to start on a schema that somebody else has not migrated yet."""
    try:
        if settings.migrates:
            await upgrade_database(database)
        else:
            await require_schema(database)
    except SchemaTooOld as error:
        raise SettingsError(str(error)) from error
    except DATABASE_FAILURES as error:
        if (reason := why_unavailable(error)) is None:
            raise
        raise SettingsError(reason) from error


def _announce(settings: Settings, base_url: str) -> None:
    # What is there by now stays; to look all through it stops everybody for a tenth of a second.
    gc.freeze()
    gc.enable()
    if not settings.rate_limits:
        print("rate limits are off", file=sys.stderr)
    print(f"listening on {base_url}", flush=True)
