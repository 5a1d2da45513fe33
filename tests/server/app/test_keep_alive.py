"""Connections that nothing comes on: kept for whoever asks again, and no reason to stay."""

import asyncio
import signal
from pathlib import Path
from typing import cast

import pytest
from starlette.responses import PlainTextResponse

from server.app.background import Background
from server.app.serve import DrainingServer, configured, listen
from server.app.settings import Settings
from tests.deploy.composed import DEPLOY

CADDY_S = 120
"""How long Caddy keeps a connection to a process, when nothing else is said."""
BALANCER_S = 60
"""The same of AWS's balancer."""
PATIENCE_S = 30


class NothingBeside:
    """What has nothing to wait for."""

    draining = False

    async def drain(self) -> None:
        self.draining = True


def test_they_are_kept_for_longer_than_a_proxy_does(tmp_path: Path) -> None:
    config = configured(PlainTextResponse("well"), Settings(data_dir=tmp_path))
    assert config.timeout_keep_alive > max(CADDY_S, BALANCER_S)
    assert "keepalive" not in (DEPLOY / "Caddyfile").read_text(), "as long as it does by itself"


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
async def test_who_ends_does_not_wait_for_them(tmp_path: Path, sign: signal.Signals) -> None:
    config = configured(PlainTextResponse("well"), Settings(data_dir=tmp_path))
    config.timeout_graceful_shutdown = 2 * PATIENCE_S  # which it would wait for a request
    ready = asyncio.Event()
    server = DrainingServer(config, cast(Background, NothingBeside()), ready.set)
    listener = listen("127.0.0.1", 0)
    served = asyncio.create_task(server._serve([listener]))
    await ready.wait()
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(b"GET / HTTP/1.1\r\nHost: market\r\n\r\n")
    assert await reader.readuntil(b"well")
    assert not reader.at_eof()
    server.handle_exit(sign, None)
    async with asyncio.timeout(PATIENCE_S):
        await served
        assert await reader.read() == b"", "it is closed"
    writer.close()
