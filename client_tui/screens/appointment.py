"""Propose when and where to meet."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from client_tui.core.forms import fill
from client_tui.format import date_time, visible_line
from client_tui.moments import parse_when
from client_tui.screens.dialog import SendingDialog
from client_tui.widgets.field import ErrorLine, Field
from shared_models.market import Limits
from shared_models.trades import Appointment, AppointmentCreate, AppointmentState

Propose = Callable[[AppointmentCreate], Awaitable[None]]


class AppointmentScreen(SendingDialog):
    """Two or three lines; the server's own words say what is wrong (rule 12)."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", show=False)]

    def __init__(
        self,
        propose: Propose,
        now: datetime,
        limits: Limits,
        current: Appointment | None,
        zone: tzinfo | None = None,
    ) -> None:
        super().__init__()
        self._propose = propose
        self._now = now
        self._limits = limits
        self._current = current
        self._zone = zone

    def compose(self) -> ComposeResult:
        """When, where, and within the hour before also why."""
        place = visible_line(self._current.place) if self._current else ""
        when = self._when_now()
        with Vertical(classes="dialog"):
            yield Static("Propose to meet", classes="dialog-title", markup=False)
            hint = f"{self._limits.appointment_min_minutes} minutes to "
            hint += f"{self._limits.appointment_max_days} days from now"
            if self._current is not None:
                hint += "; this replaces the present one"
            yield Static(hint + ".", classes="dim", markup=False)
            yield Field("when (tomorrow 14:00, sat 14:00, 11-19 14:00)", Input(when), id="at")
            yield Field(
                "where (a public place is safest)",
                Input(place, max_length=self._limits.place_max),
                id="place",
            )
            if self._needs_reason:
                most = self._limits.appointment_reason_max
                yield Field("why it changes so late", Input(max_length=most), id="reason")
            yield ErrorLine()
            with Horizontal(classes="buttons"):
                yield Button("Propose", id="propose", variant="primary")
                yield Button("Cancel", id="cancel")

    def _when_now(self) -> str:
        if self._current is None:
            return ""
        return f"{self._current.at.astimezone(self._zone):%Y-%m-%d %H:%M}"

    @property
    def _needs_reason(self) -> bool:
        current = self._current
        if current is None or current.state is not AppointmentState.ACCEPTED:
            return False
        late = timedelta(minutes=self._limits.appointment_late_change_minutes)
        return self._now < current.at <= self._now + late

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Propose or not."""
        if event.button.id == "propose":
            self._answer()
        else:
            self.dismiss()

    def on_input_submitted(self) -> None:
        """Enter is the first button."""
        self._answer()

    def _value(self, field: str) -> str:
        return self.query_one(f"#{field} Input", Input).value.strip()

    def _answer(self) -> None:
        try:
            at = parse_when(self._value("at"), self._now, self._zone)
        except ValueError as problem:
            self.say_wrong(str(problem), "at")
            return
        done = f"Proposed: {date_time(at, self._now, self._zone)}."
        self.send(partial(self._send_proposal, at), done)

    async def _send_proposal(self, at: datetime) -> None:
        reason = self._value("reason") if self._needs_reason else None
        form = fill(AppointmentCreate, at=at, place=self._value("place"), reason=reason)
        await self._propose(form)
