"""Signals ask a process to go, whether they come once or, as through a launcher, twice."""

import asyncio
import signal
from typing import cast

import pytest
import uvicorn

from server.app import serve
from server.app.rooms import Rooms
from server.app.serve import DrainingServer


class BusyRooms:
    """Rooms that drain until they are told that they are empty."""

    def __init__(self) -> None:
        self.draining = False
        self.empty = asyncio.Event()

    async def drain(self) -> None:
        self.draining = True
        await self.empty.wait()


def serving(rooms: BusyRooms) -> DrainingServer:
    config = uvicorn.Config("", log_config=None)
    server = DrainingServer(config, cast(Rooms, rooms), lambda: None)
    server.started = True
    return server


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_signal_that_is_passed_on_is_meant_once(times: int) -> None:
    rooms = BusyRooms()
    server = serving(rooms)
    for _ in range(times):
        server.handle_exit(signal.SIGTERM, None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert (rooms.draining, server.should_exit) == (True, False)
    rooms.empty.set()
    await server._draining
    assert server.should_exit


async def test_a_second_signal_later_on_ends_the_draining(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_ECHO_S", 0.0)
    rooms = BusyRooms()
    server = serving(rooms)
    server.handle_exit(signal.SIGTERM, None)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not server.should_exit
    server.handle_exit(signal.SIGTERM, None)
    assert server.should_exit
    rooms.empty.set()


async def test_ctrl_c_goes_at_once_even_amid_the_draining() -> None:
    rooms = BusyRooms()
    server = serving(rooms)
    server.handle_exit(signal.SIGTERM, None)
    server.handle_exit(signal.SIGINT, None)
    assert server.should_exit
    rooms.empty.set()


async def test_ctrl_c_that_comes_twice_still_finishes_what_runs() -> None:
    server = serving(BusyRooms())
    server.handle_exit(signal.SIGINT, None)
    server.handle_exit(signal.SIGINT, None)
    assert (server.should_exit, server.force_exit) == (True, False)
