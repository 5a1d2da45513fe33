"""The server's secret as a file of the data dir: made once, whole, and its owner's alone."""

import os
import secrets
import tempfile
from pathlib import Path

SECRET_LEAST = 32
"""Bytes; who signs with fewer may be guessed."""


class SecretUnusable(Exception):
    """There is a file, but no secret to sign with in it."""

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(f"{problem}: {mend}")
        self.problem, self.mend = problem, mend


def read_secret(path: Path) -> bytes | None:
    """The secret in the file, None where there is no file. Raises :class:`SecretUnusable`."""
    try:
        secret, mode = path.read_bytes(), path.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        mend = "make it a file that this user can read"
        raise SecretUnusable(f"{path} cannot be read ({error.strerror})", mend) from error
    if os.name == "posix" and mode & 0o077:
        raise SecretUnusable(f"{path} can be read by others", f"chmod 600 {path}")
    if len(secret) < SECRET_LEAST:
        mend = "put the right one there, or remove it, and everybody signs in again"
        raise SecretUnusable(f"{path} has less than {SECRET_LEAST} bytes", mend)
    return secret


def kept_secret(path: Path) -> bytes:
    """The secret in the file, which is made where there is none.

    Raises :class:`SecretUnusable`, and :class:`OSError` where none can be made.
    """
    there = read_secret(path)
    if there is not None:
        return there
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = secrets.token_hex(SECRET_LEAST).encode()
    descriptor, temporary = tempfile.mkstemp(prefix=f"{path.stem}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return path.read_bytes()
    finally:
        Path(temporary).unlink()
    return fresh
