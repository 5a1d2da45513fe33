"""Signed-in devices without a screen, and a room for two of them to talk in."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

from client_tui.core.api import Api, Http
from client_tui.core.cache import Cache
from client_tui.core.changes import Change
from client_tui.core.clock import Chance
from client_tui.core.delivery import Delivery, DeliveryListener
from client_tui.core.forms import fill
from client_tui.core.outbox import Outbox, OutboxMessage
from client_tui.core.session import Listener, Session
from client_tui.core.status import Status
from client_tui.core.uploads import Uploader
from shared_models.accounts import SignUp
from shared_models.chat import Message, ReadMark
from shared_models.listings import ListingCreate
from shared_models.media import Purpose
from shared_models.realtime import Ok
from shared_models.sync import Bootstrap
from tests.journeys.people import PASSWORD, draw_picture


class Device(Listener, DeliveryListener):
    """One signed-in device with everything but a screen."""

    def __init__(
        self, api: Api, me: UUID, token: str, folder: Path, *, chance: Chance = lambda: 0.3
    ) -> None:
        self.api = api
        self.token = token
        self.cache = Cache(folder / "cache.db", me)
        self.outbox = Outbox(folder / "outbox.db")
        self.session = Session(
            api.http.server,
            token,
            journal=self.cache,
            bootstrap=api.bootstrap,
            listener=self,
            chance=chance,
        )
        self.delivery = Delivery(
            self.outbox, self.session, Uploader(api), listener=self, chance=chance
        )
        self.sent_count = 0
        self.bootstraps = 0
        self.pos = 0
        """How far it has heard."""
        self.messages: list[Message] = []
        self.marks: list[ReadMark] = []
        self._heard = asyncio.Event()

    def status_changed(self, status: Status) -> None:
        self._heard.set()

    def rebased(self, state: Bootstrap) -> None:
        self.bootstraps += 1
        self.pos = state.pos
        self._heard.set()

    def changed(self, changes: Sequence[Change]) -> None:
        self.pos = changes[-1].pos
        self.messages += [
            change.data
            for change in changes
            if isinstance(change.data, Message) and change.data.kind == "text"
        ]
        self.marks += [change.data for change in changes if isinstance(change.data, ReadMark)]
        self._heard.set()

    def sent(self, message: OutboxMessage, ok: Ok) -> None:
        self.sent_count += 1
        self._heard.set()

    async def until(self, holds: Callable[[], bool], *, within_s: float = 50) -> None:
        async with asyncio.timeout(within_s):
            while not holds():
                self._heard.clear()
                await self._heard.wait()

    @asynccontextmanager
    async def live(self) -> AsyncIterator[None]:
        """Go live, and end as abruptly as a program does."""
        work = [
            asyncio.create_task(self.session.run()),
            asyncio.create_task(self.delivery.run()),
        ]
        try:
            yield
        finally:
            for task in work:
                task.cancel()
            for task in work:
                with suppress(asyncio.CancelledError):
                    await task


@asynccontextmanager
async def device(server: str, handle: str, folder: Path) -> AsyncIterator[Device]:
    """Sign up and open a device."""
    async with AsyncExitStack() as stack:
        visitor = await stack.enter_async_context(Api(Http(server)))
        form = fill(SignUp, handle=handle, password=PASSWORD, display_name=handle)
        signed_in = await visitor.sign_up(form)
        api = await stack.enter_async_context(Api(Http(server, signed_in.token)))
        made = Device(api, signed_in.account.id, signed_in.token, folder)
        await made.cache.open()
        stack.push_async_callback(made.cache.close)
        await made.outbox.open()
        stack.push_async_callback(made.outbox.close)
        yield made


async def put_up_listing(seller: Device, folder: Path) -> UUID:
    picture = draw_picture(folder / "chair.png", "teal", "box")
    [photo] = await Uploader(seller.api).photos(Purpose.LISTING, [picture])
    form = fill(
        ListingCreate,
        title="Oak chair",
        description="A chair of solid oak.",
        category="furniture",
        condition="good",
        price=45_000,
        photo_ids=[photo.id],
    )
    return (await seller.api.create_listing(form)).id


async def open_room(seller: Device, buyer: Device, folder: Path) -> UUID:
    return (await buyer.api.open_room(await put_up_listing(seller, folder))).id
