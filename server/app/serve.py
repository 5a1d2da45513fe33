"""Runs a process: bind, migrate, listen, and drain on SIGTERM."""

import asyncio
import signal
import socket
import sys
from types import FrameType

import uvicorn

from server.app.asgi import create_app
from server.app.container import build_context, close_context
from server.app.logs import configure_logs
from server.app.settings import Settings, SettingsError
from server.platform.migrate import upgrade_database

_WS_MAX_BYTES = 32 * 1024
_GRACE_S = 10


class DrainingServer(uvicorn.Server):
    """uvicorn closes sockets with 1012 on a signal; this one drains first, as the protocol says."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First signal: drain. A second one, or ctrl-c: go at once."""
        rooms = self.config.loaded_app.state.rooms if self.config.loaded else None
        if sig == signal.SIGINT or rooms is None or rooms.draining:
            super().handle_exit(sig, frame)
            return
        asyncio.get_running_loop().call_soon_threadsafe(self._drain, rooms)

    def _drain(self, rooms: object) -> None:
        self._draining = asyncio.create_task(self._drain_then_exit(rooms))

    async def _drain_then_exit(self, rooms: object) -> None:
        try:
            await rooms.drain()  # type: ignore[attr-defined]
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
    configure_logs(settings.log_level)
    uvicorn_loop = uvicorn.Config("", loop="auto", log_config=None).get_loop_factory()
    with asyncio.Runner(loop_factory=uvicorn_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    listener = listen(settings.host, settings.port)
    base_url = base_url_of(listener)
    context = build_context(settings, base_url=settings.public_url or base_url)
    try:
        await upgrade_database(context.database)
        app = create_app(context, settings)
        config = uvicorn.Config(
            app,
            http="httptools",
            ws="websockets-sansio",
            ws_max_size=_WS_MAX_BYTES,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
            proxy_headers=False,
        )
        server = DrainingServer(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not running.done():
            await asyncio.sleep(0.005)
        if server.started:
            if not settings.rate_limits:
                print("rate limits are off", file=sys.stderr)
            print(f"listening on {base_url}", flush=True)
        await running
    finally:
        await close_context(context)
