"""Everything one signed-in account needs, put together: open it, run it, close it."""

import asyncio
from types import TracebackType

from client_tui.core.api import Api, Http
from client_tui.core.cache import Cache
from client_tui.core.config import MEGABYTE
from client_tui.core.credentials import Credentials
from client_tui.core.delivery import Delivery
from client_tui.core.outbox import Outbox
from client_tui.core.paths import Paths
from client_tui.core.photos import PhotoFiles
from client_tui.core.session import Session
from client_tui.core.uploads import Uploader


class Client:
    """``async with Client(paths, credentials) as client``; then :meth:`start` goes live.

    Set ``session.listener`` and ``delivery.listener`` before that.
    """

    def __init__(
        self,
        paths: Paths,
        credentials: Credentials,
        *,
        device: str = "",
        photo_cache_mb: int = 200,
    ) -> None:
        account_id = credentials.account_id
        self.credentials = credentials
        self.api = Api(Http(credentials.server, credentials.token))
        self.cache = Cache(paths.cache_file(account_id), account_id)
        self.outbox = Outbox(paths.outbox_file(account_id))
        self.photos = PhotoFiles(
            paths.photo_directory(account_id),
            self.api.photo,
            bytes_max=photo_cache_mb * MEGABYTE,
        )
        self.uploader = Uploader(self.api)
        self.session = Session(
            credentials.server,
            credentials.token,
            journal=self.cache,
            bootstrap=self.api.bootstrap,
            device=device,
        )
        self.delivery = Delivery(self.outbox, self.session, self.uploader)
        self._running: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Client":
        await self.cache.open()
        await self.outbox.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.api.aclose()
        await self.cache.close()
        await self.outbox.close()

    def start(self) -> None:
        """Go live: keep the line and drain the outbox until closed. Again after a final status."""
        running = [task for task in self._running if not task.done()]
        names = {task.get_name() for task in running}
        for name, work in (("session", self.session.run), ("delivery", self.delivery.run)):
            if name not in names:
                running.append(asyncio.create_task(work(), name=name))
        self._running = running
