"""Traces that are sent somewhere; imported only where they are, for the SDK is heavy."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from time import time_ns
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    NonRecordingSpan,
    SpanContext,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace import Span as OtelSpan

from server.platform.traces import Span, Traces

# As `streams.encode_event` and `shared_models.chat.Message` put them: what people wrote comes after
# the client id, and its quotation marks are escaped.
_NEW_MESSAGE = re.compile(r'"kind":"message\.new","data":\{[^{}]*?"cid":"([0-9a-f-]{36})"')
_SPAN_BITS = 0xFFFFFFFFFFFFFFFF


class _Open(Span):
    def __init__(self, span: OtelSpan) -> None:
        self._span = span

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def tell(self, **attributes: str | int) -> None:
        self._span.set_attributes(_named(attributes))

    def fail(self, why: str) -> None:
        self._span.set_status(StatusCode.ERROR, why)


class ExportedTraces(Traces):
    """Traces that go through ``processor``; the standard ``OTEL_*`` variables say which are kept.

    ``attributes`` tell processes apart.
    """

    def __init__(self, processor: SpanProcessor, attributes: dict[str, str | int]) -> None:
        resource = Resource.create({"service.name": "picky", **attributes})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("picky")

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return time_ns()

    @contextmanager
    def span(self, name: str) -> Iterator[Span]:
        """Exceptions fail it by their type: their texts may hold what people wrote."""
        with self._tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False
        ) as span:
            opened = _Open(span)
            try:
                yield opened
            except Exception as error:
                opened.fail(type(error).__name__)
                raise

    def record(
        self,
        name: str,
        since: int,
        *,
        message: UUID | None = None,
        told: Iterable[str | bytes] = (),
        **attributes: str | int,
    ) -> None:
        """One span for each of the traces, with a link from a message's to what is under way."""
        ids = [] if message is None else [message]
        ids += [id_ for frame in told for id_ in _new_messages(frame)]
        current = get_current_span()
        parents = {context.trace_id: NonRecordingSpan(context) for context in map(_root_of, ids)}
        links = []
        if current is not INVALID_SPAN:
            links = [Link(current.get_span_context())]
            parents[current.get_span_context().trace_id] = NonRecordingSpan(
                current.get_span_context()
            )
        end = time_ns()
        for trace_id, parent in parents.items():
            own = current.get_span_context().trace_id == trace_id
            self._tracer.start_span(
                name,
                set_span_in_context(parent, Context()),
                start_time=since,
                links=[] if own else links,
                attributes=_named(attributes),
            ).end(end)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def _named(attributes: dict[str, str | int]) -> dict[str, str | int]:
    return {f"picky.{name}": value for name, value in attributes.items()}


def _new_messages(frame: str | bytes) -> Iterator[UUID]:
    text = frame if isinstance(frame, str) else frame.decode()
    return (UUID(match[1]) for match in _NEW_MESSAGE.finditer(text))


def _root_of(cid: UUID) -> SpanContext:
    """What a message's spans have in common: its sending by the client, which exports no span.

    A digest, because samplers take the last bits of a trace's id for random ones.
    """
    digest = int.from_bytes(blake2b(cid.bytes, digest_size=16).digest())
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(digest, digest & _SPAN_BITS, is_remote=True, trace_flags=flags)
