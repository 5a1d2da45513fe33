"""What all parts of the chat screen share: its room, its history, and what is selected there."""

from uuid import UUID

from client_tui.conversation import Conversation
from client_tui.core.status import LineState
from client_tui.deals import Deals
from client_tui.format import visible_line
from client_tui.history_pages import HistoryPages
from client_tui.keymap import key_of
from client_tui.screens.room_actions import RoomActions
from client_tui.waiting import Waiting
from client_tui.widgets.composer import Composer
from client_tui.widgets.history import History
from shared_models.chat import Chatroom, ChatroomDetail, Message


class ChatBase(RoomActions):
    """The room and its history, for those who read, write and deal in it."""

    conversation: Conversation
    pages: HistoryPages
    deals: Deals

    def __init__(self, room_id: UUID) -> None:
        super().__init__()
        self.room_id = room_id

    @property
    def room(self) -> Chatroom | None:
        """The room as the store has it."""
        return self.store.state.rooms.get(self.room_id)

    def meant_room(self) -> Chatroom | None:
        """This one."""
        return self.room

    async def _leave_room(self, room: Chatroom) -> None:
        await super()._leave_room(room)
        if self.is_there and self.in_front and self.goes_back():
            self.dismiss()

    @property
    def detail(self) -> ChatroomDetail | None:
        """The room with offer, appointment and trade, once it has been read."""
        room = self.room
        return room if isinstance(room, ChatroomDetail) else None

    @property
    def history(self) -> History:
        """The list of messages."""
        return self.query_one(History)

    @property
    def composer(self) -> Composer:
        """Where messages are written."""
        return self.query_one(Composer)

    @property
    def online(self) -> bool:
        """Whether the server hears us."""
        return self.link.status.state is LineState.ONLINE

    @property
    def in_front(self) -> bool:
        """Whether this is the screen that one sees and not one behind it."""
        return self.app.screen is self

    @property
    def can_write(self) -> bool:
        """Whether messages may be sent here."""
        return self.room is None or self.room.state == "open"

    def key_here(self, action_id: str) -> str:
        """The key of an action; from within the composer, the one that leads out of it first."""
        return self.lead().lstrip() + key_of("chat", action_id)

    def lead(self) -> str:
        """What one presses before the keys of the history: blanks when one is there already."""
        lead = key_of("composer", "leave") + " "
        return lead if self.composer.has_focus else " " * len(lead)

    def other_name(self) -> str:
        """The other side's name."""
        return visible_line(self.room.other.display_name) if self.room else "…"

    def selected_message(self) -> Message | None:
        """The message under the cursor."""
        cursor = self.history.cursor
        return None if cursor is None else self.conversation.message(cursor)

    def selected_waiting(self) -> Waiting | None:
        """The unsent message under the cursor."""
        cursor = self.history.cursor
        return None if cursor is None else self.conversation.waiting(cursor)

    def do_copy(self) -> None:
        """The text of the message under the cursor."""
        message = self.selected_message()
        if message is not None:
            self.app.copy_to_clipboard(message.text)
            self.say("Copied.")

    def do_trade(self) -> None:
        """The trade with its timeline."""
        if self.detail is not None and self.detail.trade is not None:
            self.picky.open_trade(self.detail.trade.id)

    def do_room_listing(self) -> None:
        """The listing it is about."""
        if self.room is not None:
            self.picky.open_listing(self.room.listing.id)

    def do_person(self) -> None:
        """The other side's profile."""
        if self.room is not None:
            self.picky.open_profile(self.room.other.id)

    def do_report(self) -> None:
        """The message under the cursor, or the other side."""
        message = self.selected_message()
        if message is not None and message.sender_id not in (None, self.conversation.me):
            self.picky.report("message", message.id)
        elif self.room is not None:
            self.picky.report("account", self.room.other.id)
