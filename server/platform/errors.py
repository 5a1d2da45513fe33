"""What can be refused, and how it is said. ``platform.http`` turns these into problems."""

from typing import Any

from shared_models.problem import FieldProblem


class Refusal(Exception):
    """A request that is answered with a problem instead of a result.

    ``code`` is stable and snake_case; ``detail`` is a sentence for people.
    """

    status = 400
    title = "Bad request"

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        current: Any = None,
        retry_after_s: float | None = None,
        errors: list[FieldProblem] | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.current = current
        self.retry_after_s = retry_after_s
        self.errors = errors
        self.retryable = retryable


class BadRequest(Refusal):
    """400: the request itself makes no sense."""


class Unauthenticated(Refusal):
    """401: no token, or a dead one."""

    status = 401
    title = "Not signed in"

    def __init__(self, detail: str = "Sign in first.", code: str = "unauthenticated") -> None:
        super().__init__(code, detail)


class Forbidden(Refusal):
    """403: the caller may see it but not do this."""

    status = 403
    title = "Not allowed"


class NotFound(Refusal):
    """404: not there, or not the caller's to see; the two look the same."""

    status = 404
    title = "Not found"

    def __init__(self, what: str = "object") -> None:
        super().__init__("not_found", f"There is no such {what}.")


class Conflict(Refusal):
    """409: the present state does not allow it; ``current`` holds the present object."""

    status = 409
    title = "Conflict"


class PreconditionFailed(Refusal):
    """412: ``If-Match`` names an old version."""

    status = 412
    title = "Stale version"


class TooLarge(Refusal):
    """413: the body is over the limit."""

    status = 413
    title = "Too large"


class Invalid(Refusal):
    """422: the input breaks a rule."""

    status = 422
    title = "Invalid input"

    @classmethod
    def field(cls, field: str, code: str, message: str) -> "Invalid":
        """One field is wrong."""
        return cls(
            code,
            message,
            errors=[FieldProblem(field=field, code=code, message=message)],
        )


class PreconditionRequired(Refusal):
    """428: ``If-Match`` is needed."""

    status = 428
    title = "Precondition required"


class TooMany(Refusal):
    """429: too fast, or over a daily limit; ``retry_after_s`` seconds until it may be tried."""

    status = 429
    title = "Too fast"

    def __init__(self, detail: str, retry_after_s: float, code: str = "rate_limited") -> None:
        super().__init__(code, detail, retry_after_s=retry_after_s, retryable=True)


class Unavailable(Refusal):
    """503: something the server leans on is away for the moment."""

    status = 503
    title = "Unavailable"
