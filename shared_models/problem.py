"""Errors as RFC 9457 problems. ``code`` is stable; ``detail`` is for people."""

from typing import Any

from shared_models.base import Wire


class FieldProblem(Wire):
    """What is wrong with one field of the input."""

    field: str
    code: str
    message: str


class Problem(Wire):
    """An ``application/problem+json`` answer."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    retryable: bool = False
    errors: list[FieldProblem] | None = None
    current: Any = None
    retry_after_s: float | None = None
