"""Rates by address are those of who asks; only a proxy that is trusted says who that is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from server.app.serve import base_url_of, configured, listen
from server.app.settings import Settings, SettingsError, load_settings
from server.platform.context import Context
from server.platform.rates import RateLimiter

BURST = 30
ADDRESS = "X-Forwarded-For"


@asynccontextmanager
async def served(app: FastAPI, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Who asks the application on loopback, as uvicorn serves it with these settings."""
    server, listener = uvicorn.Server(configured(app, settings)), listen("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        async with httpx.AsyncClient(base_url=base_url_of(listener), timeout=20) as client:
            yield client
    finally:
        server.should_exit = True
        await serving


async def sign_in(client: httpx.AsyncClient, number: int, address: str) -> int:
    form = {"handle": f"nobody_{number}", "password": "not the right one"}
    answer = await client.post("/v1/sessions", json=form, headers={ADDRESS: address})
    return answer.status_code


@pytest.mark.parametrize(("trusted", "others"), [(["127.0.0.0/8"], 401), ([], 429)])
async def test_a_trusted_proxy_tells_who_asks(
    app: FastAPI, context: Context, settings: Settings, trusted: list[str], others: int
) -> None:
    object.__setattr__(context, "rates", RateLimiter(lambda: 0.0))
    behind = load_settings(data_dir=settings.data_dir, trusted_proxies=trusted)
    async with served(app, behind) as client:
        answers = [await sign_in(client, number, "203.0.113.1") for number in range(BURST + 1)]
        assert (set(answers[:BURST]), answers[BURST]) == ({401}, 429)
        assert await sign_in(client, BURST + 1, "203.0.113.2") == others
        assert await sign_in(client, BURST + 3, "::ffff:203.0.113.1") == 429, "it is the same one"
        forged = "198.51.100.9, 203.0.113.1"
        forging = await sign_in(client, BURST + 2, forged)
        assert forging == 429, "what a client adds itself counts nothing"


def test_what_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICKY_TRUSTED_PROXIES", '["the proxy"]')
    with pytest.raises(SettingsError, match="PICKY_TRUSTED_PROXIES"):
        load_settings()
