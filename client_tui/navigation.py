"""Where the screens send one: each thing is open once, and what is left behind is saved."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from textual.app import App
from textual.screen import Screen

from client_tui.core.outbox import OutboxMessage
from client_tui.link import Link
from client_tui.screens.base import PickyScreen
from client_tui.screens.chat import ChatScreen
from client_tui.screens.listing import ListingScreen
from client_tui.screens.outbox import OutboxScreen
from client_tui.screens.person import PersonScreen
from client_tui.screens.photo_picker import PhotoPicker
from client_tui.screens.report import ReportScreen
from client_tui.screens.sell import SellScreen
from client_tui.screens.trade import TradeScreen
from client_tui.work import start
from shared_models.listings import Listing


class Navigation(App[str]):
    """The ways from screen to screen."""

    link: Link
    _photo_folder: Path | None = None

    def _open(
        self, screen: PickyScreen, same: Callable[[Screen[Any]], bool], *, anywhere: bool = False
    ) -> None:
        """Show a screen; if it is open already, go back to it, as it was left.

        ``anywhere``: also when it is open in another part of the market.
        """
        modes = dict.fromkeys((self.current_mode, *(self._screen_stacks if anywhere else ())))
        for mode in modes:
            stack = self._screen_stacks[mode]
            places = [place for place, one in enumerate(stack) if same(one)]
            if places:
                below, above = stack[places[-1]], stack[places[-1] + 1 :]
                self._after_saving(partial(self._go_back_to, below), above)
                return
        self.push_screen(screen)

    def _go_back_to(self, screen: Screen[Any]) -> None:
        self.bring_to_front(screen)
        while self.screen is not screen:
            self.pop_screen()

    def bring_to_front(self, screen: Screen[Any]) -> None:
        """To the part of the market where a screen is open."""
        for mode, stack in self._screen_stacks.items():
            if screen in stack and mode != self.current_mode:
                self.switch_mode(mode)
                return

    def _all_screens(self) -> list[Screen[Any]]:
        return [screen for stack in self._screen_stacks.values() for screen in stack]

    def chats_of(self, room_id: UUID) -> list[ChatScreen]:
        """The screens that show a room."""
        chats = [one for one in self._all_screens() if isinstance(one, ChatScreen)]
        return [chat for chat in chats if chat.room_id == room_id]

    def open_listing(self, listing_id: UUID) -> None:
        """A listing in full."""
        self._open(
            ListingScreen(listing_id),
            lambda one: isinstance(one, ListingScreen) and one.listing_id == listing_id,
        )

    def show_listing(self, listing_id: UUID) -> None:
        """A listing that has just changed."""
        self.open_listing(listing_id)
        if isinstance(self.screen, ListingScreen) and self.screen.listing is not None:
            self.screen.do_refresh()

    def open_chat(self, room_id: UUID) -> None:
        """A room; it is open once, as there is one draft for it."""
        self._open(
            ChatScreen(room_id),
            lambda one: isinstance(one, ChatScreen) and one.room_id == room_id,
            anywhere=True,
        )

    def open_waiting(self, message: OutboxMessage, *, edit: bool = False) -> None:
        """An unsent message in its chat; ``edit``: in the composer there."""
        chats = self.chats_of(message.room_id)
        if chats:
            self.open_chat(message.room_id)
            go = partial(chats[-1].go_to_waiting, message, edit=edit)
            start(chats[-1], go, group="jump")
        else:
            self.push_screen(ChatScreen(message.room_id, waiting=message, edit=edit))

    def open_outbox(self) -> None:
        """What waits to be sent."""
        self._open(OutboxScreen(), lambda one: isinstance(one, OutboxScreen))

    def open_chat_about(self, listing_id: UUID) -> None:
        """The room with a listing's seller; made if there is none yet."""
        start(self, partial(self._open_room, listing_id), group="open-room", exclusive=True)

    async def _open_room(self, listing_id: UUID) -> None:
        room = await self.link.api.open_room(listing_id)
        self.link.store.put_room(room)
        self.open_chat(room.id)

    def open_trade(self, trade_id: UUID) -> None:
        """A trade with its timeline."""
        self._open(
            TradeScreen(trade_id),
            lambda one: isinstance(one, TradeScreen) and one.trade_id == trade_id,
        )

    def open_profile(self, account_id: UUID) -> None:
        """Somebody's public profile."""
        self._open(
            PersonScreen(account_id),
            lambda one: isinstance(one, PersonScreen) and one.account_id == account_id,
        )

    def sell(self, listing: Listing | None = None) -> None:
        """A new listing, or one to edit."""
        self.push_screen(SellScreen(listing))

    def report(self, kind: str, target_id: UUID) -> None:
        """Report a listing, message or account."""
        self.push_screen(ReportScreen(kind, target_id))

    def pick_photos(self, most: int, take: Callable[[list[Path]], None]) -> None:
        """Let the person choose up to ``most`` pictures, beginning where they last looked."""
        picker = PhotoPicker(most, self.link.clock.now(), self._photo_folder)

        def chosen(paths: list[Path] | None) -> None:
            self._photo_folder = picker.folder
            if paths:
                take(paths)

        self.push_screen(picker, chosen)

    def go_to(self, mode: str) -> None:
        """Another part of the market as it was left; the same part from its beginning."""
        if mode != self.current_mode:
            self.switch_mode(mode)
        else:
            self._after_saving(self._to_beginning, self.screen_stack)

    def _to_beginning(self) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def _after_saving(self, go: Callable[[], object], leaving: Iterable[Screen[Any]]) -> None:
        """Go once every form among the screens that are left is saved or given up."""
        for form in [one for one in leaving if isinstance(one, SellScreen)]:
            go = partial(form.leave, go)
        go()
