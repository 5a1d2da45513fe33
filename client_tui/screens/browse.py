"""Browse: the market's listings, with search as you type, filters, sort and endless scroll."""

from collections.abc import Iterable
from enum import StrEnum
from functools import partial
from typing import ClassVar

from textual import on
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from client_tui.core.errors import ClientError
from client_tui.keymap import Action, footer_of
from client_tui.screens.base import PickyScreen
from client_tui.screens.choose import ChooseScreen
from client_tui.screens.filters import FilterScreen, filter_line
from client_tui.screens.further_pages import FurtherPages
from client_tui.store import Change, ListingChanged
from client_tui.widgets.listing_list import ListingList
from client_tui.widgets.preview import Preview
from client_tui.widgets.retry_row import RetryRow
from client_tui.widgets.search_input import SearchInput
from client_tui.widgets.virtual_list import VirtualList
from client_tui.widgets.virtual_list.messages import CursorMoved
from client_tui.work import start
from shared_models.base import Page
from shared_models.listings import ListingCard, ListingFilter, Sort

PAGE = 30
TYPING_PAUSE_S = 0.2
PREVIEW_FROM_COLUMNS = 110
CHANGED_S = 20.0
"""So long a card says that it has changed."""
_TOLD = ("title", "price", "state", "condition", "method", "place", "cover")
"""What of a card is news; likes and chats are counted all the time."""

SORTS = (
    (Sort.NEWEST, "newest"),
    (Sort.PRICE_ASC, "cheapest"),
    (Sort.PRICE_DESC, "dearest"),
    (Sort.MOST_LIKED, "most liked"),
    (Sort.RELEVANCE, "best match"),
)


class Source(StrEnum):
    """Where the cards come from."""

    MARKET = "market"
    RECENT = "recent"
    LIKED = "liked"


_EMPTY = {
    Source.RECENT: ("You have not looked at anything yet.", "back goes back to the market"),
    Source.LIKED: (
        "You like nothing yet.",
        "like on a listing likes it",
        "back goes back to the market",
    ),
}


class BrowseScreen(PickyScreen):
    """The home screen."""

    context = "browse"
    AUTO_FOCUS: ClassVar[str] = "#cards"

    def __init__(self) -> None:
        super().__init__()
        self.filter = ListingFilter()
        self._source = Source.MARKET
        self._shown: tuple[Source, ListingFilter] | None = None
        self._older = FurtherPages(self, self._page, self._take)
        self._generation = 0
        self._pause: Timer | None = None
        self._changed_cards: dict[int, Timer] = {}

    def heading(self) -> str:
        """Name and the present narrowing."""
        if self._source is Source.RECENT:
            return "picky  what you looked at lately"
        if self._source is Source.LIKED:
            return "picky  what you like"
        return f"picky  {filter_line(self.filter, self.link.market)}"

    def content(self) -> Iterable[Widget]:
        """Search line, cards, and on a wide terminal a preview."""
        yield SearchInput(self.link.api.past_searches)
        with Horizontal(id="browse"):
            yield ListingList(
                self.link, id="cards", changed=lambda card: card.id.int in self._changed_cards
            )
            yield Preview(id="preview")
        yield RetryRow(id="more")
        yield Static("", id="browse-note", classes="empty", markup=False)

    def on_mount(self) -> None:
        """Load the first page."""
        super().on_mount()
        self._show_note("Looking around the market…")
        self.reload()

    def on_resize(self) -> None:
        """The preview needs room."""
        self.query_one(Preview).display = self.size.width >= PREVIEW_FROM_COLUMNS

    @property
    def cards(self) -> ListingList:
        """The list."""
        return self.query_one("#cards", ListingList)

    def selected(self) -> ListingCard | None:
        """The card under the cursor."""
        cards = self.cards
        if cards.cursor is None or not self.query_one("#browse").display:
            return None
        return cards.item(cards.cursor)

    # Loading

    def reload(self) -> None:
        """Start over with the present filter; an answer to an older one is dropped."""
        self._generation += 1
        self._older.begin(None)
        self.redraw_bars()
        start(self, partial(self._load, self._generation), group="browse", exclusive=True)

    async def _load(self, generation: int) -> None:
        try:
            page = await self._page(None)
        except ClientError as error:
            if generation == self._generation:
                self._say_failed(error)
            return
        if generation == self._generation:
            self._older.begin(page.next_cursor)
            self._start(page.items)

    def _take(self, items: list[ListingCard]) -> bool:
        new = [card for card in items if card.id.int not in self.cards]
        self.cards.append(new)
        return bool(new)

    def _say_failed(self, error: ClientError) -> None:
        """In place of the list; beside it where it is this list."""
        self.failed(error)
        if self._shown != (self._source, self.filter):
            self._show_note(f"{error}{self.hint('refresh tries again')}")
        else:
            self.say(str(error), severity="error")

    async def _page(self, cursor: str | None) -> Page[ListingCard]:
        api = self.link.api
        match self._source:
            case Source.RECENT:
                return await api.recently_viewed(cursor=cursor, limit=PAGE)
            case Source.LIKED:
                return await api.likes(cursor=cursor, limit=PAGE)
            case Source.MARKET:
                return await api.listings(self.filter, cursor=cursor, limit=PAGE)

    def _start(self, items: list[ListingCard]) -> None:
        self._shown = self._source, self.filter
        self.cards.set_items(items)
        if items:
            self._show_note(None)
            self.cards.jump_to(items[0].id.int, "top")
        elif self._source is not Source.MARKET:
            what, *hints = _EMPTY[self._source]
            self._show_note(what + self.hint(*hints))
        elif self.filter == ListingFilter():
            self._show_note("Nothing is for sale yet." + self.hint("sell sells the first thing"))
        else:
            self._show_note(
                "Nothing matches."
                + self.hint("clear clears search and filters", "search searches again")
            )

    def _show_note(self, text: str | None) -> None:
        note = self.query_one("#browse-note", Static)
        note.update(text or "")
        note.display = text is not None
        self.query_one("#browse").display = text is None
        self.redraw_bars()

    @on(VirtualList.NearBottom)
    def _more(self) -> None:
        self._older.load()

    def on_change(self, change: Change) -> None:
        """A card changed somewhere: show it as it is now."""
        if isinstance(change, ListingChanged) and change.card.id.int in self.cards:
            before = self.cards.item(change.card.id.int)
            if any(getattr(before, name) != getattr(change.card, name) for name in _TOLD):
                self._tell_change(change.card.id.int)
            self.cards.replace(change.card)
            if self.selected() == change.card:
                self.query_one(Preview).show(change.card)

    def _tell_change(self, key: int) -> None:
        known = self._changed_cards.pop(key, None)
        if known is not None:
            known.stop()
        self._changed_cards[key] = self.set_timer(CHANGED_S, partial(self._change_is_old, key))

    def _change_is_old(self, key: int) -> None:
        del self._changed_cards[key]
        if key in self.cards:
            self.cards.invalidate(key)

    # Search

    def do_search(self) -> None:
        """Open the search line."""
        if self._source is not Source.MARKET:
            self._switch(Source.MARKET)
        search = self.query_one(SearchInput)
        search.display = True
        self.set_focus(search)  # now: the very next key belongs to it

    @on(Input.Changed, "#search")
    def _typed(self) -> None:
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(TYPING_PAUSE_S, self._search)

    @on(Input.Submitted, "#search")
    def _submitted(self) -> None:
        self._search()
        self.cards.focus()

    def _search(self) -> None:
        text = self.query_one("#search", Input).value.strip() or None
        if text == self.filter.q and self._source is Source.MARKET:
            return
        sort = self.filter.sort
        if text and not self.filter.q and sort is Sort.NEWEST:
            sort = Sort.RELEVANCE
        elif not text and sort is Sort.RELEVANCE:
            sort = Sort.NEWEST
        self.filter = self.filter.model_copy(update={"q": text, "sort": sort})
        self._switch(Source.MARKET)

    def footer_actions(self) -> list[Action]:
        """Those of the search line while one is in it."""
        in_search = self.query_one("#search", Input).has_focus
        return footer_of("search") if in_search else super().footer_actions()

    def do_to_cards(self) -> None:
        """To what was found."""
        self._submitted()

    def do_earlier(self) -> None:
        """What was searched for before."""
        self.query_one(SearchInput).action_past(1)

    def goes_back(self) -> bool:
        """Out of the search, a filter or a list of one's own."""
        in_search = self.query_one("#search", Input).has_focus
        return in_search or self._source is not Source.MARKET or self.filter != ListingFilter()

    def do_back(self) -> None:
        """Out of the search line first; then out of the search."""
        search = self.query_one("#search", Input)
        if search.has_focus:
            search.display = bool(search.value)
            self.cards.focus()
        elif self._source is not Source.MARKET:
            self._switch(Source.MARKET)
        elif self.filter != ListingFilter():
            self.do_clear()

    def do_recent(self) -> None:
        """What one looked at lately."""
        self._switch(Source.RECENT)

    def do_likes(self) -> None:
        """What one likes."""
        self._switch(Source.LIKED)

    def _switch(self, source: Source) -> None:
        self._source = source
        self.reload()

    def do_clear(self) -> None:
        """No search, no filter."""
        search = self.query_one("#search", Input)
        with search.prevent(Input.Changed):
            search.value = ""
        search.display = False
        self.filter = ListingFilter()
        self._switch(Source.MARKET)

    # Actions

    def why_not(self, action_id: str) -> str | None:
        """What needs a card, or somebody else's card."""
        if action_id in {"open", "like", "chat"} and self.selected() is None:
            return "There is no listing here."
        if action_id in {"filter", "sort"} and self._source is not Source.MARKET:
            return f"This is the whole list, in its own order. {self.key('back')} leads back."
        return None

    @on(VirtualList.Activated)
    async def _activated(self) -> None:
        await self.action_do("open")

    @on(VirtualList.CursorMoved)
    def _moved(self, event: CursorMoved) -> None:
        self.query_one(Preview).show(event.item)
        self.redraw_bars()

    def do_open(self) -> None:
        """The listing under the cursor."""
        card = self.selected()
        if card is not None:
            self.picky.open_listing(card.id)

    def do_refresh(self) -> None:
        """Again from the top; or the page that failed."""
        if not self._older.retry():
            self.reload()

    def do_sort(self) -> None:
        """Choose the order."""
        choices = [(sort.value, label) for sort, label in SORTS]
        self.app.push_screen(ChooseScreen("Sort", choices, self.filter.sort.value), self._sorted)

    def _sorted(self, sort: str | None) -> None:
        if sort is not None:
            self.filter = self.filter.model_copy(update={"sort": Sort(sort)})
            self.reload()

    def do_filter(self) -> None:
        """Narrow."""
        self.app.push_screen(FilterScreen(self.filter, self.link.market), self._filtered)

    def _filtered(self, narrowed: ListingFilter | None) -> None:
        if narrowed is not None and narrowed != self.filter:
            self.filter = narrowed
            self.reload()

    def do_like(self) -> None:
        """Like it, or no longer."""
        start(self, self._like, group="like", exclusive=True)

    async def _like(self) -> None:
        card = self.selected()
        if card is not None:
            await self.link.toggle_like(card)

    def do_chat(self) -> None:
        """Open a room with the seller."""
        card = self.selected()
        if card is not None:
            self.picky.open_chat_about(card.id)

    def do_sell(self) -> None:
        """A new listing."""
        self.picky.sell()
