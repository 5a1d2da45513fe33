"""The fields of a listing, to be filled in."""

import contextlib
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Input, Select, TextArea
from textual.widgets.select import InvalidSelectValueError

from client_tui.format import money
from client_tui.keymap import key_of
from client_tui.widgets.choice import choice, chosen_in
from client_tui.widgets.drop_fields import DropInput, DropTextArea
from client_tui.widgets.field import ErrorLine, Field
from client_tui.widgets.photo_upload import PhotoUpload
from client_tui.widgets.ticks import Tick
from shared_models.listings import Listing
from shared_models.market import Limits, Market

_METHODS = (("meet in person", "meet"), ("by post", "post"), ("either", "both"))


class SellForm(VerticalScroll):
    """Empty for something new, else as the listing is."""

    def __init__(self, listing: Listing | None, market: Market, own_place: str | None) -> None:
        super().__init__(id="sell")
        self._listing = listing
        self._market = market
        self._own_place = own_place

    def compose(self) -> ComposeResult:
        """Title and photos, what is chosen, the text, the button."""
        now, limits = self._listing, self._market.limits
        title = DropInput(now.title if now else "", max_length=limits.title_max)
        yield Field("title", title, id="title")
        add = Button(f"Add photos ({key_of('sell', 'add_photo')})", id="add-photo", compact=True)
        photos = Vertical(Vertical(id="photo-list"), add, id="photos")
        yield Field(_photo_hint(limits), photos, id="photo_ids")
        yield from self._choices()
        description = DropTextArea(now.description if now else "")
        length = f"{limits.description_publish_min:,} to {limits.description_max:,} characters"
        yield Field(f"description ({length})", description, id="description")
        yield ErrorLine(id="form-error")
        with Horizontal(classes="buttons"):
            is_draft = now is None or now.state == "draft"
            publish = "Put up for sale" if is_draft else "Save"
            yield Button(
                f"{publish} ({key_of('sell', 'publish')})", id="publish", variant="primary"
            )

    def _choices(self) -> ComposeResult:
        market, now = self._market, self._listing
        categories = [(category.name, category.id) for category in market.categories]
        conditions = [(choice.name, choice.id) for choice in market.conditions]
        category, condition = (now.category, now.condition) if now else (None, None)
        amount = now.price if now else None
        price = "" if amount is None else money(amount, market.currency_exponent)
        with Horizontal(classes="row"):
            yield Field("category", choice(categories, category), id="category")
            yield Field("condition", choice(conditions, condition), id="condition")
        with Horizontal(classes="row"):
            yield Field(f"price in {market.currency} (0 is free)", DropInput(price), id="price")
            yield Tick("negotiable", bool(now and now.negotiable), id="negotiable")
        with Horizontal(classes="row"):
            method = now.method if now else "meet"
            yield Field("how", choice(_METHODS, method), id="method")
            place = (now.place if now else self._own_place) or ""
            place_input = DropInput(place, max_length=market.limits.place_max)
            yield Field("neighbourhood", place_input, id="place")

    @property
    def photo_list(self) -> Vertical:
        """Where the photos are."""
        return self.query_one("#photo-list", Vertical)

    @property
    def uploads(self) -> list[PhotoUpload]:
        """The photos in their order, those on their way and those that failed too."""
        return list(self.photo_list.query(PhotoUpload))

    def values(self) -> dict[str, Any]:
        """What is in the form, the price as it is written."""
        return {
            "title": self.query_one("#title Input", Input).value,
            "description": self.query_one(TextArea).text,
            "category": chosen_in(self.query_one("#category Select", Select)),
            "condition": chosen_in(self.query_one("#condition Select", Select)),
            "price": self.query_one("#price Input", Input).value.strip(),
            "negotiable": self.query_one("#negotiable", Tick).value,
            "method": chosen_in(self.query_one("#method Select", Select)) or "meet",
            "place": self.query_one("#place Input", Input).value.strip() or None,
            "photo_ids": [upload.photo.id for upload in self.uploads if upload.photo],
        }

    def fill(self, values: dict[str, Any]) -> None:
        """What :meth:`values` told once, but for the photos."""
        self.query_one("#title Input", Input).value = values["title"]
        self.query_one(TextArea).text = values["description"]
        for name in ("category", "condition", "method"):
            select = self.query_one(f"#{name} Select", Select)
            with contextlib.suppress(InvalidSelectValueError):  # the market's lists may change
                select.value = values[name] or Select.NULL
        self.query_one("#price Input", Input).value = values["price"]
        self.query_one("#negotiable", Tick).value = values["negotiable"]
        self.query_one("#place Input", Input).value = values["place"] or ""


def _photo_hint(limits: Limits) -> str:
    most = limits.photo_bytes_max // (1024 * 1024)
    return f"photos: 1 to {limits.listing_photos_max}, JPEG, PNG or WebP, up to {most} MB each"
