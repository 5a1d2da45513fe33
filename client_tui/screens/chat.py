"""A chat: its listing and how the deal stands, the history, and the composer."""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar, Final
from uuid import UUID

from textual import events, on
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from client_tui.conversation import GAP, TOP, Conversation
from client_tui.core.outbox import OutboxMessage
from client_tui.deals import Deals
from client_tui.format import card_state, cells, money, truncate, visible_line
from client_tui.history_pages import End, HistoryPages
from client_tui.keymap import Action, actions_of
from client_tui.screens.chat_deals import DEALS, Dealing
from client_tui.screens.chat_writing import Writing
from client_tui.screens.room_actions import ROOM_ACTIONS
from client_tui.store import (
    AppointmentChanged,
    Change,
    DeliveryChanged,
    Discarded,
    MessageChanged,
    OfferChanged,
    OutboxChanged,
    PeerHere,
    PeerTyping,
    Reset,
    RoomChanged,
    Sent,
)
from client_tui.widgets.chat_header import ChatHeader
from client_tui.widgets.chat_rule import ChatRule
from client_tui.widgets.composer import Attachments, Composer
from client_tui.widgets.history import History
from client_tui.widgets.message_rows import MessageRows, Scene
from client_tui.widgets.palette import Palette
from client_tui.widgets.virtual_list import VirtualList
from client_tui.work import start

_REDRAW_S: Final = 30.0
_TITLE_LEAST: Final = 8
_OWN: Final = frozenset({"retry", "edit_message", "remove", "photo_out"})


class ChatScreen(Writing, Dealing):
    """One room. The composer has the focus first; esc goes to the history, and once more back."""

    context = "chat"
    AUTO_FOCUS: ClassVar[str] = "#composer"

    def __init__(
        self, room_id: UUID, *, waiting: OutboxMessage | None = None, edit: bool = False
    ) -> None:
        """``waiting`` is an unsent message to go to, with ``edit`` into the composer."""
        super().__init__(room_id)
        self._was_online = False
        self._begin_at = waiting, edit

    # Drawing

    def heading(self) -> str:
        """The listing: title, price, state."""
        room = self.room
        if room is None:
            return "‹ chat"
        card, market = room.listing, self.link.market
        price = "free" if card.price == 0 else money(card.price or 0, market.currency_exponent)
        space = self.size.width - self.status_cell().cell_len - 8
        facts = f"  {price} {card_state(card)}" + ("  muted" if room.muted else "")
        if cells(facts) > space // 2:
            facts = f"  {price}"
        title = visible_line(card.title) or "a deleted listing"
        left = space - cells(facts)
        if left < min(_TITLE_LEAST, cells(title)):
            return f"‹ {title}"  # the bar cuts it
        return f"‹ {truncate(title, left)}{facts}"

    def content(self) -> Iterable[Widget]:
        """Header, history, rule, composer."""
        self._begin()
        yield ChatHeader(id="chat-header")
        yield History(MessageRows(self._scene), self.conversation, id="history")
        yield Static("", id="chat-note", classes="empty", markup=False)
        yield ChatRule(id="chat-rule")
        yield Attachments(id="attachments")
        with Horizontal(id="writing"):
            yield Static("›", id="prompt", markup=False)
            yield Composer(id="composer")
        yield Static("", id="read-only", markup=False)

    def _begin(self) -> None:
        """The conversation as it stands when the room is opened."""
        room, me = self.room, self.link.account_id
        exponent = self.link.market.currency_exponent
        self.deals = Deals(me, exponent=exponent, now=self.link.now, key=self.key_here)
        self.conversation = Conversation(
            me,
            read_seq=room.read_seq if room else 0,
            unread=room.unread if room else 0,
            peer_read_seq=room.peer_read_seq if room else 0,
            heard=self.deals.know_message,
        )
        api, cache = self.link.api, self.link.cache
        self.pages = HistoryPages(
            self.room_id, self.conversation, api, cache, self.draw_soon, online=lambda: self.online
        )
        self._scene = Scene(
            conversation=self.conversation,
            pages=self.pages,
            deals=self.deals,
            pictures=self.link.pictures,
            palette=Palette.of(self.app.theme_variables),
            other_name=self.other_name,
            now=self.link.now,
            online=lambda: self.online,
            lead=self.lead,
        )

    def on_mount(self) -> None:
        """Show what is known, then ask the server."""
        self._forget_pictures = self.link.pictures.subscribe(self.picture_ready)
        self.app.theme_changed_signal.subscribe(self, lambda _: self._recolor())
        self.watch(self.app, "app_focus", self.mark_read, init=False)
        self.set_interval(_REDRAW_S, self._time_passed)
        self.attachments.show([])
        self._show_room()
        self.show_note()
        if not self.can_write:
            self.history.focus()
        start(self, self._open, group="chat")

    async def _open(self) -> None:
        await self.open_draft()
        await self.show_copies()
        waiting, edit = self._begin_at
        if waiting is not None:
            await self.go_to_waiting(waiting, edit=edit)
        await self.link.session.open(self.room_id)
        await self.ask_server()
        self.go_to_due()

    @on(events.Unmount)
    async def _leave(self) -> None:
        """Nobody looks any more; what was being written stays."""
        self._forget_pictures()
        await self.leave_editing()
        await self.keep_draft()
        others = [one for one in self.picky.chats_of(self.room_id) if one is not self]
        for other in others:
            await other.open_draft()
        if not others:
            await self.link.session.close(self.room_id)

    @on(events.ScreenResume)
    async def _in_front_again(self) -> None:
        """What came meanwhile is seen now, and what was typed elsewhere goes on here."""
        self.mark_read()
        await self.open_draft()

    @on(events.ScreenSuspend)
    async def _behind_another(self) -> None:
        """Whatever else shows this room reads what was typed here."""
        await self.keep_draft()

    def on_key(self, event: events.Key) -> None:
        """What was typed before the composer had the focus, which takes all that comes after it, is
        written there and is no action of the history.
        """
        if self.composer.has_focus and (event.is_printable or event.key == "enter"):
            event.stop()
            event.prevent_default()
            if event.is_printable and event.character:
                self.composer.insert(event.character)

    def on_descendant_focus(self) -> None:
        """Other keys hold in the composer than in the history; what names keys names others."""
        self._show_room()
        self._touch_keys()
        self.draw_soon()

    def _recolor(self) -> None:
        self._scene.palette = Palette.of(self.app.theme_variables)
        self.history.invalidate()

    def _show_room(self) -> None:
        room, header = self.room, self.query_one(ChatHeader)
        links = ["room_listing"]
        if room is not None:
            header.deal = self.deals.header(room)
            header.urgent = self.deals.waits_for_me(room)
            header.person = f"{truncate(self.other_name(), 16)} ★ {room.other.manner_score:.1f}"
            self.deals.know_room(room)
            self.conversation.know_head(room.last_seq)
            self.conversation.read_by_peer(room.peer_read_seq)
        if self.detail is not None and self.detail.trade is not None:
            links.insert(0, "trade")
        labels = {"trade": "trade", "room_listing": "listing"}
        header.links = tuple((self.key_here(id), labels[id], id) for id in links)
        self._show_writing()

    def _show_writing(self) -> None:
        """The composer, or why there is none."""
        self.query_one("#writing").display = self.can_write
        closed = self.query_one("#read-only", Static)
        closed.display = not self.can_write
        room = self.room
        if room is None or self.can_write:
            return
        if room.other.deleted:
            why = "this account was deleted"
        elif room.listing.deleted:
            why = "the listing was deleted"
        elif room.listing.state == "sold":
            why = "it is sold"
        else:
            why = "the two of you no longer deal with each other"
        closed.update(f"This chat is closed: {why}. The history stays.")
        if self.composer.has_focus:
            self.history.focus()

    def redraw_bars(self) -> None:
        """Also hears here that the line has come or gone."""
        super().redraw_bars()
        if self.is_there and not self.conversation.window:
            self.show_note()
        if not self.is_there or self.online == self._was_online:
            return
        self._was_online = self.online
        self.conversation.touch(*(one.key for one in self.conversation.all_waiting()))
        self.draw_soon()
        if not self.online:
            self.peer_is_lost()
            return
        if not self.loaded:
            start(self, self.ask_server, group="chat")
        self._load_failed()

    def _load_failed(self) -> None:
        """Try again what could not be loaded."""
        if self.loaded and self.go_to_due():
            return
        failed = [end for end, state in self.pages.ends.items() if state is End.FAILED]
        if failed and not self.conversation.window:
            self.do_refresh()
            return
        for end in failed:
            self.load(end)

    # The store

    def on_change(self, change: Change) -> None:
        """Something happened in the market: perhaps here."""
        match change:
            case MessageChanged(message) if message.chatroom_id == self.room_id:
                self.conversation.take(message)
                if message.sender_id != self.conversation.me:
                    self.peer_does(PeerTyping, 0)
            case RoomChanged(room_id) if room_id == self.room_id:
                self.notice_leaving()
                self._show_room()
                self._touch_cards()
            case OfferChanged(offer) if offer.chatroom_id == self.room_id:
                self.deals.know_offer(offer)
                self._touch_cards()
            case AppointmentChanged(meeting) if meeting.chatroom_id == self.room_id:
                self.deals.know_appointment(meeting)
                self._touch_cards()
            case DeliveryChanged() | Sent() | Discarded() if change.message.room_id == self.room_id:
                self.on_its_way(change)
            case OutboxChanged():
                start(self, self.read_waiting_again, group="waiting", exclusive=True)
            case PeerTyping() | PeerHere() if change.room_id == self.room_id:
                self.peer_does(type(change), change.seconds)
            case Reset():
                start(self, partial(self.ask_server, again=True), group="chat")
            case _:
                return
        self.draw_soon()

    def _touch_keys(self) -> None:
        waiting = (one.key for one in self.conversation.all_waiting())
        self.conversation.touch(TOP, GAP, *waiting, *self.deals.rows)

    def _touch_cards(self) -> None:
        self.conversation.touch(*self.deals.rows)

    def _time_passed(self) -> None:
        self._touch_cards()
        self._show_room()
        self.draw_soon()

    # What can be done

    def why_not(self, action_id: str) -> str | None:
        """Why not now."""
        if action_id in DEALS:
            return self.why_no_deal(action_id)
        if action_id == "retry" and End.FAILED in self.pages.ends.values():
            return None
        if action_id in _OWN:
            return self.why_not_own(action_id)
        if action_id in {"write", "send", "add_photo", "quick_reply"} and not self.can_write:
            return "This chat is closed."
        if action_id == "trade" and (self.detail is None or self.detail.trade is None):
            return "There is no trade here yet."
        if action_id == "open_message" and not getattr(self.selected_message(), "photos", None):
            return "There are no photos in it."
        if action_id == "unread" and not self.conversation.unread:
            return "Everything was read when you came."
        if action_id == "copy" and self.selected_message() is None:
            return "Select a message."
        if action_id in {"person", *ROOM_ACTIONS}:
            return self.why_no_room(action_id)
        return super().why_not(action_id)

    def footer_actions(self) -> list[Action]:
        """The composer's keys in the composer; in the history what can be done there."""
        if self.composer.has_focus:
            return self.footer_in_composer()
        return [
            action
            for action in super().footer_actions()
            if action.id not in DEALS | _OWN or self.why_not(action.id) is None
        ]

    def actions(self) -> Iterable[Action]:
        """Those of both contexts."""
        writing = [action for action in actions_of("composer") if "*" not in action.contexts]
        yield from writing
        known = {action.id for action in writing}
        yield from (action for action in super().actions() if action.id not in known)

    def do_back(self) -> None:
        """Out of an edit, out of the composer, out of the chat."""
        if self.editing:
            start(self, self.stop_editing, group="edit")
        elif self.composer.has_focus:
            self.history.focus()
        else:
            super().do_back()

    def do_leave(self) -> None:
        """Esc in the composer."""
        self.do_back()

    def do_write(self) -> None:
        """Into the composer."""
        self.composer.focus()

    @on(Composer.Left)
    def _left_upwards(self, event: Composer.Left) -> None:
        if event.page:
            self.history.scroll_rows(event.page * max(1, self.history.size.height - 1))
        else:
            self.history.focus()

    @on(VirtualList.CursorMoved)
    def _moved(self) -> None:
        self.redraw_bars()

    @on(VirtualList.Activated)
    async def _activated(self) -> None:
        message = self.selected_message()
        if message is not None and message.photos:
            self.view_photos(0)
        elif self.can_write:
            self.composer.focus()

    @on(History.Pressed)
    async def _pressed(self, event: History.Pressed) -> None:
        if event.photo is not None:
            self.view_photos(event.photo)
        elif event.action_id is not None:
            await self.action_do(event.action_id)

    @on(ChatHeader.Pressed)
    @on(ChatRule.Pressed)
    async def _link_pressed(self, event: ChatHeader.Pressed | ChatRule.Pressed) -> None:
        await self.action_do(event.action_id)

    async def do_retry(self) -> None:
        """A message that failed, or a page that could not be loaded."""
        if self.why_not_own("retry") is None:
            await self.retry_selected()
        else:
            self._load_failed()

    def do_refresh(self) -> None:
        """Ask the server again."""
        start(self, partial(self.ask_server, again=True), group="chat")
