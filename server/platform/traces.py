"""Traces: which part of a request, a frame or a job took how long.

What a client sends under an id of its own has a trace that is found by that id, which is in the
frame, in its row and in its event. So whatever any process does for it belongs to one trace, also
what is delivered late, from the database, and the bus carries nothing for it.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from uuid import UUID


class Span:
    """One that is under way; of a server that keeps no traces, nothing."""

    def rename(self, name: str) -> None:
        """What it is called, when that is known only at its end."""

    def tell(self, **attributes: str | int) -> None:
        """Say more: ids and kinds, never what people wrote or hold."""

    def fail(self, why: str) -> None:
        """It did not go well; ``why`` is the name of an error, never its text."""


class Traces:
    """The traces of one process. This one keeps none, and costs next to nothing."""

    def now(self) -> int:
        """The moment that a span to be recorded later begins."""
        return 0

    def span(self, _name: str) -> AbstractContextManager[Span]:
        """Something that may have parts: what is recorded meanwhile belongs to it."""
        return _NOTHING

    def record(
        self,
        name: str,
        since: int,
        *,
        sent_as: UUID | None = None,
        told: Iterable[bytes] = (),
        **attributes: str | int,
    ) -> None:
        """Something that began at ``since`` and ends now.

        It belongs to the span that is under way, to the trace of what a client ``sent_as`` this id,
        and to those of what is new in the frames that were ``told``.
        """

    def close(self) -> None:
        """Send what is still to be sent; may take some seconds."""


_NOTHING = nullcontext(Span())
NO_TRACES = Traces()
