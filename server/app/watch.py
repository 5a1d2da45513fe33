"""Every request, watched from outside: how long it took, what was answered, and its trace."""

import time

from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.app.health import router as health_router
from server.app.metrics import REQUEST_SECONDS
from server.app.other_roles import ANY_PATH
from server.platform.traces import Traces

_PROBES = frozenset(route.path for route in health_router.routes if isinstance(route, APIRoute))
"""What balancers and collectors ask all the time is no part of what people ask."""

_NOWHERE = "none"
_PAGES = frozenset({"/docs", "/openapi.json"})
"""What FastAPI serves by itself, without a template."""
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class Watch:
    """Counts requests by the template of their route: paths and queries hold ids and secrets."""

    def __init__(self, app: ASGIApp, *, traces: Traces) -> None:
        self._app = app
        self._traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Watch one request of somebody's; websockets are watched in their own room."""
        if scope["type"] != "http" or scope["path"] in _PROBES:
            await self._app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = scope["method"] if scope["method"] in _METHODS else "other"
        with self._traces.span(method) as span:
            try:
                await self._app(scope, receive, noting)
            finally:
                route, kind = _template(scope), f"{status // 100}xx"
                REQUEST_SECONDS.labels(method, route, kind).observe(time.perf_counter() - began)
                span.rename(f"{method} {route}")
                span.tell(status=status)
                if status >= 500:
                    span.fail(kind)


def _template(scope: Scope) -> str:
    """A mounted application is one route; what leads nowhere is, too, whatever the role."""
    route = scope.get("route")
    if route is None:
        return scope["path"] if scope["path"] in _PAGES else scope.get("root_path") or _NOWHERE
    return _NOWHERE if route.path == ANY_PATH else str(route.path)
