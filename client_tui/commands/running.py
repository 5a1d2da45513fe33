"""How a command runs: its server, its errors as one clear line, its exit code."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, NoReturn, TextIO

import typer

from client_tui.core.errors import (
    BadFile,
    BadServerAddress,
    ClientError,
    FieldError,
    NotFound,
    NotSignedIn,
    Refused,
    ServerFailed,
    ServerUnreachable,
    TooFast,
    Unauthenticated,
    UploadFailed,
    in_passing,
)

if TYPE_CHECKING:
    from client_tui.core.api import Api
    from client_tui.core.credentials import Credentials

UNEXPECTED: Final = 1
USAGE: Final = 2
INVALID: Final = 5
NOT_REACHED: Final = 7
_EXIT_CODES: Final[tuple[tuple[type[ClientError], int], ...]] = (
    (NotSignedIn, 3),
    (Unauthenticated, 3),
    (NotFound, 4),
    (TooFast, 6),
    (ServerUnreachable, NOT_REACHED),
    (ServerFailed, UNEXPECTED),
    (Refused, INVALID),
    (BadFile, INVALID),
    (UploadFailed, INVALID),
    (BadServerAddress, USAGE),
)


def exit_code(error: ClientError) -> int:
    """The documented exit code of an error."""
    if isinstance(error, UploadFailed) and in_passing(error):
        return NOT_REACHED
    return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), UNEXPECTED)


def words(text: str) -> None:
    """Something for the person, on stderr: stdout is for data."""
    from client_tui.format import visible

    sys.stderr.write(visible(text) + "\n")


def fail(text: str, code: int) -> NoReturn:
    """Say what is wrong and end."""
    words(f"picky: {text}")
    raise typer.Exit(code)


def usage_error(text: str) -> NoReturn:
    """The command was called in a way that cannot mean anything."""
    fail(text, USAGE)


def standard_input() -> TextIO:
    """Standard input; bytes that are no text come as what :func:`need_text` refuses."""
    sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
    return sys.stdin


def need_text(given: str, what: str) -> str:
    """What was ``given`` as an argument or on standard input; ends the command if it is no text."""
    try:
        given.encode()
    except UnicodeEncodeError:
        fail(f"{what} is not valid {sys.stdin.encoding.upper()} text", INVALID)
    return given


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a command to its end; an error becomes a line on stderr and an exit code."""
    try:
        asyncio.run(work())
        sys.stdout.flush()
    except ClientError as error:
        fail(_told(error), exit_code(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except typer.Exit:
        raise
    except Exception as error:
        if os.environ.get("PICKY_DEBUG"):
            raise
        fail(f"{type(error).__name__}: {error} (PICKY_DEBUG=1 shows where)", UNEXPECTED)


def _told(error: ClientError) -> str:
    lines = [str(error)]
    if isinstance(error, Refused):
        lines += [f"  {_told_of_field(problem)}" for problem in error.errors]
        if isinstance(error, TooFast) and error.retry_after_s:
            lines.append(f"  Try again in {max(1, round(error.retry_after_s))} s.")
        if isinstance(error, Unauthenticated) and error.code != "bad_credentials":
            lines.append("  `picky login` signs in.")
    return "\n".join(lines)


def _told_of_field(problem: FieldError) -> str:
    """What is wrong with all of the input together names no field."""
    return f"{problem.field}: {problem.message}" if problem.field else problem.message


def signed_in() -> "Credentials":
    """The account of this machine; raises :class:`NotSignedIn`."""
    from client_tui.core.credentials import CredentialStore
    from client_tui.core.paths import Paths

    credentials = CredentialStore(Paths.find()).load()
    if credentials is None:
        raise NotSignedIn
    return credentials


def api() -> "Api":
    """The server of the signed-in account; use as ``async with``."""
    from client_tui.core.api import Api, Http

    credentials = signed_in()
    return Api(Http(credentials.server, credentials.token))


def need_terminal() -> None:
    """A usage error unless there is a terminal on both sides."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        usage_error("the app needs a terminal; `picky --help` lists the commands for scripts")


def run_app() -> None:
    """The Textual app; it needs a terminal on both sides."""
    need_terminal()
    from client_tui.app import run

    try:
        run()
    except ClientError as error:
        fail(_told(error), exit_code(error))
