"""A listing: photos, the whole text, who sells it, and what can be done with it."""

import contextlib
from collections.abc import Iterable
from functools import partial
from uuid import UUID

from textual import on
from textual.widget import Widget
from textual.widgets import Static

from client_tui.core.errors import ClientError, NotFound, ServerUnreachable, StorageFailed
from client_tui.core.forms import fill
from client_tui.format import money, parse_money, visible_line
from client_tui.keymap import Action
from client_tui.screens.ask import AskScreen
from client_tui.screens.base import PickyScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.viewer import ViewerScreen
from client_tui.store import Change, ListingChanged, Reset
from client_tui.widgets.listing_view import ListingView
from client_tui.widgets.photo_strip import PhotoStrip
from client_tui.work import start
from shared_models.listings import Listing, ListingCard, ListingPatch

_NEEDS = {
    "chat": {"open_chatroom"},
    "offer": {"open_chatroom"},
    "like": {"like", "unlike"},
    "edit": {"edit"},
    "publish": {"publish"},
    "delete": {"delete"},
    "sold_elsewhere": {"sold_elsewhere"},
    "undo_sold_elsewhere": {"undo_sold_elsewhere"},
}
_BUYER_ONLY = {"chat", "offer", "like", "seller"}
_SELLER_ONLY = {"edit", "publish", "delete", "sold_elsewhere", "undo_sold_elsewhere"}
_RARE = {"publish", "sold_elsewhere", "undo_sold_elsewhere"}
"""In the footer only while they can be done."""


class ListingScreen(PickyScreen):
    """One listing, read anew whenever it changes."""

    context = "listing"

    def __init__(self, listing_id: UUID) -> None:
        super().__init__()
        self.listing_id = listing_id
        self.listing: Listing | None = None
        self._is_copy = False

    def heading(self) -> str:
        """Its title."""
        if self.listing is None:
            return "‹ listing"
        copy = "  as it was when you last saw it" if self._is_copy else ""
        return f"‹ {visible_line(self.listing.title)}{copy}"

    def content(self) -> Iterable[Widget]:
        """Photos and text, or why there are none."""
        yield ListingView(id="listing")
        yield Static("One moment…", id="listing-note", classes="empty", markup=False)

    def on_mount(self) -> None:
        """Read it."""
        super().on_mount()
        self.query_one("#listing").display = False
        self.do_refresh()

    def do_refresh(self) -> None:
        """Read it again."""
        start(self, self._load, group="listing", exclusive=True)

    async def _load(self) -> None:
        try:
            listing = await self.link.api.listing(self.listing_id)
        except NotFound:
            self._show_note("This listing is no longer there." + self.hint("back goes back"))
            return
        except ClientError as error:
            self.failed(error)
            await self._load_copy(error)
            return
        self._is_copy = False
        self._draw(listing)
        with contextlib.suppress(StorageFailed):
            await self.link.cache.save_listing(listing)

    async def _load_copy(self, error: ClientError) -> None:
        """Without a server the copy on this machine; what can be done is still up to the server."""
        copy = None
        if self.listing is None and isinstance(error, ServerUnreachable):
            copy = await self.link.cache.listing(self.listing_id)
        if copy is not None:
            self._is_copy = True
            self._draw(copy)
        elif self.listing is None:
            self._show_note(f"{error}{self.hint('refresh tries again', 'back goes back')}")
        else:
            self.say(str(error), severity="error")

    def _show_note(self, text: str) -> None:
        note = self.query_one("#listing-note", Static)
        note.update(text)
        note.display = True
        self.query_one("#listing").display = False

    def _draw(self, listing: Listing) -> None:
        self.listing = listing
        self.query_one("#listing-note").display = False
        view = self.query_one(ListingView)
        view.display = True
        view.show(listing, listing.photos, mine=self._is_mine(listing))
        if not view.has_focus_within:
            view.focus()
        self.redraw_bars()

    def _is_mine(self, listing: Listing) -> bool:
        return listing.seller.id == self.store.me

    def on_change(self, change: Change) -> None:
        """It changed somewhere: read it again."""
        match change:
            case Reset():
                self.do_refresh()
            case ListingChanged(card) if card.id == self.listing_id:
                self.do_refresh()

    def why_not(self, action_id: str) -> str | None:
        """What the server allows, and why not otherwise."""
        listing = self.listing
        needs = _NEEDS.get(action_id)
        if listing is None:
            return "The listing is not here yet." if needs or action_id == "photos" else None
        mine = self._is_mine(listing)
        if action_id == "photos":
            return None if listing.photos else "There are no photos."
        if needs is None or needs & set(listing.allowed_actions):
            return "This is your own listing." if action_id == "report" and mine else None
        if action_id == "chat" and listing.chatroom_id is not None:
            return None
        if mine and action_id in {"chat", "offer", "like"}:
            return "This is your own listing."
        if not mine and action_id in _SELLER_ONLY:
            return "This is somebody else's listing."
        if action_id == "undo_sold_elsewhere":
            return "It was not sold elsewhere in the last 24 hours."
        return f"Not while it is {listing.state}."

    def footer_actions(self) -> list[Action]:
        """Only one's own side of it."""
        mine = self.listing is not None and self._is_mine(self.listing)
        hidden = (_BUYER_ONLY if mine else _SELLER_ONLY) | _RARE
        if mine and self.listing is not None:
            hidden -= set(self.listing.allowed_actions)
        return [action for action in super().footer_actions() if action.id not in hidden]

    @on(PhotoStrip.Chosen)
    def _photo_chosen(self, event: PhotoStrip.Chosen) -> None:
        self._view(event.index)

    def do_photos(self) -> None:
        """Full-screen."""
        self._view(0)

    def _view(self, index: int) -> None:
        if self.listing is not None:
            self.app.push_screen(ViewerScreen(self.listing.title, self.listing.photos, index))

    def do_like(self) -> None:
        """Like it, or no longer."""
        start(self, self._like, group="like", exclusive=True)

    async def _like(self) -> None:
        assert self.listing is not None
        await self.link.toggle_like(_card_of(self.listing))

    def do_chat(self) -> None:
        """Talk to the seller."""
        self.picky.open_chat_about(self.listing_id)

    def do_offer(self) -> None:
        """Offer a price in the room with the seller."""
        assert self.listing is not None
        market = self.link.market
        full = money(self.listing.price or 0, market.currency_exponent)
        hint = (
            f"The price is {full}; it is negotiable."
            if self.listing.negotiable
            else f"The price is {full}, not negotiable: offer it in full to ask for it."
        )
        self.app.push_screen(
            AskScreen("Your offer", hint, value=full, check=self._amount), self._offered
        )

    def _amount(self, text: str) -> None:
        parse_money(text, self.link.market.currency_exponent)

    def _offered(self, text: str | None) -> None:
        if text is not None:
            amount = parse_money(text, self.link.market.currency_exponent)
            start(self, partial(self._offer, amount), group="offer")

    async def _offer(self, amount: int) -> None:
        room = await self.link.api.open_room(self.listing_id)
        await self.link.api.make_offer(room.id, amount)
        self.store.put_room(await self.link.api.room(room.id))
        self.picky.open_chat(room.id)

    def do_seller(self) -> None:
        """The seller's profile."""
        if self.listing is not None:
            self.picky.open_profile(self.listing.seller.id)

    def do_report(self) -> None:
        """Report it."""
        self.picky.report("listing", self.listing_id)

    def do_edit(self) -> None:
        """Edit."""
        assert self.listing is not None
        self.picky.sell(self.listing)

    def do_publish(self) -> None:
        """Put the draft up for sale."""
        start(self, self._publish, group="publish")

    async def _publish(self) -> None:
        assert self.listing is not None
        self._draw(
            await self.link.api.update_listing(
                self.listing_id, fill(ListingPatch, state="selling"), version=self.listing.version
            )
        )
        self.say("It is for sale.")

    def do_delete(self) -> None:
        """Delete, after a question."""
        question = ConfirmScreen(
            "Delete this listing?", "Its chats become read-only.", yes="Delete"
        )
        self.app.push_screen(question, self._delete_answered)

    def _delete_answered(self, yes: bool | None) -> None:
        if yes:
            start(self, self._delete, group="delete")

    async def _delete(self) -> None:
        await self.link.api.delete_listing(self.listing_id)
        self.say("The listing is deleted.")
        self.dismiss()

    def do_sold_elsewhere(self) -> None:
        """Close it as sold, after a question."""
        question = ConfirmScreen(
            "Is this sold elsewhere?",
            "Offers on it end and its chats become read-only. It can be undone for 24 hours.",
            yes="Sold",
        )
        self.app.push_screen(question, self._sold_answered)

    def _sold_answered(self, yes: bool | None) -> None:
        if yes:
            start(self, self._sold_elsewhere, group="sold")

    async def _sold_elsewhere(self) -> None:
        self._draw(await self.link.api.sold_elsewhere(self.listing_id))
        self.say(f"It is sold. {self.key('undo_sold_elsewhere')} takes that back.")

    def do_undo_sold_elsewhere(self) -> None:
        """Put it on sale again."""
        start(self, self._undo_sold_elsewhere, group="sold")

    async def _undo_sold_elsewhere(self) -> None:
        self._draw(await self.link.api.undo_sold_elsewhere(self.listing_id))
        self.say("It is on sale again.")

    def do_copy(self) -> None:
        """Its text to the clipboard."""
        if self.listing is not None:
            self.app.copy_to_clipboard(f"{self.listing.title}\n{self.listing.description}")
            self.say("Copied.")


def _card_of(listing: Listing) -> ListingCard:
    fields = {name: getattr(listing, name) for name in ListingCard.model_fields if name != "cover"}
    return ListingCard(**fields, cover=listing.photos[0] if listing.photos else None)
