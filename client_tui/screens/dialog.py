"""What dialogs share: a click beside one closes it; a form is sent before it goes away."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from textual import events
from textual.screen import ModalScreen

from client_tui.core.errors import ClientError
from client_tui.widgets.field import ErrorLine, Field, clear_errors, show_refusal
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
            clear_errors(self)
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
        """Each thing under its field, the rest in the form's last line."""
        rest = show_refusal(self, problem)
        if rest:
            self._last_line.say(rest)

    def say_wrong(self, text: str, field: str | None = None) -> None:
        """The one thing that is wrong: under that field, or in the form's last line."""
        clear_errors(self)
        if field is None:
            self._last_line.say(text)
        else:
            self.query_one(f"#{field}", Field).show_error(text)

    @property
    def _last_line(self) -> ErrorLine:
        return self.query(ErrorLine).last()
