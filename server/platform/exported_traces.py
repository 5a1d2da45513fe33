"""Traces that are sent somewhere; imported only where they are, for the SDK is heavy."""

from collections.abc import Callable, Iterable, Iterator
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

    ``attributes`` tell processes apart. ``news_in`` finds the ids under which clients sent what is
    new in a frame.
    """

    def __init__(
        self,
        processor: SpanProcessor,
        attributes: dict[str, str | int],
        news_in: Callable[[bytes], Iterable[UUID]],
    ) -> None:
        self._news_in = news_in
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
        sent_as: UUID | None = None,
        told: Iterable[bytes] = (),
        **attributes: str | int,
    ) -> None:
        """One span for each of the traces, with a link from them to what is under way."""
        ids = [] if sent_as is None else [sent_as]
        ids += [id_ for frame in told for id_ in self._news_in(frame)]
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


def _root_of(sent_as: UUID) -> SpanContext:
    """What the spans of a trace have in common: the sending by the client, which exports no span.

    A digest, because samplers take the last bits of a trace's id for random ones.
    """
    digest = int.from_bytes(blake2b(sent_as.bytes, digest_size=16).digest())
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(digest, digest & _SPAN_BITS, is_remote=True, trace_flags=flags)
