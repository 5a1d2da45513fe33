"""The tools of a command that looks after a market, and what it says when it cannot."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.app.container import build_context, close_context
from server.app.settings import Settings, SettingsError
from server.platform.context import Context
from server.platform.dumps import NotRestored, NotWritten, ProgramFailed, sqlite_file
from server.platform.errors import Conflict
from server.platform.failures import DATABASE_FAILURES, first_line, why_unavailable
from server.platform.holding import HeldAlready, HoldLost
from server.platform.object_store import ObjectStoreError

_ADDRESS = "http://maintenance.invalid"
"""Nobody is given a URL of these commands."""


_TOLD = (HeldAlready, HoldLost, NotRestored, NotWritten, ObjectStoreError, ProgramFailed)
"""What says itself what is wrong."""


class Refused(Exception):
    """The command did nothing; the message says why and what to do."""


@asynccontextmanager
async def tools(settings: Settings) -> AsyncIterator[Context]:
    """What a command works with; :class:`Refused` in the place of all that may fail about it."""
    try:
        context = build_context(settings, base_url=_ADDRESS)
    except SettingsError as error:
        raise Refused(str(error)) from error
    try:
        yield context
    except _TOLD as error:
        raise Refused(str(error)) from error
    except (*DATABASE_FAILURES, Conflict) as error:
        told = why_unavailable(error) or first_line(error)
        raise Refused(f"{told} (`picky-server doctor` says what is wrong)") from error
    finally:
        await close_context(context)


@asynccontextmanager
async def open_market(settings: Settings) -> AsyncIterator[Context]:
    """The same for a market that must be there already."""
    file = sqlite_file(settings.effective_database_url)
    if file is not None and not file.exists():
        raise Refused(f"there is no market: {file} does not exist")
    async with tools(settings) as context:
        yield context
