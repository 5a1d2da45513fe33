"""What is being sold, as buyers will see it, before anybody does."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from rich.text import Text
from textual.widget import Widget
from textual.widgets import Static

from client_tui.core.errors import Invalid
from client_tui.core.forms import fill
from client_tui.core.listing_form import check_new_listing
from client_tui.format import parse_money, visible_line
from client_tui.pictures import AnyPhoto
from client_tui.screens.base import PickyScreen
from client_tui.widgets.listing_view import ListingView
from shared_models.accounts import Account, ProfileCard
from shared_models.listings import Listing, ListingCreate, ListingState
from shared_models.market import Market

_NO_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Shown:
    """Makes a listing of what is in the form; ``now`` is what the server has of it."""

    market: Market
    account: Account
    now: Listing | None
    at: datetime

    def listing(self, form: dict[str, Any]) -> Listing:
        """As it will be once it is for sale, or saved."""
        fields = {name: value for name, value in form.items() if name != "photo_ids"}
        fields["title"], fields["description"] = form["title"].strip(), form["description"].strip()
        fields["price"], _ = self._price(form)
        before = self._new() if self.now is None or self.now.state == "draft" else dict(self.now)
        return Listing.model_validate({**before, **fields})

    def still_to_do(self, form: dict[str, Any], photos: int, photo_problem: str) -> list[str]:
        """What keeps it from being for sale, as sentences."""
        price, price_problem = self._price(form)
        problems = [problem for problem in (price_problem, photo_problem) if problem]
        try:
            new = fill(ListingCreate, **{**form, "price": 0 if price_problem else price})
            check_new_listing(new, photos, self.market)
        except Invalid as invalid:
            problems += [problem.message for problem in invalid.errors]
        return problems

    def _price(self, form: dict[str, Any]) -> tuple[int | None, str]:
        """The price, None when there is none, and what is wrong with what is written."""
        most = self.market.limits.price_max
        try:
            text = form["price"]
            price = parse_money(text, self.market.currency_exponent) if text else None
        except ValueError as error:
            return None, f"Price: {error}"
        if price is not None and price > most:
            return None, f"A price is {most:,} at most."
        return price, ""

    def _new(self) -> dict[str, Any]:
        """What a form does not say of a listing that nobody has seen."""
        me = self.account
        seller = ProfileCard(
            id=me.id,
            handle=me.handle,
            display_name=me.display_name,
            avatar=me.avatar,
            manner_score=me.manner_score,
        )
        nothing = {"hidden": False, "deleted": False, "liked": False, "chatroom_id": None}
        times = dict.fromkeys(("created_at", "updated_at", "bumped_at"), self.at)
        return {
            "id": _NO_ID,
            "version": 0,
            "seller": seller,
            "state": ListingState.SELLING,
            "photos": [],
            "like_count": 0,
            "chat_count": 0,
            "allowed_actions": [],
            **nothing,
            **times,
        }


class SellPreviewScreen(PickyScreen):
    """The listing as its own screen draws it; the form waits below as it was."""

    context = "preview"

    def __init__(
        self, listing: Listing, photos: Sequence[AnyPhoto], still_to_do: Sequence[str]
    ) -> None:
        """``photos`` are files of this machine for as long as they are not uploaded."""
        super().__init__()
        self._listing = listing
        self._photos = photos
        self._still_to_do = still_to_do

    def heading(self) -> str:
        """Its title."""
        title = visible_line(self._listing.title)
        return f"‹ preview · {title}" if title else "‹ preview"

    def content(self) -> Iterable[Widget]:
        """That nobody sees it, and what they would see."""
        yield Static(self._notice(), id="sell-preview-note", markup=False)
        yield ListingView(id="listing")

    def _notice(self) -> Text:
        text = Text("preview: nobody sees this yet", "bold")
        if self._still_to_do:
            colors = self.app.theme_variables
            text.append("\nStill to do: " + " ".join(self._still_to_do), colors["warning"])
        return text

    def on_mount(self) -> None:
        """Draw it."""
        super().on_mount()
        view = self.query_one(ListingView)
        view.show(self._listing, self._photos, mine=False)
        view.focus()

    def do_form(self) -> None:
        """Back to the form."""
        self.dismiss()
