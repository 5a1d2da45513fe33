"""Oneself: what one sells, and the settings."""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from client_tui.core.errors import ClientError, StorageFailed
from client_tui.core.forms import fill
from client_tui.format import counted, left_behind, visible_line
from client_tui.screens.ask import AskScreen
from client_tui.screens.base import PickyScreen
from client_tui.screens.blocked import BlockedScreen
from client_tui.screens.choose import ChooseScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.devices import DevicesScreen
from client_tui.screens.further_pages import FurtherPages
from client_tui.screens.help import KeysScreen
from client_tui.screens.password import PasswordScreen
from client_tui.store import AccountChanged, Change, ListingChanged, Reset
from client_tui.themes import THEMES
from client_tui.widgets.listing_list import ListingList
from client_tui.widgets.photo import PhotoView
from client_tui.widgets.retry_row import RetryRow
from client_tui.widgets.virtual_list import VirtualList
from client_tui.widgets.virtual_list.messages import Activated
from client_tui.work import start
from shared_models.accounts import AccountPatch
from shared_models.base import Page
from shared_models.listings import ListingCard, ListingFilter
from shared_models.notifications import NotificationKind

PAGE = 50

_SETTINGS = (
    ("name", "Display name"),
    ("place", "Neighbourhood"),
    ("switches", "Notices"),
    ("theme", "Theme"),
    ("keys", "Keys"),
    ("blocked", "Blocked people"),
    ("devices", "Devices"),
    ("password", "Password"),
    ("public", "My public profile"),
    ("sign_out", "Sign out"),
)

_SWITCHED = (
    NotificationKind.CHAT,
    NotificationKind.OFFER,
    NotificationKind.PRICE,
    NotificationKind.REVIEW,
)
"""The notices that there are and that can be switched off; the others are always kept."""


class ProfileScreen(PickyScreen):
    """Own listings on the left, settings on the right."""

    context = "profile"
    AUTO_FOCUS: ClassVar[str] = "#mine"

    def __init__(self) -> None:
        super().__init__()
        self._older = FurtherPages(self, self._read, self._take)

    def heading(self) -> str:
        """Who one is."""
        account = self.store.state.account
        return f"you · @{account.handle}" if account else "you"

    def content(self) -> Iterable[Widget]:
        """Listings and settings."""
        with Horizontal(id="profile"):
            with Vertical(id="profile-listings"):
                yield ListingList(self.link, id="mine")
                yield RetryRow(id="more")
                yield Static("", id="mine-note", classes="empty", markup=False)
            with Vertical(id="profile-settings"):
                yield PhotoView(id="profile-avatar")
                yield Static(id="profile-facts", markup=False)
                yield OptionList(*(Option(label, id=id) for id, label in _SETTINGS), id="settings")

    def on_mount(self) -> None:
        """Load."""
        super().on_mount()
        self._draw_facts()
        self.do_refresh()

    @property
    def mine(self) -> ListingList:
        """Own listings."""
        return self.query_one("#mine", ListingList)

    def _draw_facts(self) -> None:
        account = self.store.state.account
        if account is None:
            return
        avatar = self.query_one("#profile-avatar", PhotoView)
        avatar.display = account.avatar is not None
        avatar.show(account.avatar)
        colors = self.app.theme_variables
        text = Text()
        text.append(visible_line(account.display_name), "bold")
        text.append(f"\n★ {account.manner_score:.1f}", f"bold {colors['primary']}")
        text.append(f" from {counted(account.review_count, 'review')}")
        text.append(f"\n{account.sales} sold · {account.purchases} bought", colors.get("dim", ""))
        if account.place:
            text.append(f"\n{visible_line(account.place)}", colors.get("dim", ""))
        self.query_one("#profile-facts", Static).update(text)

    def do_refresh(self) -> None:
        """Read one's listings again."""
        if not self._older.retry():
            start(self, self._load, group="mine", exclusive=True)

    async def _read(self, cursor: str | None) -> Page[ListingCard]:
        mine = ListingFilter(seller=self.store.me, state="any")
        return await self.link.api.listings(mine, cursor=cursor, limit=PAGE)

    def _take(self, items: list[ListingCard]) -> bool:
        new = [card for card in items if card.id.int not in self.mine]
        self.mine.append(new)
        return bool(new)

    @on(VirtualList.NearBottom)
    def _more(self) -> None:
        self._older.load()

    async def _load(self) -> None:
        note = self.query_one("#mine-note", Static)
        if self.store.me is None:
            return
        try:
            page = await self._read(None)
        except ClientError as error:
            self.failed(error)
            note.update(f"{error}{self.hint('refresh tries again')}")
            note.display, self.mine.display = True, False
            return
        self._older.begin(page.next_cursor)
        self.mine.set_items(page.items)
        if page.items and self.mine.cursor is None:
            self.mine.jump_to(page.items[0].id.int, "top")
        note.update("You sell nothing yet." + self.hint("sell sells something"))
        note.display, self.mine.display = not page.items, bool(page.items)

    def on_change(self, change: Change) -> None:
        """One's account or a listing changed."""
        if isinstance(change, AccountChanged | Reset):
            self._draw_facts()
        if isinstance(change, Reset):
            self.do_refresh()
        elif isinstance(change, ListingChanged) and change.card.id.int in self.mine:
            self.mine.replace(change.card)

    def on_screen_resume(self) -> None:
        """Back from the form: the listings may be others."""
        super().on_screen_resume()
        self.do_refresh()

    @on(VirtualList.Activated)
    def _open(self, event: Activated) -> None:
        self.picky.open_listing(event.item.id)

    def do_sell(self) -> None:
        """A new listing."""
        self.picky.sell()

    def do_settings(self) -> None:
        """To the settings and back."""
        settings = self.query_one("#settings")
        (self.mine if settings.has_focus else settings).focus()

    def do_blocked(self) -> None:
        """Whom one blocks."""
        self.app.push_screen(BlockedScreen())

    # Settings

    @on(OptionList.OptionSelected, "#settings")
    def _setting(self, event: OptionList.OptionSelected) -> None:
        getattr(self, f"_set_{event.option_id}")()

    def _work(self, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        start(self, act, group="settings")

    def _set_name(self) -> None:
        account = self.store.state.account
        value = account.display_name if account else ""
        most = self.link.market.limits.display_name_max
        hint = f"1 to {most} characters."
        question = AskScreen("Display name", hint, value=value, max_length=most)
        self.app.push_screen(question, lambda text: self._patch(display_name=text))

    def _set_place(self) -> None:
        account = self.store.state.account
        value = (account.place or "") if account else ""
        most = self.link.market.limits.place_max
        hint = "Shown on your profile."
        question = AskScreen("Neighbourhood", hint, value=value, max_length=most)
        self.app.push_screen(question, lambda text: self._patch(place=text))

    def _set_switches(self) -> None:
        account = self.store.state.account
        switches = account.notification_switches if account else {}
        choices = [
            (kind.value, f"{kind}: {'on' if switches.get(kind, True) else 'off'}")
            for kind in _SWITCHED
        ]
        question = ChooseScreen("Which notices do you want? (enter switches)", choices)
        self.app.push_screen(question, self._switch)

    def _switch(self, kind: str | None) -> None:
        account = self.store.state.account
        if kind is not None and account is not None:
            switches = dict(account.notification_switches)
            switches[kind] = not switches.get(kind, True)
            self._patch(notification_switches=switches)

    def _patch(self, **changes: object) -> None:
        if any(value is None for value in changes.values()):
            return

        async def act() -> None:
            patch = fill(AccountPatch, **changes)
            self.store.put_account(await self.link.api.update_me(patch))
            self.say("Saved.")

        self._work(act)

    def _set_theme(self) -> None:
        choices = [(theme.name, theme.name.removeprefix("picky-")) for theme in THEMES]
        question = ChooseScreen("Theme", choices, self.app.theme)
        self.app.push_screen(question, self._use_theme)

    def _use_theme(self, name: str | None) -> None:
        if name is not None:
            self.picky.use_theme(name)

    def _set_keys(self) -> None:
        self.app.push_screen(KeysScreen(self.link.paths.config_file))

    def _set_blocked(self) -> None:
        self.do_blocked()

    def _set_devices(self) -> None:
        self.app.push_screen(DevicesScreen())

    def _set_password(self) -> None:
        self.app.push_screen(PasswordScreen())

    def _set_public(self) -> None:
        if self.store.me is not None:
            self.picky.open_profile(self.store.me)

    def _set_sign_out(self) -> None:
        self._work(self._ask_to_sign_out)

    async def _ask_to_sign_out(self) -> None:
        """What was not sent is named: it does not go while somebody else is signed in here."""
        account = self.store.state.account
        try:
            count = len(await self.link.outbox.waiting())
            stays = left_behind(count, account.handle if account else "")
        except StorageFailed as error:
            stays = f"Whether anything was not sent is not known: {error}"
        question = ConfirmScreen("Sign out on this machine?", stays, yes="Sign out")
        self.app.push_screen(question, lambda yes: self.picky.sign_out() if yes else None)
