"""Sends traces to a collector, by OTLP over HTTP. Imported only where one is named."""

import os
import socket
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from server.app.roles import Role
from server.platform.exported_traces import ExportedTraces
from server.platform.traces import Traces


def traces_to(endpoint: str, role: Role) -> Traces:
    """Traces for the collector at this address; the standard ``OTEL_*`` variables say the rest."""
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    attributes: dict[str, str | int] = {
        "service.version": version("picky"),
        "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        "picky.role": role.value,
    }
    return ExportedTraces(BatchSpanProcessor(exporter), attributes)
