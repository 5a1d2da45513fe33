"""A labelled form field with room for what is wrong with it."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static


class Field(Vertical):
    """Label above, input, error below; the error takes no room while there is none."""

    def __init__(self, label: str, field: Widget, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._label = label
        self._field = field

    def compose(self) -> ComposeResult:
        """Three rows."""
        yield Static(self._label, classes="field-label", markup=False)
        yield self._field
        yield Static("", classes="field-error", markup=False)

    def show_error(self, text: str) -> None:
        """What is wrong."""
        error = self.query_one(".field-error", Static)
        error.update(text)
        error.add_class("shown")

    def clear_error(self) -> None:
        """Nothing is wrong."""
        self.query_one(".field-error", Static).remove_class("shown")
