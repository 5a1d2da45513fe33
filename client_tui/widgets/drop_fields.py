"""Text fields of a form that takes files: a dropped file is for the form, not for the text."""

from textual import events
from textual.widgets import Input, TextArea

from client_tui.dropped import dropped_paths


class DropInput(Input):
    """One line; the paths of files that are dropped on it bubble."""

    def on_paste(self, event: events.Paste) -> None:
        """A terminal pastes the path of a dropped file."""
        _leave_to_the_form(event)


class DropTextArea(TextArea):
    """Several lines; the paths of files that are dropped on it bubble."""

    def on_paste(self, event: events.Paste) -> None:
        """A terminal pastes the path of a dropped file."""
        _leave_to_the_form(event)


def _leave_to_the_form(event: events.Paste) -> None:
    if dropped_paths(event.text):
        event.prevent_default()
