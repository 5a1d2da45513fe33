"""Reserve a listing for the buyer of a room, by one of the ways that it is offered."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, OptionList, Static
from textual.widgets.option_list import Option

from shared_models.market import Method

_WAYS = {"meet": "in person", "post": "by post"}


class ReserveScreen(ModalScreen[str | None]):
    """Who gets it or at what price, and how; the answer is the method."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", show=False)]

    def __init__(self, title: str, method: Method, *, yes: str) -> None:
        super().__init__()
        self._title = title
        self._yes = yes
        self._methods = ["meet", "post"] if method is Method.BOTH else [method.value]

    def compose(self) -> ComposeResult:
        """What it means, and the ways the listing offers."""
        with Vertical(classes="dialog"):
            yield Static(self._title, classes="dialog-title", markup=False)
            yield Static(
                "It leaves the market until you both confirm or one of you cancels.\n"
                "Other offers on it end.",
                markup=False,
            )
            yield OptionList(*(Option(f"hand over {_WAYS[way]}", id=way) for way in self._methods))
            with Horizontal(classes="buttons"):
                yield Button(self._yes, id="reserve", variant="primary")
                yield Button("Cancel", id="cancel")

    def on_mount(self) -> None:
        """Start at the first way."""
        ways = self.query_one(OptionList)
        ways.highlighted = 0
        ways.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter on a way reserves."""
        self.dismiss(event.option_id)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Reserve or not."""
        if event.button.id == "reserve":
            self.dismiss(self._methods[self.query_one(OptionList).highlighted or 0])
        else:
            self.dismiss(None)
