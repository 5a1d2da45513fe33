"""A labelled form field with room for what is wrong with it."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from client_tui.core.errors import ClientError, Refused


class ErrorLine(Static):
    """What is wrong; takes no room while nothing is."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", classes="field-error", markup=False, id=id)

    def say(self, text: str) -> None:
        """What is wrong; empty when nothing is."""
        self.update(text)
        self.set_class(bool(text), "shown")


class Field(Vertical):
    """Label above, input, error below."""

    def __init__(self, label: str, field: Widget, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._label = label
        self._field = field

    def compose(self) -> ComposeResult:
        """Three rows."""
        yield Static(self._label, classes="field-label", markup=False)
        yield self._field
        yield ErrorLine()

    def show_error(self, text: str) -> None:
        """What is wrong, to be seen also in a long form; empty when nothing is."""
        self.query_one(ErrorLine).say(text)
        if text:
            self.scroll_visible()


def clear_errors(form: Widget) -> None:
    """Nothing is wrong, as far as one knows."""
    for line in form.query(ErrorLine):
        line.say("")


def show_refusal(form: Widget, error: ClientError) -> str:
    """Say what is wrong under the field it is about, which has its name as its id.

    The answer is what is wrong with no field of this form; empty when all of it is shown.
    """
    if not isinstance(error, Refused) or not error.errors:
        return str(error)
    elsewhere = []
    for problem in error.errors:
        name = problem.field.partition(".")[0]  # of a list it may be one item that is wrong
        fields = form.query(Field).filter(f"#{name}") if name.isidentifier() else ()
        for field in fields:
            field.show_error(problem.message)
        if not fields:
            elsewhere.append(f"{problem.field}: {problem.message}")
    return " ".join(elsewhere)
