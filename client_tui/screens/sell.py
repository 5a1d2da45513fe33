"""Sell or edit: the form as the server checks it, photos with progress, a draft as one types."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar
from uuid import UUID, uuid4

from textual import on
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button, Input, Select, TextArea

from client_tui.core.errors import ClientError, Stale
from client_tui.core.forms import fill
from client_tui.format import parse_money, visible_line
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.sell_kept import KeptForm, made_of, uploads_of
from client_tui.screens.sell_photos import SellPhotos
from client_tui.screens.sell_preview import SellPreviewScreen, Shown
from client_tui.widgets.field import ErrorLine, Field, clear_errors, show_refusal
from client_tui.widgets.photo_upload import PhotoUpload
from client_tui.widgets.sell_form import SellForm
from client_tui.widgets.ticks import Tick
from client_tui.work import start
from shared_models.listings import Listing, ListingCreate, ListingPatch

DRAFT_PAUSE_S = 1.5
DRAFT_MOST_S = 6.0
"""Who types on and on has the draft saved all the same."""
KEEP_PAUSE_S = 0.5
_UNDER_WAY = "Some photos are still on their way."
_CHANGED = "What you changed is not saved yet."


class SellScreen(SellPhotos):
    """A new listing, a draft, or one that is for sale already."""

    context = "sell"
    AUTO_FOCUS: ClassVar[str] = "#title Input"

    def __init__(self, listing: Listing | None = None) -> None:
        super().__init__()
        self.listing = listing
        self._pause: Timer | None = None
        self._changed_at = 0.0
        self._keeping: Timer | None = None
        self._one_save = asyncio.Lock()
        self._publishing = False
        self._saved: dict[str, Any] | None = None
        """The form as it was opened or saved; None until it is drawn."""
        self._sent_as: tuple[ListingCreate, UUID] | None = None
        self._note = ""
        self._problem = ""

    @property
    def _is_draft(self) -> bool:
        return self.listing is None or self.listing.state == "draft"

    def heading(self) -> str:
        """What this is, and whether the draft is saved."""
        what = "sell something" if self._is_draft else "edit"
        return f"‹ {what}" + (f" · {self._note}" if self._note else "")

    def content(self) -> Iterable[Widget]:
        """The form."""
        account = self.store.state.account
        yield SellForm(self.listing, self.link.market, account.place if account else None)

    def on_mount(self) -> None:
        """Show the photos that are there."""
        super().on_mount()
        self._kept = KeptForm(self.link.outbox.drafts, self.listing)
        if self.listing is not None:
            self._photo_list.mount(*(PhotoUpload(photo=p) for p in self.listing.photos))
        self.call_after_refresh(self._begin_saving)

    def _begin_saving(self) -> None:
        self._saved = self._form()
        self.query_one("#sell").scroll_home(animate=False)  # the focus hides the first label
        start(self, self._offer_kept, group="kept")

    async def _offer_kept(self) -> None:
        form = await self._kept.read()
        if form is None:
            return

        def answered(yes: bool | None) -> None:
            start(self, partial(self._go_on, form) if yes else self._kept.forget, group="kept")

        question = ConfirmScreen(
            "Go on where you were?",
            f"“{visible_line(form['values']['title'])}” was not saved when Picky ended.",
            yes="Go on",
            no="Begin anew",
        )
        self.app.push_screen(question, answered)

    async def _go_on(self, form: dict[str, Any]) -> None:
        listing_id = made_of(form)
        if listing_id is not None:
            self.listing = await self.link.api.listing(listing_id)
        self._sell_form.fill(form["values"])
        await self._photo_list.remove_children()
        await self._photo_list.mount(*uploads_of(form))
        for upload in self._uploads:
            if upload.path is not None:
                self._start(upload)
        self._changed_form()

    @property
    def unsaved(self) -> bool:
        """Whether the form holds anything that the server does not have."""
        if self._saved is None:
            return False
        form = self._form()
        blank = not (form["title"].strip() or form["description"].strip() or form["photo_ids"])
        return form != self._saved and not (blank and self.listing is None)

    # The form

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "publish":
            self.do_publish()
        elif event.button.id == "add-photo":
            self.do_add_photo()

    def _fields(self) -> dict[str, Any]:
        """The form for the server; raises ValueError for a price that is none."""
        form = self._form()
        price = form["price"]
        amount = parse_money(price, self.link.market.currency_exponent) if price else None
        return {**form, "price": amount}

    def _form(self) -> dict[str, Any]:
        """What is in the form, the price as it is written."""
        return self._sell_form.values()

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Select.Changed)
    @on(Tick.Changed)
    def _changed_form(self) -> None:
        if not self.unsaved:
            return
        if self._keeping is None:
            self._keeping = self.set_timer(KEEP_PAUSE_S, self._keep)
        if not self._is_draft:
            return
        now = self.link.clock.monotonic()
        if self._pause is None:
            self._changed_at = now
        elif now - self._changed_at >= DRAFT_MOST_S:
            return
        else:
            self._pause.stop()
        self._pause = self.set_timer(DRAFT_PAUSE_S, self._save_draft_soon)

    async def _keep(self) -> None:
        self._keeping = None
        if self.unsaved:
            await self._kept.keep(self.listing, self._form(), self._uploads)

    def do_refresh(self) -> None:
        """The line is back, or is to be tried: save what could not be saved."""
        if self._is_draft and self.unsaved and not self._publishing:
            self._save_draft_soon()

    def _save_draft_soon(self) -> None:
        self._pause = None
        start(self, self._save_draft, group="draft")

    async def _save_draft(self) -> None:
        try:
            await self._save(publish=False)
            self._note, self._problem = "draft saved", ""
        except (ClientError, ValueError) as error:
            self._note, self._problem = f"draft not saved: {error}", str(error)
            if isinstance(error, ClientError):
                self.failed(error)
        self.redraw_bars()

    async def _save(self, *, publish: bool) -> None:
        """One at a time: a listing that is being made is not made twice."""
        async with self._one_save:
            form, fields = self._form(), self._fields()
            if publish:
                self.listing = await self._put(fields, publish=True)
            elif self._is_draft and form != self._saved:
                self.listing = await self._put(fields, publish=False)
            self._saved = form
        if not self.unsaved:
            await self._kept.forget()

    async def _put(self, fields: dict[str, Any], *, publish: bool) -> Listing:
        api, now = self.link.api, self.listing
        if now is None:
            new = fill(ListingCreate, **fields, state="selling" if publish else "draft")
            # After a lost answer the same form is the same request, not a second listing.
            if self._sent_as is None or self._sent_as[0] != new:
                self._sent_as = (new, uuid4())
            return await api.create_listing(new, key=self._sent_as[1])
        changes = {**fields, "state": "selling"} if publish and self._is_draft else fields
        return await api.update_listing(now.id, fill(ListingPatch, **changes), version=now.version)

    def do_publish(self) -> None:
        """Check, then put it up for sale or save the changes."""
        if self._publishing:
            return
        if self._pause is not None:
            self._pause.stop()
        self._publishing, self._note = True, "saving…"
        self.redraw_bars()
        start(self, self._publish, group="publish")

    async def _publish(self) -> None:
        try:
            await self._check_and_publish()
        finally:
            self._publishing, self._note = False, ""
            self.redraw_bars()

    async def _check_and_publish(self) -> None:
        clear_errors(self)
        not_ready = self._photos_not_ready()
        if not_ready:
            self._photo_error(not_ready)
            return
        was_draft = self._is_draft
        try:
            await self._save(publish=True)
        except ValueError as no_price:
            self.query_one("#price", Field).show_error(str(no_price))
        except ClientError as error:
            self._show_refusal(error)
        else:
            self.say("It is for sale." if was_draft else "Saved.")
            self._leave()

    def _photos_not_ready(self) -> str:
        if any(upload.under_way for upload in self._uploads):
            return _UNDER_WAY
        if any(upload.failed for upload in self._uploads):
            return "A photo has failed. Retry it, or remove it."
        return ""

    def why_not(self, action_id: str) -> str | None:
        """A form on its way to the server is about to close."""
        busy = action_id in {"publish", "preview"} and self._publishing
        return "It is being saved." if busy else None

    def do_preview(self) -> None:
        """The form as buyers will see it."""
        account = self.store.state.account
        if account is None:
            self.say("Your account is not here yet.", severity="warning")
            return
        shown = Shown(self.link.market, account, self.listing, self.link.now())
        self.app.push_screen(
            SellPreviewScreen(
                shown.listing(self._form()),
                [source for upload in self._uploads if (source := upload.photo or upload.path)],
                shown.still_to_do(self._form(), len(self._uploads), self._photos_not_ready()),
            )
        )

    def _show_refusal(self, error: ClientError) -> None:
        if isinstance(error, Stale):
            self._form_error(f"It was changed elsewhere. {self.key('back')}, then open it again.")
        else:
            self._form_error(show_refusal(self, error))

    def _leave(self) -> None:
        listing = self.listing
        self.dismiss()
        if listing is not None:
            self.picky.show_listing(listing.id)

    def _form_error(self, text: str) -> None:
        self.query_one("#form-error", ErrorLine).say(text)

    def do_back(self) -> None:
        """Leave; the draft stays."""
        self.leave(self.dismiss)

    def leave(self, go: Callable[[], object]) -> None:
        """Save the draft, then go; asks first if anything would be lost."""
        if self._pause is not None:
            self._pause.stop()
        start(self, partial(self._save_and_go, go), group="leave", exclusive=True)

    async def _save_and_go(self, go: Callable[[], object]) -> None:
        if self._is_draft and self.unsaved:
            await self._save_draft()
        lost = self._would_be_lost()
        if lost is None:
            go()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                start(self.app, self._kept.forget, group="kept")
                go()

        self.picky.bring_to_front(self)  # one sees what the question is about
        question = ConfirmScreen("Leave without saving?", lost, yes="Leave", no="Stay")
        self.app.push_screen(question, answered)

    def _would_be_lost(self) -> str | None:
        if any(upload.under_way for upload in self._uploads):
            return _UNDER_WAY
        if not self.unsaved:
            return None
        return f"The draft is not saved: {self._problem}" if self._is_draft else _CHANGED
