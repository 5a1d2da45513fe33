"""The demo's other people come in by the public protocol: they sell, buy, answer and review."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from client_tui.core.api import Api, Http
from client_tui.core.clock import SystemClock
from client_tui.core.paths import Paths
from client_tui.core.status import LineState
from client_tui.core.uploads import Uploader
from client_tui.demo.neighbours import Neighbours
from client_tui.link import Link
from client_tui.store import Change, PeerTyping
from shared_models.accounts import SignedIn, SignUp
from shared_models.listings import Listing, ListingCreate
from shared_models.market import Condition
from shared_models.media import Purpose
from shared_models.trades import ReviewCreate, Trade, TradeState
from tests.journeys.people import draw_picture
from tests.servers.lifetime import Lifetime
from tests.servers.picky import start_picky

PASSWORD = "second-hand and happy"
HASTE = 20


class Hasty(SystemClock):
    """For people who do everything at once."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / HASTE)


class Demo:
    """The demo person at the app, without the app; and one neighbour."""

    def __init__(self, link: Link, picture: Path, neighbour: SignedIn) -> None:
        self.link = link
        self.picture = picture
        self.neighbour = neighbour
        self.typing_seen = False
        self._stirred = asyncio.Event()
        link.store.subscribe(self._hear)

    def _hear(self, change: Change) -> None:
        self.typing_seen = self.typing_seen or isinstance(change, PeerTyping)
        self._stirred.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for the store to be so."""
        async with asyncio.timeout(50):
            while not condition():
                await self._stirred.wait()
                self._stirred.clear()

    def trade(self) -> Trade | None:
        """The newest trade."""
        return next(iter(self.link.store.state.trades.values()), None)

    def is_trade(self, state: TradeState) -> bool:
        """Whether the newest trade is in this state."""
        trade = self.trade()
        return trade is not None and trade.state is state

    def has_heard(self) -> bool:
        """Whether the last word in the newest room is the neighbour's."""
        room = next(iter(self.link.store.rooms_by_activity()), None)
        return (
            room is not None
            and room.last_message is not None
            and room.last_message.sender_id == self.neighbour.account.id
        )


async def put_up(api: Api, picture: Path) -> Listing:
    """Sell a chair."""
    [sent] = await Uploader(api).upload(Purpose.LISTING, [picture])
    assert sent.photo is not None
    return await api.create_listing(
        ListingCreate(
            title="Oak chair",
            description="Solid oak, hardly used.",
            category="furniture",
            condition=Condition.GOOD,
            price=40_000,
            negotiable=True,
            photo_ids=[sent.photo.id],
        )
    )


def account(handle: str) -> SignUp:
    return SignUp(handle=handle, password=PASSWORD, display_name=handle)


@asynccontextmanager
async def living(link: Link, *others: Neighbours) -> AsyncIterator[None]:
    """The line and the neighbours run; what fails in them fails the test."""
    work = [asyncio.create_task(link.run()), *(asyncio.create_task(one.run()) for one in others)]
    try:
        yield
        assert not any(task.done() for task in work)
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


@pytest.fixture
async def demo(
    private_lifetime: Lifetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Demo]:
    monkeypatch.setenv("PICKY_CREDENTIALS", "file")
    server = start_picky(private_lifetime)
    picture = draw_picture(tmp_path / "chair.jpg", "teal", "box")
    link = Link(Paths(tmp_path / "config", tmp_path / "data", tmp_path / "cache"))
    await link.sign_up(server.url, account("demo"))
    await link.start()
    async with Api(Http(server.url)) as visitor:
        neighbour = await visitor.sign_up(account("minji"))
    demo = Demo(link, picture, neighbour)
    async with Api(Http(server.url, neighbour.token)) as api:
        listing = await put_up(api, picture)
    people = Neighbours(server.url, PASSWORD, link.store, clock=Hasty(), rng=Random(7))
    async with living(link, people):
        await demo.until(
            lambda: link.status.state is LineState.ONLINE and link.store.me is not None
        )
        await link.api.open_room(listing.id)
        await demo.until(lambda: bool(link.store.state.rooms))
        yield demo
    await link.close()


async def test_a_neighbour_answers_sells_hands_over_and_reviews(demo: Demo) -> None:
    link = demo.link
    [room] = link.store.rooms_by_activity()
    await link.send_message(room.id, "Hello! Is it still there?")
    await demo.until(demo.has_heard)
    assert demo.typing_seen
    await link.send_message(room.id, "Lovely, I'll take it.")
    await demo.until(lambda: demo.is_trade(TradeState.RESERVED))
    trade = demo.trade()
    assert trade is not None
    await link.api.confirm(trade.id, trade.version)
    await demo.until(lambda: demo.is_trade(TradeState.COMPLETED))
    await link.api.review(trade.id, ReviewCreate(rating=5))
    await demo.until(lambda: (demo.trade() or trade).other_review is not None)


async def test_a_neighbour_finds_what_the_demo_person_sells(demo: Demo) -> None:
    link = demo.link
    listing = await put_up(link.api, demo.picture)

    def somebody_asks() -> bool:
        rooms = link.store.rooms_by_activity()
        return any(room.listing.id == listing.id and room.unread > 1 for room in rooms)

    await demo.until(somebody_asks)
