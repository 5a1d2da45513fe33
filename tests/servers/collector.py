"""A collector of traces on loopback, to which servers send what they export."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATIENCE_S = 20


@dataclass(frozen=True, slots=True)
class Seen:
    """A span as it arrived."""

    name: str
    trace_id: bytes
    process: str
    attributes: dict[str, Any]
    failed: bool


class Collector:
    """Keeps what arrives."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[bytes] = []
        self._arrived = threading.Condition()

    def take(self, body: bytes) -> None:
        """Something has arrived."""
        with self._arrived:
            self.bodies.append(body)
            self._arrived.notify_all()

    def spans(self) -> list[Seen]:
        """All spans that have arrived."""
        return [span for body in list(self.bodies) for span in _spans(body)]

    def until(self, *names: str) -> list[Seen]:
        """All spans, once there is one of each of these names."""

        def complete() -> bool:
            return set(names) <= {span.name for span in self.spans()}

        with self._arrived:
            came = self._arrived.wait_for(complete, PATIENCE_S)
        assert came, {span.name for span in self.spans()}
        return self.spans()


def _spans(body: bytes) -> Iterator[Seen]:
    request = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        process = _values(resource.resource.attributes)["service.instance.id"]
        for scope in resource.scope_spans:
            for span in scope.spans:
                failed = span.status.code == span.status.STATUS_CODE_ERROR
                yield Seen(span.name, span.trace_id, process, _values(span.attributes), failed)


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector, for as long as it lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
