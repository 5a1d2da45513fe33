"""The tools of a command that looks after a market, and what it says when it cannot."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.app.container import build_context, close_context
from server.app.settings import Settings
from server.platform.context import Context
from server.platform.database import DATABASE_FAILURES
from server.platform.dumps import NotRestored, ProgramFailed, sqlite_file
from server.platform.errors import Conflict
from server.platform.holding import HeldAlready
from server.platform.object_store import ObjectStoreError

_ADDRESS = "http://kept.invalid"
"""Nobody is given a URL of these commands."""


class Refused(Exception):
    """The command did nothing; the message says why and what to do."""


@asynccontextmanager
async def tools(settings: Settings) -> AsyncIterator[Context]:
    """What a command works with; :class:`Refused` in the place of all that may fail about it."""
    context = build_context(settings, base_url=_ADDRESS)
    try:
        yield context
    except (HeldAlready, NotRestored, ObjectStoreError, ProgramFailed) as error:
        raise Refused(str(error)) from error
    except (*DATABASE_FAILURES, Conflict) as error:
        told = str(error).strip().partition("\n")[0] or type(error).__name__
        raise Refused(f"{told} (`picky-server doctor` says what is wrong)") from error
    finally:
        await close_context(context)


@asynccontextmanager
async def tools_of_a_market(settings: Settings) -> AsyncIterator[Context]:
    """The same for a market that must be there already."""
    file = sqlite_file(settings.effective_database_url)
    if file is not None and not file.exists():
        raise Refused(f"there is no market: {file} does not exist")
    async with tools(settings) as context:
        yield context
