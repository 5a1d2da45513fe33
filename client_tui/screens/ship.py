"""How a thing was sent: carrier and tracking number."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Select, Static

from client_tui.screens.dialog import SendingDialog
from client_tui.widgets.field import ErrorLine, Field
from shared_models.market import Carrier

Ship = Callable[[str, str], Awaitable[None]]
"""Sends the id of the carrier, and the tracking number."""


class ShipScreen(SendingDialog):
    """Carrier and tracking number."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", show=False)]

    def __init__(self, carriers: Sequence[Carrier], ship: Ship) -> None:
        super().__init__()
        self._ship = ship
        self._carriers = carriers

    def compose(self) -> ComposeResult:
        """Two fields."""
        options = [(carrier.name, carrier.id) for carrier in self._carriers]
        with Vertical(classes="dialog"):
            yield Static("Shipped", classes="dialog-title")
            yield Field("carrier", Select(options, allow_blank=False, compact=True), id="carrier")
            yield Field("tracking number", Input(), id="tracking_number")
            yield ErrorLine()
            with Horizontal(classes="buttons"):
                yield Button("Shipped", id="go", variant="primary")
                yield Button("Cancel", id="cancel")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Go or not."""
        if event.button.id == "go":
            self._answer()
        else:
            self.dismiss()

    def on_input_submitted(self) -> None:
        """Enter goes."""
        self._answer()

    def _answer(self) -> None:
        number = self.query_one(Input).value.replace("-", "").replace(" ", "")
        carrier = str(self.query_one(Select).value)
        self.send(partial(self._ship, carrier, number), "Shipped.")
