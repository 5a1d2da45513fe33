"""The market's lists and limits: from its server, and on disk for a start that need not wait."""

import contextlib
from pathlib import Path

from client_tui.core.api import Api
from client_tui.core.files import write_atomically
from shared_models.market import Market


def kept_market(path: Path) -> Market | None:
    """The lists as the server told them the last time; None when they were never heard."""
    try:
        return Market.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None


async def read_market(api: Api, path: Path) -> Market:
    """The lists as they are now, kept in ``path`` for the next start; raises what the api does."""
    market = await api.market()
    with contextlib.suppress(OSError):
        write_atomically(path, market.model_dump_json().encode())
    return market
