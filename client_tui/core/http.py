"""One server over HTTP: connections kept, problems as errors, and what is safe tried again.

Knows no model, so that a command which only passes data on starts without loading any.
"""

import json
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.request import proxy_bypass
from uuid import UUID

from client_tui.core.address import is_loopback, server_address
from client_tui.core.clock import Chance, Clock, SystemClock, chance, full_jitter
from client_tui.core.errors import ServerUnreachable, UnreadableAnswer, refusal
from client_tui.core.identity import USER_AGENT
from client_tui.core.proxies import trouble_with

if TYPE_CHECKING:
    import ssl

    import httpx
else:
    # httpx imports its own command line program (rich, pygments, click) unless it is missing;
    # that is a third of its import time.
    sys.modules.setdefault("httpx._main", None)
    import httpx

TRIES: Final = 3
_TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)
_READ_TIMEOUT: Final = httpx.Timeout(8.0, connect=5.0)
"""Somebody waits for what is read; what changes something may take the server its time."""
_SAFE_TO_REPEAT = frozenset({"GET", "PUT", "DELETE"})
_PASSING = frozenset({502, 503, 504})

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as plain data; None when there is none."""
        return json.loads(self.body) if self.body else None


class Http:
    """Calls one server for one account. Close it with :meth:`aclose` or ``async with``."""

    def __init__(
        self,
        server: str,
        token: str | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        chance: Chance = chance,
    ) -> None:
        """Raises :class:`~client_tui.core.errors.BadServerAddress`."""
        self.server = server_address(server)
        self.token = token
        self._clock = clock or SystemClock()
        self._chance = chance
        self._transport = transport
        self._client = self._new_client(self.server)
        self._store: httpx.AsyncClient | None = None

    def _new_client(self, url: str) -> httpx.AsyncClient:
        return self._client_of(
            base_url=url,
            verify=False if url.startswith("http://") else _certificates(),
            timeout=_TIMEOUT,
            limits=httpx.Limits(max_connections=16, keepalive_expiry=30.0),
            headers={"User-Agent": USER_AGENT},
        )

    def _client_of(self, **options: Any) -> httpx.AsyncClient:
        """A client by way of the environment's proxy. If there is no such way, every call says why:
        what is kept on this machine can be read all the same.
        """
        host = httpx.URL(self.server).host
        options["trust_env"] = not is_loopback(host)
        try:
            return httpx.AsyncClient(transport=self._transport, **options)
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            no_way = _NoWay(self.server, trouble_with(error))
        if proxy_bypass(host):
            return httpx.AsyncClient(**options | {"trust_env": False})
        return httpx.AsyncClient(transport=no_way, **options)

    async def __aenter__(self) -> "Http":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()
        if self._store is not None:
            await self._store.aclose()

    @property
    def store(self) -> httpx.AsyncClient:
        """A client for presigned URLs of the object store. It never carries the token."""
        if self._store is None:
            self._store = self._client_of(
                verify=_certificates(),
                timeout=httpx.Timeout(60.0, connect=5.0),
                limits=httpx.Limits(max_connections=8, keepalive_expiry=30.0),
            )
        return self._store

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: bytes | None = None,
        key: UUID | None = None,
        version: int | None = None,
    ) -> Answer:
        """One call. ``key`` goes as Idempotency-Key, ``version`` as If-Match.

        What may be repeated without harm is tried three times when the line breaks. Raises
        :class:`ServerUnreachable` and :class:`~client_tui.core.errors.Refused`.
        """
        headers = self._headers(body, key, version)
        repeatable = method in _SAFE_TO_REPEAT or key is not None
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            try:
                response = await self._client.request(
                    method,
                    path,
                    params=_query(params),
                    content=body,
                    headers=headers,
                    timeout=_READ_TIMEOUT if method == "GET" else _TIMEOUT,
                )
            except httpx.ConnectError as error:
                # Nothing was sent, so even what must not be repeated may be tried again.
                if last:
                    raise ServerUnreachable(self.server, _reason(error)) from error
            except httpx.HTTPError as error:
                if last or not repeatable:
                    raise ServerUnreachable(self.server, _reason(error)) from error
            else:
                if response.status_code < 400:
                    return _good(self.server, response)
                if method == "DELETE" and attempt and response.status_code == 404:
                    return Answer(204, b"")  # gone by the try whose answer was lost
                if last or not repeatable or response.status_code not in _PASSING:
                    raise _problem(response)
            await self._clock.sleep(full_jitter(attempt, first=0.4, most=2.0, chance=self._chance))
        raise AssertionError("the last try returns or raises")

    def _headers(self, body: bytes | None, key: UUID | None, version: int | None) -> dict[str, str]:
        headers = {}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = str(key)
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return headers

    async def items(self, path: str, params: Params, *, limit: int) -> AsyncIterator[Any]:
        """The first ``limit`` items of a paged list, as plain data, page after page."""
        cursor: str | None = None
        left = limit
        while left > 0:
            size = min(left, 100)
            answer = await self.call(
                "GET", path, params={**params, "limit": size, "cursor": cursor}
            )
            try:
                page = answer.json()
                found, cursor = page["items"], page["next_cursor"]
            except (ValueError, KeyError, TypeError) as error:
                raise UnreadableAnswer(self.server) from error
            for item in found[:left]:
                yield item
            left -= len(found)
            if cursor is None or not found:
                return

    async def redirected(self, path: str) -> bytes:
        """The bytes behind a path that answers with a redirect to the object store.

        The store gets no token: it is another party, and the signed URL is all it needs.
        """
        response = await self._get(self._client, path, self._headers(None, None, None))
        if response.has_redirect_location:
            where = httpx.URL(self.server).join(response.headers["location"])
            response = await self._get(self.store, str(where), {})
        if response.status_code >= 400:
            raise _problem(response)
        return response.content

    async def _get(
        self, client: httpx.AsyncClient, url: str, headers: dict[str, str]
    ) -> httpx.Response:
        for attempt in range(TRIES):
            try:
                return await client.get(url, headers=headers)
            except httpx.HTTPError as error:
                if attempt == TRIES - 1:
                    raise ServerUnreachable(self.server, _reason(error)) from error
            await self._clock.sleep(full_jitter(attempt, first=0.4, most=2.0, chance=self._chance))
        raise AssertionError("the last try returns or raises")


class _NoWay(httpx.AsyncBaseTransport):
    """Goes nowhere, and says why."""

    def __init__(self, server: str, reason: str) -> None:
        self._unreachable = ServerUnreachable(server, reason)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises :class:`ServerUnreachable`."""
        raise self._unreachable


@cache
def _certificates() -> "ssl.SSLContext":
    """The machine's certificates. Reading them costs more than a call, so it is done once, and for
    plain HTTP never.
    """
    return httpx.create_ssl_context()


def _query(params: Params | None) -> dict[str, Any]:
    """Query parameters without those that are not set; True is ``true``."""
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in (params or {}).items()
        if value is not None
    }


def _good(server: str, response: httpx.Response) -> Answer:
    """A page for people (a proxy's, another service's) is no answer of a Picky server."""
    body = response.content
    if body and "json" not in response.headers.get("content-type", ""):
        raise ServerUnreachable(server, "what answers there is no Picky server")
    return Answer(response.status_code, body)


def _problem(response: httpx.Response) -> Exception:
    try:
        body = response.json()
    except ValueError:
        body = None
    return refusal(response.status_code, body, response.headers.get("retry-after"))


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return "it does not answer"
    if isinstance(error, httpx.TimeoutException):
        return "it took too long to answer"
    if isinstance(error, httpx.ConnectError):
        return "nothing is listening there, or the network is down"
    return "the connection broke"
