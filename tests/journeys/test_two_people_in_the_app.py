"""The main job in the app itself, by keys alone: from the first photo to the last review.

On SQLite as it is, on PostgreSQL with crashes; by the commands it is the other way round.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from client_tui.screens.ask import AskScreen
from client_tui.screens.browse import BrowseScreen
from client_tui.screens.chat import ChatScreen
from client_tui.screens.chats import ChatsScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.listing import ListingScreen
from client_tui.screens.review import ReviewScreen
from client_tui.screens.sell import SellScreen
from client_tui.screens.trade import TradeScreen
from client_tui.screens.trades import TradesScreen
from client_tui.widgets.photo_upload import PhotoUpload
from tests.journeys.app_people import AppPerson, at_the_app
from tests.journeys.people import draw_picture
from tests.quiet import certain
from tests.servers.lifetime import Lifetime
from tests.servers.picky import start_picky

__all__ = ["certain"]  # a key goes to what has the focus after the key before it

pytestmark = pytest.mark.timeout(240)

Between = Callable[[], Awaitable[None]]
TITLE = "Oak chair 의자"


class Journey:
    """Two people, one chair; ``between`` happens wherever it could do harm."""

    def __init__(
        self, seller: AppPerson, buyer: AppPerson, pictures: list[Path], between: Between
    ) -> None:
        self.seller, self.buyer = seller, buyer
        self.pictures = pictures
        self.between = between

    async def sell(self) -> None:
        seller = self.seller
        await seller.press("n")
        await seller.until_on(SellScreen)
        await seller.write(TITLE)
        await seller.press("tab")
        await seller.paste(" ".join(map(str, self.pictures[:2])))
        await seller.choose("#category Select", "Furn")
        await seller.choose("#condition Select", "good")
        await seller.fill("#price Input", "45000")
        await seller.press("tab", "space")
        await seller.fill("#place Input", "Mapo")
        await seller.fill("#description TextArea", "Solid oak, hardly used.")
        await seller.until(self._photos_are_up, "two photos")
        await seller.press("ctrl+s")
        await seller.until_on(ListingScreen)
        await seller.until_seen(TITLE, "45,000", "● selling")
        await seller.press("escape")
        await seller.until_on(BrowseScreen)

    def _photos_are_up(self) -> bool:
        uploads = self.seller.app.screen.query(PhotoUpload)
        return len(uploads) == 2 and all(upload.photo is not None for upload in uploads)

    async def find(self) -> None:
        buyer = self.buyer
        await buyer.press("slash")
        await buyer.write("의자")
        await buyer.until_seen(TITLE, "45,000", "Mapo")
        await buyer.press("enter", "enter")
        await buyer.until_on(ListingScreen)
        await buyer.until_seen("Solid oak, hardly used.", self.seller.name)

    async def talk(self) -> None:
        buyer, seller = self.buyer, self.seller
        await buyer.press("c")
        await buyer.until_on(ChatScreen)
        await buyer.write("Still there?")
        await buyer.press("enter")
        await buyer.until_seen("Still there?", "sent ✓")
        await self.between()
        await buyer.write("Mine looks like this")
        await buyer.paste(str(self.pictures[2]))
        await buyer.until_seen(self.pictures[2].name)
        await buyer.press("enter")
        await seller.go("c")
        await seller.until_on(ChatsScreen)
        await seller.until_seen(buyer.name, "3 new")
        await seller.press("enter")
        await seller.until_on(ChatScreen)
        await seller.until_seen("Still there?", "Mine looks like this")
        await seller.write("Yes, both legs are fine.")
        await seller.press("enter")
        await buyer.until_seen("Yes, both legs are fine.", "read")

    async def agree(self) -> None:
        buyer, seller = self.buyer, self.seller
        await buyer.press("escape", "o")
        await buyer.until_on(AskScreen)
        await buyer.press("ctrl+u")
        await buyer.write("40000")
        await buyer.press("enter")
        await seller.until_seen("offers 40,000", "a accept")  # the offer comes after its message
        await self.between()
        await seller.press("escape", "a")
        await seller.until_on(ConfirmScreen)
        await seller.press("y")
        for person in (seller, buyer):
            # The trade comes last, and then its key stands beside the other one's score.
            await person.until_seen("◐ reserved", "Reserved for 40,000.", "★ 36.5 t trade")

    async def hand_over(self) -> None:
        for person, before, after in (
            (self.seller, "◐ reserved", "handed over"),
            (self.buyer, "handed over", "completed"),
        ):
            await person.press("t")
            await person.until_on(TradeScreen)
            await person.until_seen(before)
            await person.press("c")
            await person.until_on(ConfirmScreen)
            await person.press("y")
            await person.until_seen(after)
            await self.between()
        await self.seller.until_seen("completed")

    async def review(self) -> None:
        for person, words in ((self.buyer, "Lovely chair."), (self.seller, "Kind and quick.")):
            await person.press("r")
            await person.until_on(ReviewScreen)
            await person.press("enter", "enter", "tab")
            await person.write(words)
            await person.press("ctrl+s")
            await person.until_on(TradeScreen)
            await person.until_seen(words)
        await self.buyer.until_seen("Kind and quick.", "Lovely chair.")
        await self.seller.until_seen("Kind and quick.", "Lovely chair.")

    async def sold_everywhere(self) -> None:
        for person in (self.seller, self.buyer):
            await person.press("v")
            await person.until_on(ListingScreen)
            await person.until_seen(TITLE, "○ sold")
            await person.go("c")
            await person.until_on(ChatsScreen)
            await person.until_seen(TITLE[:9], "○ sold")
            await person.go("t")
            await person.until_on(TradesScreen)
            await person.until_seen(TITLE[:9], "completed")
            await person.go("b")  # as it was left, which may be deep in it
            await person.go("b")  # and its beginning
            await person.until_on(BrowseScreen)
            await person.press("ctrl+r")
            await person.until_gone(TITLE)

    async def nothing_lost_or_doubled(self) -> None:
        said = []
        for person in (self.seller, self.buyer):
            [room] = person.app.link.store.rooms_by_activity()
            api = person.app.link.api
            assert room.unread == (await api.room(room.id)).unread
            page = await api.messages(room.id, limit=100)
            assert [one.seq for one in page.items] == list(range(1, room.last_seq + 1))
            said.append([(one.text, len(one.photos)) for one in page.items if one.sender_id])
        assert said[0] == said[1]
        assert said[0] == [
            ("Still there?", 0),
            ("Mine looks like this", 1),
            ("Yes, both legs are fine.", 0),
        ]


async def travel(journey: Journey, server: str) -> None:
    for person in (journey.seller, journey.buyer):
        await person.sign_up(server)
    for step in (
        journey.sell,
        journey.find,
        journey.talk,
        journey.agree,
        journey.hand_over,
        journey.review,
        journey.sold_everywhere,
        journey.nothing_lost_or_doubled,
    ):
        await step()


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    drawn = [("teal", "circle"), ("tomato", "box"), ("gold", "circle")]
    return [draw_picture(tmp_path / f"{colour}.jpg", colour, shape) for colour, shape in drawn]


@pytest.fixture(autouse=True)
def own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICKY_CREDENTIALS", "file")


async def test_two_people_sell_and_buy_a_chair(
    private_lifetime: Lifetime, tmp_path: Path, pictures: list[Path]
) -> None:
    server = start_picky(private_lifetime)

    async def nothing() -> None: ...

    async with (
        at_the_app(tmp_path / "seller", "minji", "민지") as seller,
        at_the_app(tmp_path / "buyer", "bora", "Bora") as buyer,
    ):
        await travel(Journey(seller, buyer, pictures, nothing), server.url)


async def test_a_server_killed_again_and_again_loses_nothing_of_it(
    private_lifetime: Lifetime, postgres_url: str, tmp_path: Path, pictures: list[Path]
) -> None:
    server = start_picky(private_lifetime, database_url=postgres_url)
    async with (
        at_the_app(tmp_path / "seller", "minji", "민지") as seller,
        at_the_app(tmp_path / "buyer", "bora", "Bora") as buyer,
    ):

        async def crash_and_come_back() -> None:
            nonlocal server
            server.kill()
            for person in (seller, buyer):
                await person.until_offline()
            server = await asyncio.to_thread(
                start_picky, private_lifetime, port=server.port, database_url=postgres_url
            )
            for person in (seller, buyer):
                await person.reconnect()

        await travel(Journey(seller, buyer, pictures, crash_and_come_back), server.url)
