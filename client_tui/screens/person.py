"""Somebody's public profile: score, trades, reviews, what they sell."""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from rich.text import Text
from textual import on
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from client_tui.core.errors import ClientError, Conflict, NotFound
from client_tui.format import ago, counted, stars, visible, visible_line
from client_tui.screens.base import PickyScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.further_pages import FurtherPages
from client_tui.widgets.listing_list import ListingList
from client_tui.widgets.photo import PhotoView
from client_tui.widgets.retry_row import RetryRow
from client_tui.widgets.scroll import ScrollColumn
from client_tui.widgets.virtual_list import VirtualList
from client_tui.widgets.virtual_list.messages import Activated
from client_tui.work import start
from shared_models.accounts import Profile
from shared_models.base import Page
from shared_models.listings import ListingCard
from shared_models.trades import Review

PAGE = 50


class PersonScreen(PickyScreen):
    """A profile with reviews on the left and listings on the right."""

    context = "person"

    def __init__(self, account_id: UUID) -> None:
        super().__init__()
        self.account_id = account_id
        self.profile: Profile | None = None
        self._reviewed: list[Review] = []
        self._older = FurtherPages(self, self._read_listings, self._take_listings)
        self._older_reviews = FurtherPages(
            self, self._read_reviews, self._take_reviews, row="more-reviews"
        )

    def heading(self) -> str:
        """The name."""
        return f"‹ {visible_line(self.profile.display_name)}" if self.profile else "‹ profile"

    def content(self) -> Iterable[Widget]:
        """Facts, reviews, listings."""
        with Vertical(id="person"):
            with Horizontal(id="person-top"):
                yield PhotoView(id="person-avatar")
                yield Static(id="person-facts", markup=False)
            with Horizontal(id="person-lists"):
                with ScrollColumn(id="person-reviews"):
                    yield Static(id="reviews", markup=False)
                    yield RetryRow(id="more-reviews")
                with Vertical(id="person-right"):
                    yield ListingList(self.link, id="person-listings")
                    yield RetryRow(id="more")
        yield Static("One moment…", id="person-note", classes="empty", markup=False)

    def on_mount(self) -> None:
        """Read it."""
        super().on_mount()
        self.query_one("#person").display = False
        self.do_refresh()

    def do_refresh(self) -> None:
        """Read it again; or the pages that failed."""
        retried = [pages.retry() for pages in (self._older, self._older_reviews)]
        if not any(retried):
            start(self, self._load, group="person", exclusive=True)

    async def _read_reviews(self, cursor: str | None) -> Page[Review]:
        return await self.link.api.reviews(self.account_id, cursor=cursor, limit=PAGE)

    async def _read_listings(self, cursor: str | None) -> Page[ListingCard]:
        return await self.link.api.account_listings(self.account_id, cursor=cursor, limit=PAGE)

    def _take_reviews(self, items: list[Review]) -> bool:
        known = {review.id for review in self._reviewed}
        new = [review for review in items if review.id not in known]
        self._reviewed += new
        self.query_one("#reviews", Static).update(self._reviews(self._reviewed))
        return bool(new)

    def _take_listings(self, items: list[ListingCard]) -> bool:
        listings = self.listings
        new = [card for card in items if card.id.int not in listings]
        listings.append(new)
        return bool(new)

    @property
    def listings(self) -> ListingList:
        """What they sell."""
        return self.query_one("#person-listings", ListingList)

    @on(VirtualList.NearBottom)
    def _more(self) -> None:
        self._older.load()

    @on(ScrollColumn.NearBottom)
    def _more_reviews(self) -> None:
        self._older_reviews.load()

    async def _load(self) -> None:
        try:
            self.profile = await self.link.api.profile(self.account_id)
            reviews = await self._read_reviews(None)
            listings = await self._read_listings(None)
        except NotFound:
            self._note("This account is no longer there." + self.hint("back goes back"))
            return
        except ClientError as error:
            self.failed(error)
            self._note(f"{error}{self.hint('refresh tries again', 'back goes back')}")
            return
        self.query_one("#person-note").display = False
        self.query_one("#person").display = True
        avatar = self.query_one("#person-avatar", PhotoView)
        avatar.display = self.profile.avatar is not None
        avatar.show(self.profile.avatar)
        self.query_one("#person-facts", Static).update(self._facts(self.profile))
        self._older_reviews.begin(reviews.next_cursor)
        self._reviewed = []
        self._take_reviews(reviews.items)
        self._older.begin(listings.next_cursor)
        self.listings.set_items(listings.items)
        if not self.query_one("#person-lists").has_focus_within:
            self.listings.focus()
        self.redraw_bars()

    def _note(self, text: str) -> None:
        note = self.query_one("#person-note", Static)
        note.update(text)
        note.display = True

    def _facts(self, profile: Profile) -> Text:
        dim = self.app.theme_variables.get("dim", "")
        text = Text()
        text.append(visible_line(profile.display_name), "bold")
        if profile.handle:
            text.append(f"  @{profile.handle}", dim)
        text.append(
            f"\n★ {profile.manner_score:.1f}", f"bold {self.app.theme_variables['primary']}"
        )
        text.append(f" from {counted(profile.review_count, 'review')}")
        text.append(f"\n{profile.sales} sold · {profile.purchases} bought", dim)
        if profile.no_shows:
            text.append(f" · {profile.no_shows} no-shows", dim)
        place = f" · {visible_line(profile.place)}" if profile.place else ""
        text.append(f"\nhere since {profile.joined_at:%B %Y}{place}", dim)
        if profile.response_rate is not None and profile.response_minutes is not None:
            rate = round(profile.response_rate * 100)
            text.append(f"\nanswers {rate} %, in about {profile.response_minutes} min", dim)
        if profile.blocked:
            text.append("\nblocked by you", f"bold {self.app.theme_variables['error']}")
        if profile.following:
            text.append("\nyou follow", dim)
        return text

    def _reviews(self, reviews: list[Review]) -> Text:
        dim = self.app.theme_variables.get("dim", "")
        tags = {tag.id: tag.name for tag in self.link.market.review_tags}
        text = Text()
        if not reviews:
            text.append("No reviews yet.", dim)
        for review in reviews:
            text.append(stars(review.rating) + " ")
            text.append(visible_line(review.author.display_name), "bold")
            text.append(f"  {ago(review.created_at, self.link.now())}\n", dim)
            if review.tags:
                text.append(" · ".join(tags.get(tag, tag) for tag in review.tags) + "\n", dim)
            if review.comment:
                text.append(visible(review.comment) + "\n")
            if review.answer:
                text.append(f"↳ {visible(review.answer)}\n", dim)
            text.append("\n")
        return text

    def why_not(self, action_id: str) -> str | None:
        """Not oneself."""
        if action_id in {"block", "follow", "report"}:
            if self.profile is None:
                return "The profile is not here yet."
            if self.account_id == self.store.me:
                return "This is you."
        return None

    @on(VirtualList.Activated)
    def _open(self, event: Activated) -> None:
        self.picky.open_listing(event.item.id)

    def do_follow(self) -> None:
        """Follow, or no longer."""
        start(self, self._follow, group="follow")

    async def _follow(self) -> None:
        assert self.profile is not None
        api = self.link.api
        await (api.unfollow if self.profile.following else api.follow)(self.account_id)
        self.do_refresh()

    def do_block(self) -> None:
        """Block after a question; unblock at once."""
        assert self.profile is not None
        if self.profile.blocked:
            start(self, self._unblock, group="block")
            return
        question = ConfirmScreen(
            f"Block {visible_line(self.profile.display_name)}?",
            "No messages either way, and neither sees the other's listings. They are not told.",
            yes="Block",
        )
        self.app.push_screen(question, self._block_answered)

    def _block_answered(self, yes: bool | None) -> None:
        if yes:
            start(self, partial(self._block, cancel_trade=False), group="block")

    async def _block(self, *, cancel_trade: bool) -> None:
        try:
            await self.link.api.block(self.account_id, cancel_trade=cancel_trade)
        except Conflict as conflict:
            if conflict.code != "open_trade":
                raise
            question = ConfirmScreen(
                "There is an open trade between you.",
                "Blocking cancels it.",
                yes="Block and cancel",
            )
            self.app.push_screen(question, self._cancel_answered)
            return
        self.do_refresh()

    def _cancel_answered(self, yes: bool | None) -> None:
        if yes:
            start(self, partial(self._block, cancel_trade=True), group="block")

    async def _unblock(self) -> None:
        await self.link.api.unblock(self.account_id)
        self.do_refresh()

    def do_report(self) -> None:
        """Report the account."""
        self.picky.report("account", self.account_id)
