"""What every screen has: the top bar, the key bar, one way to do an action, and toasts."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea
from textual.worker import Worker

from client_tui.app_of import app_of
from client_tui.core.errors import ClientError, ServerUnreachable
from client_tui.core.status import LineState
from client_tui.keymap import Action, actions_of, bindings_of, footer_of, key_of
from client_tui.store import Change, Store
from client_tui.widgets.key_bar import Entry, KeyBar
from client_tui.widgets.top_bar import TopBar
from client_tui.work import is_there

if TYPE_CHECKING:
    from client_tui.app import PickyApp
    from client_tui.link import Link


class PickyScreen(Screen[Any]):
    """A screen of the market.

    Subclasses set ``context`` (the name of their keys in :mod:`client_tui.keymap`), yield their
    content from :meth:`content`, do an action ``x`` in ``do_x``, say in :meth:`why_not` why one
    can't be done now, and redraw in :meth:`on_change` when the store changed.
    """

    context: ClassVar[str] = ""
    _unsubscribe: Callable[[], None] | None = None
    _failed_on_line: int | None = None
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init_subclass__(cls, **options: Any) -> None:
        """Take the bindings of the context from the registry."""
        if cls.context:
            cls.BINDINGS = [*bindings_of(cls.context), *cls.__dict__.get("BINDINGS", [])]
        super().__init_subclass__(**options)

    @property
    def picky(self) -> "PickyApp":
        """The app, by its own type."""
        return app_of(self)

    @property
    def link(self) -> "Link":
        """The way to the server."""
        return self.picky.link

    @property
    def store(self) -> Store:
        """What this client knows."""
        return self.picky.link.store

    @property
    def is_there(self) -> bool:
        """Whether it can be drawn on: not before it is shown, nor once it was left."""
        return is_there(self)

    def content(self) -> Iterable[Widget]:
        """The widgets between the two bars."""
        return ()

    def compose(self) -> ComposeResult:
        """Top bar, content, key bar."""
        yield TopBar(self.heading())
        yield from self.content()
        yield KeyBar()

    def heading(self) -> str:
        """What the top bar says."""
        return self.title or "picky"

    def why_not(self, action_id: str) -> str | None:
        """Why an action can't be done now, as a sentence; None when it can."""
        return None

    def on_change(self, change: Change) -> None:
        """The store changed; called on the app's thread while the screen is mounted."""

    def on_mount(self) -> None:
        """Hear the store for as long as this screen lives.

        Textual calls the handlers of every class; one that also calls ``super()`` does no harm.
        """
        if self._unsubscribe is None:
            self._unsubscribe = self.store.subscribe(self._changed)
            self.redraw_bars()

    def on_unmount(self) -> None:
        """Stop hearing."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def on_screen_resume(self) -> None:
        """Shown again: the bars may be old."""
        self.redraw_bars()

    def _changed(self, change: Change) -> None:
        if self.is_there:
            self.on_change(change)
            self.redraw_bars()

    def redraw_bars(self) -> None:
        """Draw heading, status and keys anew."""
        bars, keys = self.query(TopBar), self.query(KeyBar)
        if not (self.is_there and bars and keys):
            return  # not drawn yet, or being taken down: a timer or the line does not know
        self._read_what_failed()
        bar = bars.first()
        bar.title = self.heading()
        bar.status = self.status_cell()
        keys.first().show([entry for entry in map(self._entry, self._footer()) if entry])

    def _footer(self) -> list[Action]:
        """What can be done about the line, what can be done here, and how one gets away."""
        nowhere = {"back"} if not self.goes_back() else set()
        if not self.picky.entered:
            nowhere.add("jump")
        actions = [action for action in self.footer_actions() if action.id not in nowhere]
        word = self.picky.line_action()
        if word:
            again = next(one for one in actions_of(self.context or "*") if one.id == "refresh")
            actions.insert(0, replace(again, label=word))
        return actions

    def _entry(self, action: Action) -> Entry | None:
        """With the key that works now; None when there is none, as letters are typed."""
        key = action.key_while_typing() if self.is_typing else action.key
        return None if key is None else Entry(action, self.why_not(action.id), key)

    @property
    def is_typing(self) -> bool:
        """Whether a text field has the focus."""
        return isinstance(self.focused, Input | TextArea)

    def on_descendant_focus(self) -> None:
        """Other keys work in a text field than outside of it."""
        self.redraw_bars()

    def on_resize(self) -> None:
        """The heading is cut to the width."""
        self.call_after_refresh(self.redraw_bars)

    def key(self, action_id: str) -> str:
        """The key of an action, for a text that names it."""
        return key_of(self.context or "*", action_id)

    def hint(self, *hints: str) -> str:
        """Keys and what they do, as an empty screen says it: from ``refresh tries again``."""
        parts = [hint.partition(" ") for hint in hints]
        return "\n\n" + "   ".join(f"{self.key(action)} {does}" for action, _, does in parts)

    def failed(self, error: ClientError) -> None:
        """Something could not be read: if for want of a server, it is read when one is there."""
        if isinstance(error, ServerUnreachable):
            self._failed_on_line = self.picky.lines

    def _read_what_failed(self) -> None:
        line, online = self._failed_on_line, self.link.status.state is LineState.ONLINE
        if line is not None and online and line < self.picky.lines:
            self._failed_on_line = None
            self.do_refresh()

    def footer_actions(self) -> list[Action]:
        """The actions in the footer, in order."""
        return footer_of(self.context)

    def status_cell(self) -> Text:
        """Unread counts and the connection."""
        return self.picky.status_cell()

    async def action_do(self, action_id: str) -> None:
        """Do an action by its id, or say why not."""
        reason = self.why_not(action_id)
        if reason is not None:
            self.say(reason, severity="warning")
            return
        if action_id == "refresh":
            self.picky.retry_now()
            if self.app.screen is not self:
                return  # there is nothing to read before one has signed in again
        do = getattr(self, f"do_{action_id}", None) or getattr(self.picky, f"do_{action_id}")
        result = do()
        if result is not None and hasattr(result, "__await__"):
            try:
                await result
            except ClientError as error:
                self.say(str(error), severity="error")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Textual tells only the screen that the worker belongs to; the app has the words."""
        self.picky.on_worker_state_changed(event)

    async def on_top_bar_pressed(self) -> None:
        """A click on the title is the step back."""
        await self.action_do("back")

    async def on_retry_row_pressed(self) -> None:
        """A click on what failed is the key that tries again."""
        await self.action_do("refresh")

    async def on_key_bar_pressed(self, event: KeyBar.Pressed) -> None:
        """A click in the footer is the key."""
        event.stop()
        await self.action_do(event.action_id)

    def actions(self) -> Iterable[Action]:
        """Everything that can be done here, for help and palette."""
        return actions_of(self.context)

    def goes_back(self) -> bool:
        """Whether there is a step back from here, also while a dialog is in front."""
        stack = self.app.screen_stack
        below = stack[: stack.index(self)][-1:] if self in stack else []
        return bool(below) and isinstance(below[0], PickyScreen)

    def do_back(self) -> None:
        """One step back; the first screen of a mode stays."""
        if self.goes_back():
            self.dismiss()

    def do_top(self) -> None:
        """To the top of what has the focus."""
        home = getattr(self.focused, "action_home", None)
        if home is not None:
            home()

    def do_refresh(self) -> None:
        """Ask the server again."""

    def say(self, text: str, *, severity: str = "information") -> None:
        """A toast; user text in it is never markup."""
        self.app.notify(text, severity=cast("Any", severity), markup=False, timeout=4)
