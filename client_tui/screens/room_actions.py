"""What one does with a room as a whole, in the list of rooms and in the room: mute it, leave it."""

from collections.abc import Callable
from functools import partial

from client_tui.format import visible_line
from client_tui.screens.base import PickyScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.work import start
from shared_models.chat import Chatroom
from shared_models.trades import OPEN_TRADE_STATES

ROOM_ACTIONS = frozenset({"mute", "leave_room", "room_listing"})


class RoomActions(PickyScreen):
    """A screen with a room that is meant."""

    def meant_room(self) -> Chatroom | None:
        """The room that the keys are about; None when there is none."""
        return None

    def why_no_room(self, action_id: str) -> str | None:
        """Why an action of :data:`ROOM_ACTIONS` can't be done with the room; None when it can."""
        room = self.meant_room()
        if room is None:
            return "There is no chat here."
        if action_id == "leave_room" and self._has_open_trade(room):
            return "Finish or cancel the trade first."
        return None

    def _has_open_trade(self, room: Chatroom) -> bool:
        return any(
            trade.chatroom_id == room.id and trade.state in OPEN_TRADE_STATES
            for trade in self.store.state.trades.values()
        )

    def do_mute(self) -> None:
        """No notices from it, or again."""
        self._with_room(self._mute, "mute")

    async def _mute(self, room: Chatroom) -> None:
        await (self.link.api.unmute if room.muted else self.link.api.mute)(room.id)
        self.store.put_room(room.model_copy(update={"muted": not room.muted}))
        self.say("Unmuted." if room.muted else "Muted: it still counts, but tells nothing.")

    def do_leave_room(self) -> None:
        """Off the list, after a question (rule 15)."""
        self._with_room(self._ask_to_leave, "leave")

    async def _ask_to_leave(self, room: Chatroom) -> None:
        waiting = await self.link.outbox.waiting(room.id)
        if waiting:
            self.say("Messages of yours still wait here. Send or discard them first.")
            return
        question = ConfirmScreen(
            f"Leave the chat with {visible_line(room.other.display_name)}?",
            "You will not see again what was said so far."
            " A new message brings the chat back. They are not told.",
            yes="Leave",
        )
        self.app.push_screen(question, partial(self._answered, room))

    def _answered(self, room: Chatroom, yes: bool | None) -> None:
        if yes:
            # The app's worker: the screen of the room may be closed meanwhile.
            start(self.app, partial(self._leave_room, room), group="leave")

    async def _leave_room(self, room: Chatroom) -> None:
        await self.link.leave_room(room)
        self.say("You left the chat.")

    def _with_room(self, act: Callable[[Chatroom], object], group: str) -> None:
        room = self.meant_room()
        if room is not None:
            start(self, partial(act, room), group=group)  # type: ignore[arg-type]
