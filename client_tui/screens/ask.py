"""Ask for one line of text."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from client_tui.widgets.field import ErrorLine


class AskScreen(ModalScreen[str | None]):
    """One field; ``check`` raises ValueError with what is wrong. The answer is the text."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", show=False)]

    def __init__(
        self,
        title: str,
        hint: str = "",
        *,
        value: str = "",
        check: Callable[[str], object] = str,
        password: bool = False,
        max_length: int | None = None,
    ) -> None:
        super().__init__()
        self._heading = title
        self._hint = hint
        self._value = value
        self._check = check
        self._password = password
        self._max_length = max_length

    def compose(self) -> ComposeResult:
        """Title, hint, field, what is wrong."""
        with Vertical(classes="dialog"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            if self._hint:
                yield Static(self._hint, classes="dim", markup=False)
            yield Input(
                self._value, password=self._password, max_length=self._max_length or 0, id="answer"
            )
            yield ErrorLine()
            with Horizontal(classes="buttons"):
                yield Button("OK", id="ok", variant="primary")
                yield Button("Cancel", id="cancel")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """OK or cancel."""
        if event.button.id == "ok":
            self._answer()
        else:
            self.dismiss(None)

    def on_input_submitted(self) -> None:
        """Enter is OK."""
        self._answer()

    def _answer(self) -> None:
        text = self.query_one(Input).value.strip()
        try:
            self._check(text)
        except ValueError as problem:
            self.query_one(ErrorLine).say(str(problem))
            return
        self.dismiss(text)
