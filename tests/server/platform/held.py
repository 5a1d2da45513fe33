"""Jobs that go on until a test lets them end."""

import asyncio
from typing import Any

from server.platform.context import Context


class Held:
    """A runner that a test holds for as long as it likes."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self, _context: Context, _payload: dict[str, Any]) -> None:
        self.began.set()
        await self.may_end.wait()
