"""Where the server's CPU goes when it sends, delivers and reads pages: shares by a profiler.

A profiler makes Python's own calls look dearer than what is written in C, so the shares say where
to look and not how long it takes.
"""

import asyncio
import os
import pstats
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.filling import fill_room
from bench.flow import full_tilt
from bench.many import DEVICES, deliveries
from bench.market import Market, running_market, sell, sign_up
from bench.pages import measure_pages
from bench.sockets import talk
from server.app.settings import Settings

Shares = list[tuple[str, float]]
_SERVER = Path(__file__).with_name("profiled_server.py")
_DEPTH = 20_000
_PLACES = (
    ("sqlalchemy/", "SQLAlchemy"),
    ("asyncpg/", "asyncpg"),
    ("fastapi/", "FastAPI and Starlette"),
    ("starlette/", "FastAPI and Starlette"),
    ("pydantic", "Pydantic"),
    ("uvicorn/", "uvicorn and websockets"),
    ("websockets/", "uvicorn and websockets"),
    ("asyncio/", "asyncio"),
    ("server/chat/", "chat"),
    ("server/realtime/", "realtime"),
    ("server/platform/", "platform"),
    ("server/", "the other rooms"),
    ("shared_models/", "the wire"),
)
_BUILTINS = (
    ("sqlite3", "SQLite"),
    ("asyncpg", "asyncpg"),
    ("uvloop", "uvloop"),
    ("pydantic", "Pydantic"),
    ("httptools", "uvicorn and websockets"),
    ("greenlet", "SQLAlchemy"),
)


def measure_profile(database: str) -> dict[str, Shares]:
    """Of sixteen clients that send, of two hundred that hear, and of eight that read pages."""
    with running_market(database, under=[sys.executable, _SERVER, "profile"]) as market:
        return asyncio.run(_profiles(market))


async def _profiles(market: Market) -> dict[str, Shares]:
    talks = [await talk(market, f"profile_{number}") for number in range(16)]
    sending = market.scratch / "sending"
    with _profiling(market, sending):
        await full_tilt(market, "sending", talks, 1_000)
    hearing = market.scratch / "hearing"
    talks += [await talk(market, f"heard_{number}") for number in range(25 - len(talks))]
    with _profiling(market, hearing):
        await deliveries(market, talks, DEVICES, 10)
    seller, buyer = await sign_up(market, "seller"), await sign_up(market, "buyer")
    room = await buyer.api.open_room((await sell(market, seller, "A chair to talk about")).id)
    settings = Settings(database_url=market.database_url, data_dir=market.scratch / "fill")
    await fill_room(settings, room.id, (seller.id, buyer.id), 2 * _DEPTH)
    newest, reading = (await buyer.api.room(room.id)).last_seq, market.scratch / "reading"
    with _profiling(market, reading):
        await measure_pages(market, buyer, room.id, newest=newest, deepest=_DEPTH, count=1_000)
    for person in seller, buyer:
        await person.api.aclose()
    return {
        "sending": shares(sending),
        "a delivery": shares(hearing),
        "a page": shares(reading),
    }


@contextmanager
def _profiling(market: Market, kept: Path) -> Iterator[None]:
    output = market.scratch / "profile"
    os.kill(market.server.pid, signal.SIGUSR1)
    yield
    os.kill(market.server.pid, signal.SIGUSR2)
    deadline = time.monotonic() + 10
    while not output.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    output.rename(kept)


def shares(profile: Path) -> Shares:
    """How much of the CPU was spent in the code of whom, the greatest share first."""
    spent: Counter[str] = Counter()
    for (file, _, name), (_, _, own, _, _) in pstats.Stats(str(profile)).stats.items():  # type: ignore[attr-defined]
        spent[_owner(file, name)] += own
    total = sum(spent.values())
    return [(owner, own / total) for owner, own in spent.most_common()]


def _owner(file: str, name: str) -> str:
    if file in ("~", ""):
        return next((who for part, who in _BUILTINS if part in name), "Python's builtins")
    path = file.replace("\\", "/")
    return next((who for part, who in _PLACES if part in path), "other libraries")
