"""The demo's first screen: the market is filled and started; then the app goes on by itself."""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.containers import Middle, Vertical
from textual.widget import Widget
from textual.widgets import ProgressBar, Static

from client_tui.core.errors import ClientError
from client_tui.demo.market import DemoMarket, Failed, Filled, Listening, Progress
from client_tui.demo.neighbours import Neighbours
from client_tui.keymap import Action
from client_tui.screens.base import PickyScreen
from client_tui.work import start

_WHAT = (
    "A market of your own is being filled: people with things to sell, photos, and years of "
    "talk. It is private to this machine and gone when you leave."
)
_QUIT = "ctrl+q leaves and cleans up."


class StartingScreen(PickyScreen):
    """Shows how far the market is, signs in when it is there, and says why if it never will be."""

    context: ClassVar[str] = "starting"

    def __init__(self, market: DemoMarket) -> None:
        super().__init__()
        self._market = market
        self._who = Filled("", "")

    def heading(self) -> str:
        """What is begun."""
        return "picky · demo market"

    def status_cell(self) -> Text:
        """There is no connection to tell of yet."""
        return Text("")

    def content(self) -> Iterable[Widget]:
        """A bar, and words about it."""
        with Middle(), Vertical(id="starting"):
            yield Static(_WHAT, id="starting-what", markup=False)
            yield ProgressBar(total=100, id="starting-bar", show_eta=False)
            yield Static("people", id="starting-label", markup=False)

    def footer_actions(self) -> list[Action]:
        """One can only wait or leave."""
        return [action for action in self.actions() if action.id == "quit"]

    def why_not(self, action_id: str) -> str | None:
        """Nothing but leaving makes sense before there is a market."""
        return None if action_id == "quit" else "The market is not open yet."

    def on_mount(self) -> None:
        """Begin to listen."""
        super().on_mount()
        start(self.picky, self._follow, name="demo", group="demo")

    async def _follow(self) -> None:
        """Tell what becomes of the market, for as long as the app runs."""
        async for news in self._market.news():
            match news:
                case Progress():
                    self._show(news)
                case Filled():
                    self._who = news
                    self._say("opening the market")
                case Listening():
                    await self._enter(news.url)
                case Failed():
                    self._fail(news.lines)

    def _show(self, progress: Progress) -> None:
        bar = self.query_one(ProgressBar)
        bar.update(total=progress.total, progress=progress.done)
        self._say(progress.label)

    def _say(self, label: str) -> None:
        self.query_one("#starting-label", Static).update(label)

    async def _enter(self, url: str) -> None:
        who = self._who
        try:
            await self.link.sign_in(url, who.handle, who.password)
            await self.link.start()
        except ClientError as error:
            self._fail((str(error),))
            return
        neighbours = Neighbours(url, who.password, self.store)
        start(self.picky, neighbours.run, name="neighbours")
        self.picky.enter()

    def _fail(self, lines: tuple[str, ...]) -> None:
        if self.app.screen is not self:
            text = "\n".join(("The demo market has ended.", *lines[-3:]))
            self.app.notify(text, severity="error", markup=False)
            return
        self.query_one(ProgressBar).display = False
        self.query_one("#starting-what", Static).update(f"The demo market did not start. {_QUIT}")
        self._say("\n".join(lines))
