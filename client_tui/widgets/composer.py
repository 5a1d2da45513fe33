"""Where a message is written: grows with the text, takes dropped photos, keeps to the limits."""

from dataclasses import dataclass
from pathlib import Path

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import TextArea

from client_tui.core.uploads import CheckedFile
from client_tui.dropped import dropped_paths
from client_tui.format import cells, file_size, truncate, visible_line
from client_tui.keymap import actions_of
from client_tui.widgets.palette import Palette
from shared_models.text import clean_text


class Composer(TextArea):
    """A text area that sends on enter. Its keys are those of the context ``composer``."""

    @dataclass
    class Dropped(Message):
        """Pictures were pasted or dropped."""

        paths: list[Path]

    @dataclass
    class EmptyBackspace(Message):
        """Backspace where there is nothing to delete: the last photo goes."""

    @dataclass
    class Left(Message):
        """The cursor went up out of the text."""

        page: int = 0

    def __init__(self, *, id: str) -> None:
        super().__init__(
            id=id, compact=True, highlight_cursor_line=False, placeholder="Write a message"
        )
        # These are no bindings: those of priority are done ahead of keys that were typed before
        # them but wait here still, so enter would send half of a text that came in one piece.
        self._own = {
            key: action.id
            for action in actions_of("composer")
            if action.priority
            for key in action.keys.split(",")
        }

    @property
    def message_text(self) -> str:
        """The text as the server will take it."""
        return clean_text(self.text).strip()

    async def action_do(self, action_id: str) -> None:
        """The screen does it."""
        await self.screen.run_action(f"do('{action_id}')")

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "backspace" and not self.text:
            self.post_message(self.EmptyBackspace())
        elif event.key == "up" and self.navigator.is_first_wrapped_line(self.cursor_location):
            self._leave(event, 0)
            return
        elif event.key in ("pageup", "pagedown"):
            self._leave(event, -1 if event.key == "pageup" else 1)
            return
        elif (action_id := self._own.get(event.key)) is not None:
            event.stop()
            event.prevent_default()
            await self.action_do(action_id)
            return
        await super()._on_key(event)

    def _leave(self, event: events.Key, page: int) -> None:
        event.stop()
        event.prevent_default()
        self.post_message(self.Left(page))

    def on_paste(self, event: events.Paste) -> None:
        """A dropped file is a pasted path; other text is text."""
        paths = dropped_paths(event.text)
        if paths:
            event.stop()
            event.prevent_default()
            self.post_message(self.Dropped(paths))


class Attachments(Widget):
    """The photos that will go with the message; a click takes one away."""

    @dataclass
    class Removed(Message):
        """This one not."""

        index: int

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.files: list[CheckedFile] = []

    def show(self, files: list[CheckedFile]) -> None:
        """Show these; no row when there are none."""
        self.files = files
        self.display = bool(files)
        self.refresh()

    def _labels(self) -> list[str]:
        room = max(12, self.size.width // 3 - 12)
        return [
            f"▣ {truncate(visible_line(file.path.name), room)} {file_size(file.size)} ✕"
            for file in self.files
        ]

    def render_line(self, y: int) -> Strip:
        """All of them on one row."""
        palette = Palette.of(self.app.theme_variables)
        line = [Segment("   ")]
        for label in self._labels():
            line += [Segment(label, palette.accent), Segment("   ")]
        return Strip(line).adjust_cell_length(self.size.width).apply_style(self.rich_style)

    def on_click(self, event: events.Click) -> None:
        """Which one was clicked."""
        at = 3
        for index, label in enumerate(self._labels()):
            if at <= event.x < at + cells(label):
                self.post_message(self.Removed(index))
                return
            at += cells(label) + 3
