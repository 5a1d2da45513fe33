"""What is wrong with a trade."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Select, Static, TextArea

from client_tui.screens.dialog import SendingDialog
from client_tui.widgets.field import ErrorLine, Field
from shared_models.market import Choice

Report = Callable[[str, str], Awaitable[None]]
"""Sends the id of the reason, and what happened."""


class ProblemScreen(SendingDialog):
    """A reason of the market's list, and what happened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", show=False),
        Binding("ctrl+s", "send", show=False, priority=True),
    ]

    def __init__(self, reasons: Sequence[Choice], report: Report) -> None:
        super().__init__()
        self._report = report
        self._reasons = reasons

    def compose(self) -> ComposeResult:
        """A reason and a text."""
        options = [(reason.name, reason.id) for reason in self._reasons]
        with Vertical(classes="dialog"):
            yield Static("Report a problem", classes="dialog-title")
            yield Static("The clock stops; nothing completes by itself.", classes="dim")
            yield Field(
                "what is wrong", Select(options, allow_blank=False, compact=True), id="reason"
            )
            yield Field("what happened", TextArea(), id="detail")
            yield ErrorLine()
            with Horizontal(classes="buttons"):
                yield Button("Report (ctrl+s)", id="go", variant="primary")
                yield Button("Cancel", id="cancel")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Report or not."""
        if event.button.id == "go":
            self.action_send()
        else:
            self.dismiss()

    def action_send(self) -> None:
        """Send it."""
        detail = self.query_one(TextArea).text
        reason = str(self.query_one(Select).value)
        done = "Reported. Nothing completes by itself now."
        self.send(partial(self._report, reason, detail), done)
