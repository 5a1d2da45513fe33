"""Reads the metrics of servers, each with the look before it."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import httpx

from server.app.top.figures import Look, Step, parse

PATIENCE_S = 1.5

Fetch = Callable[[str], Awaitable[str]]
"""Gives the text at an address; raises :class:`httpx.HTTPError`."""


_HOST = re.compile(r"[^\s%]+")
_HIGHEST_PORT = 65535


class NoAddress(ValueError):
    """What was given leads to no server; the message says why."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"{address} is no address of a server: {why}")


@dataclass(slots=True)
class Server:
    """A server that is looked at again and again."""

    address: str
    """Its ``/metrics``."""
    step: Step | None = None
    problem: str = ""
    """Why the last look failed; empty when it did not."""

    @property
    def name(self) -> str:
        """Its host and port."""
        url = httpx.URL(self.address)
        return url.netloc.decode()

    async def look(self, fetch: Fetch, at: float) -> None:
        """Look once; what was seen before is forgotten when it does not answer."""
        before: Look | None = None if self.step is None else self.step.now
        try:
            now = parse(await fetch(self.address), at)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self.step, self.problem = None, _problem_of(error)
        except ValueError:
            self.step, self.problem = None, "answers, but not with metrics"
        else:
            self.step, self.problem = Step(before, now), ""


@dataclass(slots=True)
class Servers:
    """All that are looked at."""

    addresses: Sequence[str]
    fetch: Fetch
    monotonic: Callable[[], float]
    all: list[Server] = field(init=False)

    def __post_init__(self) -> None:
        self.all = [Server(metrics_address(address)) for address in self.addresses]

    async def look(self) -> None:
        """Look at all of them at once."""
        at = self.monotonic()
        await asyncio.gather(*(server.look(self.fetch, at) for server in self.all))


def metrics_address(address: str) -> str:
    """The ``/metrics`` of what may be given as ``host:port`` or as a server's address.

    Raises :class:`NoAddress`.
    """
    url = address if "://" in address else f"http://{address}"
    try:
        parsed = httpx.URL(url)
        names_a_server = parsed.scheme in ("http", "https") and _HOST.fullmatch(parsed.host)
    except httpx.InvalidURL as error:
        raise NoAddress(address, str(error)) from None
    if not names_a_server:
        raise NoAddress(address, "it names no server")
    if parsed.port is not None and not 0 < parsed.port <= _HIGHEST_PORT:
        raise NoAddress(address, f"ports are 1 to {_HIGHEST_PORT}")
    return url if url.endswith("/metrics") else f"{url.rstrip('/')}/metrics"


async def fetch_text(address: str) -> str:
    """Ask the server."""
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        answer = await client.get(address)
        return answer.raise_for_status().text


def _problem_of(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"answers {error.response.status_code}"
    if isinstance(error, httpx.TimeoutException):
        return f"does not answer within {PATIENCE_S:g} s"
    if isinstance(error, httpx.ConnectError):
        return "does not answer: nobody listens there"
    return f"cannot be asked: {type(error).__name__}"
