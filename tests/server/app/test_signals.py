"""Signals ask a process to go, whether they come once or, as through a launcher, twice."""

import asyncio
import signal
from typing import cast

import pytest
import uvicorn

from server.app import serve
from server.app.background import Background
from server.app.serve import DrainingServer


class BusyWork:
    """Work that drains until it is told that it is done."""

    def __init__(self) -> None:
        self.draining = False
        self.done = asyncio.Event()

    async def drain(self) -> None:
        self.draining = True
        await self.done.wait()


def serving(background: BusyWork) -> DrainingServer:
    config = uvicorn.Config("", log_config=None)
    server = DrainingServer(config, cast(Background, background), lambda: None)
    server.started = True
    return server


A_MOMENT_S = 3600.0
"""Longer than a busy machine takes from one signal to the next."""


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_signal_that_is_passed_on_is_meant_once(
    monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    monkeypatch.setattr(serve, "_ECHO_S", A_MOMENT_S)
    background = BusyWork()
    server = serving(background)
    for _ in range(times):
        server.handle_exit(signal.SIGTERM, None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert (background.draining, server.should_exit) == (True, False)
    background.done.set()
    await server._draining
    assert server.should_exit


async def test_a_second_signal_later_on_ends_the_draining(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_ECHO_S", 0.0)
    background = BusyWork()
    server = serving(background)
    server.handle_exit(signal.SIGTERM, None)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (background.draining, server.should_exit) == (True, False)
    server.handle_exit(signal.SIGTERM, None)
    assert server.should_exit
    background.done.set()


async def test_ctrl_c_goes_at_once_even_amid_the_draining() -> None:
    background = BusyWork()
    server = serving(background)
    server.handle_exit(signal.SIGTERM, None)
    server.handle_exit(signal.SIGINT, None)
    assert server.should_exit
    background.done.set()


@pytest.mark.parametrize(("echo_s", "forced"), [(A_MOMENT_S, False), (0.0, True)])
async def test_ctrl_c_lets_requests_finish_until_it_is_pressed_again(
    monkeypatch: pytest.MonkeyPatch, echo_s: float, forced: bool
) -> None:
    monkeypatch.setattr(serve, "_ECHO_S", echo_s)
    server = serving(BusyWork())
    server.handle_exit(signal.SIGINT, None)
    server.handle_exit(signal.SIGINT, None)
    assert (server.should_exit, server.force_exit) == (True, forced)


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
async def test_no_signal_is_raised_again_amid_the_closing(asked: signal.Signals) -> None:
    background = BusyWork()
    background.done.set()
    server = serving(background)
    with server.capture_signals():
        signal.raise_signal(asked)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert server.should_exit
