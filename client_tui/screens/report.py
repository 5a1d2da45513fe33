"""Report a listing, a message or an account."""

from functools import partial
from typing import ClassVar
from uuid import UUID

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from client_tui.app_of import link_of
from client_tui.core.forms import fill
from client_tui.screens.dialog import SendingDialog
from client_tui.widgets.field import ErrorLine
from shared_models.trades import ReportCreate


class ReportScreen(SendingDialog):
    """A reason of the market's list, and what happened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", show=False),
        Binding("ctrl+s", "send", show=False, priority=True),
    ]

    def __init__(self, kind: str, target_id: UUID) -> None:
        super().__init__()
        self._kind = kind
        self._target_id = target_id

    def compose(self) -> ComposeResult:
        """Reasons, detail, two buttons."""
        reasons = link_of(self).market.report_reasons
        with Vertical(classes="dialog"):
            yield Static(f"Report this {self._kind}", classes="dialog-title", markup=False)
            yield OptionList(*(Option(choice.name, id=choice.id) for choice in reasons))
            yield TextArea(id="detail", placeholder="What happened?")
            yield ErrorLine()
            with Horizontal(classes="buttons"):
                yield Button("Report (ctrl+s)", id="send", variant="primary")
                yield Button("Cancel", id="cancel")

    def on_mount(self) -> None:
        """Start at the first reason."""
        self.query_one(OptionList).highlighted = 0

    def on_option_list_option_selected(self) -> None:
        """On to the text."""
        self.query_one("#detail").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Send or not."""
        if event.button.id == "send":
            self.action_send()
        else:
            self.dismiss()

    def action_send(self) -> None:
        """Send it."""
        reasons = self.query_one(OptionList)
        reason = reasons.get_option_at_index(reasons.highlighted or 0).id or "other"
        detail = self.query_one("#detail", TextArea).text
        self.send(partial(self._report, reason, detail), "Thank you. It will be looked at.")

    async def _report(self, reason: str, detail: str) -> None:
        form = fill(
            ReportCreate,
            target_kind=self._kind,
            target_id=self._target_id,
            reason=reason,
            detail=detail,
        )
        await link_of(self).api.report(form)
