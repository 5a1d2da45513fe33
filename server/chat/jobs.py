"""What the worker runs for the chat."""

from datetime import timedelta
from typing import Any

from server.chat import search
from server.platform.context import Context
from server.platform.jobs import Periodic, Run

_INDEX = "chat.index"


async def _index(context: Context, _payload: dict[str, Any]) -> None:
    await search.index_all(context)


RUNNERS: dict[str, Run] = {_INDEX: _index}
PERIODIC = (Periodic(_INDEX, timedelta(minutes=1)),)
