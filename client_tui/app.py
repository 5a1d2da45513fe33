"""The Textual app: modes, themes, the keys that work everywhere, and errors as toasts."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Final

from rich.text import Text
from textual import events
from textual.app import SystemCommand
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widgets import Input, TextArea
from textual.worker import Worker, WorkerState

from client_tui import keymap
from client_tui.core.errors import ClientError, StorageFailed, Unauthenticated
from client_tui.core.outbox import OutboxMessage
from client_tui.core.paths import Paths
from client_tui.core.status import LineState
from client_tui.format import visible_line
from client_tui.link import Link
from client_tui.navigation import Navigation
from client_tui.pixels import BLOCKS, Pixels, find_pixels
from client_tui.screens.base import PickyScreen
from client_tui.screens.browse import BrowseScreen
from client_tui.screens.chats import ChatsScreen
from client_tui.screens.closed import ClosedScreen
from client_tui.screens.help import HelpScreen
from client_tui.screens.jump import JumpScreen, place_key
from client_tui.screens.notifications import NotificationsScreen
from client_tui.screens.outbox import OutboxScreen
from client_tui.screens.profile import ProfileScreen
from client_tui.screens.trades import TradesScreen
from client_tui.screens.welcome import WelcomeScreen
from client_tui.status import status_text
from client_tui.stylesheet import ParsedOnce
from client_tui.themes import THEMES
from client_tui.work import start

_TO_OUTBOX: Final = "Go to outbox"
_UNTOLD: Final = "The server still lists it: your other devices can sign it out, in the profile."


class PickyApp(Navigation):
    """Picky in the terminal."""

    TITLE = "picky"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    CSS_PATH: ClassVar[Any] = [
        f"styles/{name}.tcss"
        for name in ("app", "lists", "forms", "market", "people", "chat", "demo")
    ]
    MODES: ClassVar[dict[str, Any]] = {
        "browse": BrowseScreen,
        "chats": ChatsScreen,
        "trades": TradesScreen,
        "notifications": NotificationsScreen,
        "profile": ProfileScreen,
    }

    def __init__(
        self,
        link: Link,
        *,
        theme: str | None = None,
        opening: PickyScreen | None = None,
        pixels: Pixels = BLOCKS,
    ) -> None:
        """``opening`` is shown first when nobody is signed in; usually that is the way in."""
        super().__init__()
        self.link = link
        self.pixels = pixels
        self._opening = opening
        self.parting = ""
        """What there is to know after signing out."""
        self.lines = 0
        """How many times the line has come."""
        self._was_online = False
        for known in THEMES:
            self.register_theme(known)
        wanted = theme or link.config.theme
        self.theme = wanted if wanted in self.available_themes else THEMES[0].name
        self.stylesheet = ParsedOnce(variables=self.get_css_variables())
        self._unknown_keys = keymap.use(link.config.keys)
        self.set_keymap(keymap.own_keys())
        self._entered = False

    def get_css_variables(self) -> dict[str, str]:
        """The theme's colours; the terminal's own by Rich's names where texts are drawn."""
        variables = super().get_css_variables()
        self.theme_variables = {
            name: value.removeprefix("ansi_") for name, value in self.theme_variables.items()
        }
        return variables

    async def on_mount(self) -> None:
        """Start the link, then show the market or the way in."""
        self.link.on_status = self._status_changed
        self.link.store.on_failure = self._drawing_failed
        self.link.on_trouble = self._tell_failure
        self.link.on_refused = self._tell_refusal
        self.set_interval(1.0, self._tick)
        self._tell_unknown_keys()
        if self.pixels.notice:
            self.notify(self.pixels.notice, severity="warning", markup=False, timeout=10)
        if self.link.signed_in:
            start(self, self._start, name="start", group="link")
        else:
            self.push_screen(self._opening or WelcomeScreen())

    def _tell_unknown_keys(self) -> None:
        if self._unknown_keys:
            names = ", ".join(self._unknown_keys)
            text = f"{self.link.paths.config_file}: there is no action {names} for [keys]."
            self.notify(text, severity="warning", markup=False, timeout=10)

    async def _start(self) -> None:
        try:
            await self.link.start()
        except Unauthenticated as error:
            self.push_screen(WelcomeScreen(str(error)))
        except ClientError as error:
            self.push_screen(ClosedScreen(error))
        else:
            self.enter()

    @property
    def entered(self) -> bool:
        """Whether there is a market to go about in."""
        return self._entered

    def enter(self) -> None:
        """Signed in: to the market."""
        if self._entered:  # another account, perhaps: nothing of before may stay on the screen
            self.exit(result="again")
            return
        self._entered = True
        start(self, self.link.run, name="link", group="link")
        self.switch_mode("browse")

    def sign_out(self) -> None:
        """Forget the account on this machine, and ask who is next."""
        go = partial(start, self, self._sign_out, group="sign-out")
        self._after_saving(go, self._all_screens())

    async def _sign_out(self) -> None:
        self.workers.cancel_group(self, "link")
        untold = await self.link.sign_out()
        if untold:
            self.parting = f"You are signed out on this machine only. {untold} {_UNTOLD}"
        self.exit(result="again")

    async def on_unmount(self) -> None:
        """Leave nothing open."""
        await self.link.close()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Nothing blinks, whichever screen or dialog a text field is in."""
        if isinstance(event.widget, Input | TextArea):
            event.widget.cursor_blink = False

    def status_cell(self) -> Text:
        """Unread counts and the connection, for every top bar."""
        return status_text(self.link, self.theme_variables, self.size.width)

    def _status_changed(self) -> None:
        state = self.link.status.state
        online = state is LineState.ONLINE
        self.lines += online and not self._was_online
        self._was_online = online
        if state is LineState.SIGNED_OUT:
            self._ask_to_sign_in()
        self._redraw_bars()

    def _ask_to_sign_in(self) -> None:
        if not isinstance(self.screen, WelcomeScreen):
            reason = self.link.status.reason or "you were signed out"
            text = f"{reason[0].upper()}{reason[1:]}. Sign in to go on; what waits here is kept."
            self.push_screen(WelcomeScreen(text))

    def _tick(self) -> None:
        """Count down, and look for what other windows do."""
        if self.link.is_open:
            self.link.look_for_other_windows()
        if self.link.status.retry_at is not None or self.link.silent_for_s():
            self._redraw_bars()

    def _redraw_bars(self) -> None:
        """Of the screen in front, and of the one that is seen behind a dialog."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, PickyScreen):
                screen.redraw_bars()
                return

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that failed says so, in words."""
        if event.state is not WorkerState.ERROR:
            return
        error = event.worker.error
        if isinstance(error, ClientError):
            self.notify(str(error), severity="error", markup=False, timeout=6)
        elif error is not None:
            self._tell_failure(error)

    def _drawing_failed(self, error: Exception) -> None:
        """A screen could not show what is new; one that is taken down loses its widgets first."""
        if not isinstance(error, NoMatches):
            self._tell_failure(error)

    def _tell_failure(self, error: BaseException) -> None:
        self.log.error(error)
        is_known = isinstance(error, StorageFailed)
        text = str(error) if is_known else f"Something went wrong: {error}"
        self.notify(text, severity="error", markup=False)

    def _tell_refusal(self, message: OutboxMessage) -> None:
        """A message is not sent. Where it is in sight, its row says why."""
        if self.screen in self.chats_of(message.room_id) or isinstance(self.screen, OutboxScreen):
            return
        room = self.link.store.state.rooms.get(message.room_id)
        to = f" to {visible_line(room.other.display_name)}" if room else ""
        why = visible_line(message.reason or message.code or "")
        text = f"Not sent{to}: {why} {self._way_to_outbox()} shows it."
        self.notify(text, severity="error", markup=False, timeout=10)

    def _way_to_outbox(self) -> str:
        """Keys that work where one is: in a text field, or a dialog, those of the menu are none."""
        screen = self.screen
        if isinstance(screen, PickyScreen) and not isinstance(screen.focused, Input | TextArea):
            return f"{keymap.key_of('*', 'jump')} {place_key('outbox')}"
        return f'{self.COMMAND_PALETTE_BINDING} "{_TO_OUTBOX}"'

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette: what can be done here, the modes and the themes."""
        if isinstance(screen, PickyScreen):
            for action in screen.actions():
                if action.id == "back" and not screen.goes_back():
                    continue
                if screen.why_not(action.id) is None:
                    title = action.label.capitalize()
                    yield SystemCommand(
                        title, f"{action.help} ({action.key})", self._doing(screen, action.id)
                    )
        for name in self.MODES if self._entered else ():
            yield SystemCommand(f"Go to {name}", "", lambda name=name: self.go_to(name))
        if self._entered:
            yield SystemCommand(_TO_OUTBOX, "What waits to be sent", self.open_outbox)
        for theme in THEMES:
            yield SystemCommand(
                f"Theme: {theme.name.removeprefix('picky-')}",
                "Change the colours",
                lambda name=theme.name: self.use_theme(name),
            )

    def _doing(self, screen: PickyScreen, action_id: str) -> Any:
        async def do() -> None:
            await screen.action_do(action_id)

        return do

    def use_theme(self, name: str) -> None:
        """Change the colours and remember it."""
        self.theme = name
        self.link.remember(theme=name)

    # Where the screens send one

    def line_action(self) -> str:
        """What ``refresh`` does for the line now, in two words; empty when it is there."""
        status = self.link.status
        if not self._entered or isinstance(self.screen, WelcomeScreen):
            return ""
        if status.state is LineState.SIGNED_OUT:
            return "sign in"
        if status.retry_at is not None:
            return "try now"
        return "try again" if status.state is LineState.OFFLINE else ""

    def retry_now(self) -> None:
        """Do not wait any longer for the line; where it has ended, begin anew."""
        match self.line_action():
            case "sign in":
                self._ask_to_sign_in()
            case "try now" | "try again":
                self.link.retry()

    def do_help(self) -> None:
        """The keys of the screen in front."""
        screen = self.screen
        if isinstance(screen, PickyScreen):
            self.push_screen(HelpScreen(screen.context, list(screen.actions())))

    def do_jump(self) -> None:
        """Which part of the market?"""
        if self._entered:
            self.push_screen(JumpScreen(), self._jump)

    def _jump(self, mode: str | None) -> None:
        if mode in self.MODES:
            self.go_to(mode)
        elif mode == "outbox":
            self.open_outbox()
        elif mode == "top" and isinstance(self.screen, PickyScreen):
            self.screen.do_top()

    async def action_quit(self) -> None:
        """Textual's own key for it, which comes before a screen's."""
        self.do_quit()

    def do_quit(self) -> None:
        """Leave."""
        self._after_saving(self.exit, self._all_screens())


def run(paths: Paths | None = None) -> None:
    """Run the app until it is left, or the demo market when that is asked for."""
    paths = paths or Paths.find()
    link = Link(paths)
    pixels = find_pixels(link.config.images)
    app = PickyApp(link, pixels=pixels)
    result = app.run()
    while result == "again":
        welcome = WelcomeScreen(app.parting)
        app = PickyApp(Link(paths), opening=welcome, pixels=replace(pixels, notice=""))
        result = app.run()
    if result == "demo":
        from client_tui.demo import run as run_demo

        run_demo(seed=1, scale="large")
