"""The devices that are signed in; any of them can be signed out."""

from functools import partial
from typing import ClassVar
from uuid import UUID

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from client_tui.app_of import link_of
from client_tui.core.errors import ClientError
from client_tui.format import ago, visible_line
from client_tui.screens.dialog import Dialog
from client_tui.work import start


class DevicesScreen(Dialog[None]):
    """One row a device; enter signs it out."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", show=False)]

    def compose(self) -> ComposeResult:
        """The list."""
        with Vertical(classes="dialog"):
            yield Static("Devices", classes="dialog-title")
            yield OptionList(id="devices")
            yield Static("enter signs a device out   esc closes", classes="dialog-hint")

    def on_mount(self) -> None:
        """Load."""
        start(self, self._load, exclusive=True)

    async def _load(self) -> None:
        link = link_of(self)
        try:
            page = await link.api.sessions(limit=100)
        except ClientError as error:
            self.app.notify(str(error), severity="error", markup=False)
            self.dismiss()
            return
        devices = self.query_one(OptionList)
        devices.clear_options()
        for session in page.items:
            name = visible_line(session.device or "unnamed device")
            here = " · this one" if session.current else ""
            text = f"{name} · {ago(session.last_seen_at, link.now())}{here}"
            devices.add_option(Option(Content(text), id=str(session.id), disabled=session.current))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Sign it out."""
        if event.option_id:
            start(self, partial(self._end, UUID(event.option_id)))

    async def _end(self, session_id: UUID) -> None:
        try:
            await link_of(self).api.end_session(session_id)
        except ClientError as error:
            self.app.notify(str(error), severity="error", markup=False)
        await self._load()
