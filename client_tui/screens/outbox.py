"""The outbox: what waits to be sent, of all rooms, in the order in which it was written."""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual import on
from textual.widget import Widget
from textual.widgets import Static

from client_tui.core.outbox import OutboxMessage, OutboxState
from client_tui.core.status import LineState
from client_tui.screens.base import PickyScreen
from client_tui.screens.discard import ask_to_discard
from client_tui.store import Change, DeliveryChanged, Discarded, OutboxChanged, RoomChanged, Sent
from client_tui.widgets.virtual_list import VirtualList
from client_tui.widgets.waiting_rows import WaitingRows
from client_tui.work import start
from shared_models.chat import Chatroom


class OutboxScreen(PickyScreen):
    """One message two rows; it empties itself as the line allows."""

    context = "outbox"
    AUTO_FOCUS: ClassVar[str] = "#waiting"

    def heading(self) -> str:
        """What it lists."""
        return "‹ outbox"

    def content(self) -> Iterable[Widget]:
        """The list, or that nothing waits."""
        rows = WaitingRows(
            self._room_of, self.link.now, self._is_online, lambda: self.app.theme_variables
        )
        yield VirtualList[OutboxMessage](rows, id="waiting")
        yield Static("", id="nothing-waits", classes="empty", markup=False)

    @property
    def waiting(self) -> VirtualList[OutboxMessage]:
        """The list."""
        return self.query_one("#waiting", VirtualList)

    def _room_of(self, message: OutboxMessage) -> Chatroom | None:
        return self.store.state.rooms.get(message.room_id)

    def _is_online(self) -> bool:
        return self.link.status.state is LineState.ONLINE

    def on_mount(self) -> None:
        """Read what waits."""
        super().on_mount()
        self.do_refresh()

    def on_screen_resume(self) -> None:
        """Back from a chat, in which one may have discarded some."""
        super().on_screen_resume()
        self.do_refresh()

    def do_refresh(self) -> None:
        """Read it from the disk."""
        start(self, self._read, group="waiting", exclusive=True)

    async def _read(self) -> None:
        found = await self.link.outbox.waiting()
        if not self.is_there:
            return
        waiting = self.waiting
        waiting.set_items(found)
        if found and waiting.cursor is None:
            waiting.jump_to(found[0].number, "top")
        waiting.display = bool(found)
        note = self.query_one("#nothing-waits", Static)
        note.update("Nothing waits: all you wrote was sent." + self.hint("back goes back"))
        note.display = not found
        self.redraw_bars()

    def redraw_bars(self) -> None:
        """Also hears here that the line has come or gone."""
        super().redraw_bars()
        if self.is_there and self.query("#waiting"):
            self.waiting.invalidate()

    def on_change(self, change: Change) -> None:
        """One was written, went, failed or was discarded."""
        if isinstance(change, DeliveryChanged | Sent | Discarded | OutboxChanged | RoomChanged):
            self.do_refresh()

    def selected(self) -> OutboxMessage | None:
        """The message under the cursor."""
        waiting = self.waiting
        return None if waiting.cursor is None else waiting.item(waiting.cursor)

    def why_not(self, action_id: str) -> str | None:
        """What needs a message that has not left."""
        if action_id not in {"open_waiting", "retry", "edit_message", "remove"}:
            return None
        message = self.selected()
        if message is None:
            return "Nothing waits."
        if action_id != "open_waiting" and message.state is OutboxState.SENDING:
            return "It may have been sent already."
        if action_id == "retry" and message.state is not OutboxState.FAILED:
            return "It is sent by itself as soon as the line allows."
        return None

    @on(VirtualList.Activated)
    async def _activated(self) -> None:
        await self.action_do("open_waiting")

    @on(VirtualList.CursorMoved)
    def _moved(self) -> None:
        self.redraw_bars()

    def do_open_waiting(self) -> None:
        """To it in its chat."""
        message = self.selected()
        if message is not None:
            self.picky.open_waiting(message)

    def do_edit_message(self) -> None:
        """Into the composer of its chat."""
        message = self.selected()
        if message is not None:
            self.picky.open_waiting(message, edit=True)

    def do_retry(self) -> None:
        """Send it again, in its chat where the guard asks something first (rule 18)."""
        message = self.selected()
        if message is not None and message.code == "confirm_needed":
            self.picky.open_waiting(message)
        elif message is not None:
            start(self, partial(self.link.retry_message, message), group="retry")

    def do_remove(self) -> None:
        """Discard it, after a question."""
        message = self.selected()
        if message is not None:
            ask_to_discard(self, message)
