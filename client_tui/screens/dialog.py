"""What dialogs share: a click beside one closes it; a form is sent before it goes away."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from textual import events
from textual.screen import ModalScreen
from textual.widgets import Static

from client_tui.core.errors import ClientError
from client_tui.work import start

Answer = TypeVar("Answer")
Send = Callable[[], Awaitable[object]]


class Dialog(ModalScreen[Answer]):
    """A dialog with nothing to lose: a click beside it closes it, as esc does."""

    def on_click(self, event: events.Click) -> None:
        """Beside it is on no widget but the screen."""
        if self.get_widget_at(event.screen_x, event.screen_y)[0] is self:
            self.dismiss()


class SendingDialog(ModalScreen[None]):
    """A form that stays until it has been sent: what goes wrong is said in it, nothing is lost."""

    _sending = False

    def send(self, act: Send, done: str) -> None:
        """Send it once; when that has worked, say ``done`` and close."""
        if not self._sending:
            self._sending = True
            start(self, partial(self._send, act, done), group="send")

    async def _send(self, act: Send, done: str) -> None:
        try:
            await act()
        except ClientError as problem:
            self.show_problem(problem)
        else:
            self.app.notify(done, markup=False)
            self.dismiss()
        finally:
            self._sending = False

    def show_problem(self, problem: ClientError) -> None:
        """In the form's last line."""
        self.say_wrong(str(problem))

    def say_wrong(self, text: str) -> None:
        """What is wrong, in the form's last line."""
        error = self.query(".field-error").last(Static)
        error.update(text)
        error.add_class("shown")
