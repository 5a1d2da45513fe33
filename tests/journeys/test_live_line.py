"""The client's core against a real server: the outbox drains and the copies are right."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

import pytest

from client_tui.core.api import Api, Http
from client_tui.core.cache import Cache
from client_tui.core.changes import Change
from client_tui.core.delivery import Delivery, DeliveryListener
from client_tui.core.forms import fill
from client_tui.core.outbox import Outbox, OutboxMessage
from client_tui.core.session import Listener, Session
from client_tui.core.status import LineState, Status
from client_tui.core.uploads import Uploader
from shared_models.accounts import SignUp
from shared_models.chat import Message, ReadMark
from shared_models.listings import ListingCreate
from shared_models.media import Purpose
from shared_models.realtime import Ok
from tests.journeys.people import PASSWORD, draw_picture
from tests.servers.lifetime import Lifetime
from tests.servers.picky import PickyServer, start_picky

COUNT = 120


class Device(Listener, DeliveryListener):
    """One signed-in device with everything but a screen."""

    def __init__(self, api: Api, me: UUID, token: str, folder: Path) -> None:
        self.api = api
        self.cache = Cache(folder / "cache.db", me)
        self.outbox = Outbox(folder / "outbox.db")
        self.session = Session(
            api.http.server,
            token,
            journal=self.cache,
            bootstrap=api.bootstrap,
            listener=self,
            chance=lambda: 0.3,
        )
        self.delivery = Delivery(
            self.outbox, self.session, Uploader(api), listener=self, chance=lambda: 0.3
        )
        self.sent_count = 0
        self.messages: list[Message] = []
        self.marks: list[ReadMark] = []
        self._heard = asyncio.Event()

    def status_changed(self, status: Status) -> None:
        self._heard.set()

    def changed(self, changes: Sequence[Change]) -> None:
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


async def open_room(seller: Device, buyer: Device, folder: Path) -> UUID:
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
    listing = await seller.api.create_listing(form)
    return (await buyer.api.open_room(listing.id)).id


@pytest.mark.timeout(150)
async def test_an_outbox_drains_across_crashes_in_order_and_without_a_double(
    picky_server: PickyServer, private_lifetime: Lifetime, database_url: str, tmp_path: Path
) -> None:
    server = picky_server
    async with (
        device(server.url, "minji", tmp_path / "seller") as seller,
        device(server.url, "bora", tmp_path / "buyer") as buyer,
    ):
        room_id = await open_room(seller, buyer, tmp_path)
        for number in range(COUNT):
            await buyer.outbox.put(room_id, f"message {number}")
        async with seller.live(), buyer.live():
            for crash_after in (COUNT // 4, COUNT // 2):
                await seller.until(lambda after=crash_after: len(seller.messages) >= after)  # type: ignore[misc]
                server.kill()
                server = await asyncio.to_thread(
                    start_picky, private_lifetime, port=server.port, database_url=database_url
                )
            await seller.until(lambda: len(seller.messages) >= COUNT)
            await buyer.until(lambda: len(buyer.messages) == buyer.sent_count == COUNT)
        expected = [f"message {number}" for number in range(COUNT)]
        for person in (seller, buyer):
            assert [message.text for message in person.messages] == expected
            kept = await person.cache.messages(room_id, limit=1000)
            assert [message.text for message in kept if message.kind == "text"] == expected
        assert await buyer.outbox.waiting() == []


@pytest.mark.timeout(90)
async def test_a_device_that_was_away_catches_up_and_counts_what_it_missed(
    picky_server: PickyServer, tmp_path: Path
) -> None:
    async with (
        device(picky_server.url, "minji", tmp_path / "seller") as seller,
        device(picky_server.url, "bora", tmp_path / "buyer") as buyer,
    ):
        room_id = await open_room(seller, buyer, tmp_path)
        async with seller.live():
            await seller.until(lambda: seller.session.status.state is LineState.ONLINE)
        async with buyer.live():
            for number in range(5):
                await buyer.outbox.put(room_id, f"message {number}")
            buyer.delivery.wake()
            await buyer.until(lambda: len(buyer.messages) >= 5)
        async with seller.live():
            await seller.until(lambda: len(seller.messages) >= 5)
            [room] = await seller.cache.rooms()
            with_the_safety_line = 6
            assert room.unread == with_the_safety_line
            assert room.unread == (await seller.api.room(room_id)).unread
            seller.session.mark_read(room_id, room.last_seq)
            await seller.until(lambda: bool(seller.marks))
            await buyer.outbox.put(room_id, "after the read mark")
            async with buyer.live():
                await seller.until(lambda: len(seller.messages) >= 6)
            [kept], present = await seller.cache.rooms(), await seller.api.room(room_id)
            assert (kept.last_seq, kept.unread) == (present.last_seq, present.unread) == (7, 1)


@pytest.mark.timeout(60)
async def test_a_session_ended_elsewhere_ends_the_line_for_good(
    picky_server: PickyServer, tmp_path: Path
) -> None:
    async with device(picky_server.url, "minji", tmp_path) as person, person.live():
        await person.until(lambda: person.session.status.state is LineState.ONLINE)
        await person.api.end_session()
        await person.until(lambda: person.session.status.state is LineState.SIGNED_OUT, within_s=10)
        assert person.session.status.retry_at is None
