from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.listing import ListingScreen
from shared_models.listings import Listing, ListingState
from tests.client.app.chat_room import Chat, RoomServer, open_chat, talk_of
from tests.client.core.fakes import LISTING, ME, listing

SELLING = {"state": ListingState.SELLING, "allowed_actions": ["edit", "sold_elsewhere", "delete"]}
SOLD = {"state": ListingState.SOLD, "allowed_actions": ["undo_sold_elsewhere", "delete"]}


class SellersServer(RoomServer):
    """Has one listing of one's own."""

    def __init__(self) -> None:
        super().__init__(talk_of(1))
        self.state: dict[str, Any] = SELLING

    async def listing(self, listing_id: UUID) -> Listing:
        own = listing(listing_id)
        seller = own.seller.model_copy(update={"id": ME})
        return own.model_copy(update={"seller": seller, **self.state})

    async def sold_elsewhere(self, listing_id: UUID) -> Listing:
        self.state = SOLD
        return await self.listing(listing_id)

    async def undo_sold_elsewhere(self, listing_id: UUID) -> Listing:
        self.state = SELLING
        return await self.listing(listing_id)


@asynccontextmanager
async def own_listing(directory: Path, server: SellersServer) -> AsyncIterator[Chat]:
    async with open_chat(directory, server) as chat:
        chat.app.open_listing(LISTING)
        await chat.until(lambda: shown(chat) is not None)
        yield chat


def shown(chat: Chat) -> Listing | None:
    """The listing in front, below a dialog."""
    screens = [one for one in chat.app.screen_stack if isinstance(one, ListingScreen)]
    return screens[0].listing if screens else None


def footer(chat: Chat) -> set[str]:
    screen = chat.app.screen
    assert isinstance(screen, ListingScreen)
    return {action.id for action in screen.footer_actions()}


async def test_a_sale_elsewhere_is_asked_about_and_can_be_taken_back(tmp_path: Path) -> None:
    server = SellersServer()
    async with own_listing(tmp_path, server) as chat:
        assert {"sold_elsewhere", "edit"} <= footer(chat)
        assert "undo_sold_elsewhere" not in footer(chat)
        await chat.pilot.press("m", "n")
        assert server.state is SELLING
        await chat.pilot.press("m")
        assert isinstance(chat.app.screen, ConfirmScreen)
        await chat.pilot.press("y")
        await chat.until(lambda: (one := shown(chat)) and one.state == "sold")
        assert "undo_sold_elsewhere" in footer(chat)
        assert chat.toasts() == ["It is sold. u takes that back."]
        await chat.pilot.press("u")
        await chat.until(lambda: (one := shown(chat)) and one.state == "selling")
        assert chat.toasts()[-1] == "It is on sale again."


async def test_what_cannot_be_undone_says_why(tmp_path: Path) -> None:
    server = SellersServer()
    server.state = {"state": ListingState.SOLD, "allowed_actions": ["delete"]}
    async with own_listing(tmp_path, server) as chat:
        await chat.pilot.press("m", "u")
        await chat.pilot.pause()
        assert chat.toasts() == [
            "Not while it is sold.",
            "It was not sold elsewhere in the last 24 hours.",
        ]
        assert not {"sold_elsewhere", "undo_sold_elsewhere"} & footer(chat)
