"""Everything that can go wrong between this client and a server, as types.

``str(error)`` is one or two sentences for the person at the terminal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

TOO_SLOW: Final = "timeout"
"""The reason of an upload of which the server made no photo in time."""


class ClientError(Exception):
    """The base of every error that the core raises on purpose."""


class ServerUnreachable(ClientError):
    """No answer came: refused, timed out, cut, or not a Picky server at that address."""

    def __init__(self, server: str, reason: str) -> None:
        super().__init__(f"{server} was not reached: {reason}.")
        self.server = server
        self.reason = reason


class UnreadableAnswer(ClientError):
    """The server's answer is not what this version of Picky expects."""

    def __init__(self, server: str) -> None:
        super().__init__(f"{server} answered in a way that this version of Picky does not know.")


class BadServerAddress(ClientError):
    """The server's address cannot be used."""


class NotSignedIn(ClientError):
    """No account is signed in on this machine."""

    def __init__(self) -> None:
        super().__init__("You are not signed in. Run `picky login` or `picky signup` first.")


class StorageFailed(ClientError):
    """This machine's disk refused a read or a write (full, read-only or broken)."""


class StorageUnreadable(StorageFailed):
    """A file is there, but this version can make nothing of it: broken, or of another version."""


class StorageTooNew(StorageUnreadable):
    """A file is that of a newer version of Picky, and good for that one."""


class CopiesLost(StorageUnreadable):
    """The copies of what the server has are gone or do not go on; a bootstrap brings them back."""


class BadFile(ClientError):
    """A file cannot be uploaded; found out before anything was sent."""


class UploadFailed(ClientError):
    """An upload ended without a photo. ``reason`` is a stable code where the server gave one."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class NotEditable(ClientError):
    """A waiting message can no longer be changed: it may have reached the server."""


class Disconnected(ClientError):
    """The realtime connection ended before an answer came."""

    def __init__(self) -> None:
        super().__init__("The connection was lost before the answer came.")


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of the input."""

    field: str
    code: str
    message: str


class Refused(ClientError):
    """The server answered with a problem (RFC 9457). ``code`` is stable, ``detail`` for people."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        retryable: bool = False,
        errors: Sequence[FieldError] = (),
        current: Any = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.retryable = retryable
        self.errors = tuple(errors)
        self.current = current
        self.retry_after_s = retry_after_s

    def field(self, name: str) -> str | None:
        """The message for one field of a form, None when that field is fine."""
        return next((error.message for error in self.errors if error.field == name), None)


class Unauthenticated(Refused):
    """401: no token, a dead token or a wrong password."""


class Forbidden(Refused):
    """403: to be seen, but not to be done by this account."""


class NotFound(Refused):
    """404: not there, or not this account's to see."""


class Conflict(Refused):
    """409: the state does not allow it; ``current`` holds the present object."""


class Stale(Refused):
    """412: somebody changed the object since it was read."""


class Invalid(Refused):
    """422 or 413: bad input; ``errors`` says which fields."""


class TooFast(Refused):
    """429: wait ``retry_after_s`` seconds."""


class ServerFailed(Refused):
    """5xx: the server's fault."""


_BY_STATUS: Mapping[int, type[Refused]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: Stale,
    413: Invalid,
    422: Invalid,
    429: TooFast,
}


def in_passing(error: ClientError) -> bool:
    """Whether the same may work later: nothing is wrong with the message or a photo of it.

    A session that has ended begins again with who signs in, and what was no answer of Picky's, such
    as a login page on the way, is no refusal.
    """
    match error:
        case Unauthenticated() | TooFast() | ServerUnreachable() | UnreadableAnswer():
            return True
        case Refused():
            return error.retryable
        case UploadFailed():
            return error.reason == TOO_SLOW
    return False


def refusal(status: int, body: object, retry_after: str | None = None) -> Refused:
    """The error that an answer of 400 or more stands for, whatever its body is."""
    problem: Mapping[str, Any] = body if isinstance(body, dict) else {}
    kind = ServerFailed if status >= 500 else _BY_STATUS.get(status, Refused)
    wait = problem.get("retry_after_s")
    if wait is None and retry_after is not None and retry_after.isdecimal():
        wait = float(retry_after)
    return kind(
        status,
        str(problem.get("code") or f"http_{status}"),
        str(problem.get("detail") or problem.get("title") or f"The server answered {status}."),
        retryable=bool(problem.get("retryable", status >= 500)),
        errors=_field_errors(problem.get("errors")),
        current=problem.get("current"),
        retry_after_s=wait,
    )


def _field_errors(errors: object) -> list[FieldError]:
    if not isinstance(errors, list):
        return []
    return [
        FieldError(
            str(error.get("field", "")), str(error.get("code", "")), str(error.get("message", ""))
        )
        for error in errors
        if isinstance(error, dict)
    ]
