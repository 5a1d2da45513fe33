"""Sends traces to a collector, by OTLP over HTTP. Imported only where one is named."""

import os
import socket

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.util.re import parse_env_headers

from server.app.roles import Role
from server.app.version import picky_version
from server.platform.exported_traces import ExportedTraces
from server.platform.traces import Traces
from server.realtime.frames import new_messages_in


def traces_url(endpoint: str) -> str:
    """Where a collector takes traces."""
    return f"{endpoint.rstrip('/')}/v1/traces"


def headers() -> dict[str, str]:
    """What goes with each request to the collector."""
    told = os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", "")
    told = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_HEADERS", told)
    return {"Content-Type": "application/x-protobuf", **parse_env_headers(told, liberal=True)}


def traces_to(endpoint: str, role: Role) -> Traces:
    """Traces for the collector at this address; the standard ``OTEL_*`` variables say the rest."""
    exporter = OTLPSpanExporter(endpoint=traces_url(endpoint))
    attributes: dict[str, str | int] = {
        "service.version": picky_version(),
        "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        "picky.role": role.value,
    }
    return ExportedTraces(BatchSpanProcessor(exporter), attributes, new_messages_in)
