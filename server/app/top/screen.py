"""The operator's screen: every process and their sum, looked at again every two seconds."""

import time
from collections.abc import Sequence
from typing import ClassVar

from rich.markup import escape
from rich.table import Table
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Footer, Static

from server.app.top import shown
from server.app.top.figures import Window
from server.app.top.reading import Servers, fetch_text

EVERY_S = 2.0


class TopApp(App[None]):
    """Shows what the servers do; says so where one does not answer."""

    CSS = """
    #title { height: 1; padding: 0 1; background: $panel; text-style: bold; }
    #processes { height: auto; max-height: 50%; padding: 1 1 0 1; }
    #lists { height: 1fr; padding: 1 1 0 1; }
    #lists VerticalScroll { width: 1fr; padding-right: 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit")]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, servers: Servers, *, every_s: float = EVERY_S) -> None:
        super().__init__()
        self._servers = servers
        self._every_s = every_s

    def compose(self) -> ComposeResult:
        """A title, the processes, and two lists."""
        yield Static(id="title")
        with VerticalScroll(id="processes"):
            yield Static(id="rows")
        with Horizontal(id="lists"):
            for name in ("traffic", "stock"):
                with VerticalScroll():
                    yield Static(id=name)
        yield Footer()

    async def on_mount(self) -> None:
        """Look now and from now on."""
        await self.look()
        self.set_interval(self._every_s, self.look)

    async def look(self) -> None:
        """Look at all servers and show what they say."""
        await self._servers.look()
        window = Window([one.step for one in self._servers.all if one.step is not None])
        self.query_one("#title", Static).update(self._title(len(window.steps)))
        self.query_one("#rows", Static).update(self._rows(window))
        self.query_one("#traffic", Static).update(_list(shown.traffic(window)))
        self.query_one("#stock", Static).update(_list(shown.stock(window)))

    def _title(self, answering: int) -> str:
        silent = len(self._servers.all) - answering
        told = f"picky-server top · {answering} answering"
        return f"{told}, {silent} not" if silent else told

    def _rows(self, window: Window) -> Table:
        table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="bold")
        for number, name in enumerate(shown.COLUMNS):
            table.add_column(name, justify="right" if number else "left", no_wrap=True)
        for server in self._servers.all:
            if server.step is not None:
                table.add_row(*shown.row(escape(server.name), Window([server.step])))
        if len(window.steps) > 1:
            table.add_row(*shown.row("in sum", window), style="bold")
        problems = [one for one in self._servers.all if one.step is None]
        if not problems:
            return table
        both = Table.grid(expand=True)
        both.add_row(table)
        for server in problems:
            both.add_row(Text(f"{server.name} {server.problem}", style="red"))
        return both


def watch(addresses: Sequence[str]) -> None:
    """Show these servers until somebody leaves."""
    TopApp(Servers(addresses, fetch_text, time.monotonic)).run()


def _list(lines: Sequence[shown.Line]) -> Table:
    table = Table.grid(expand=True)
    table.add_column(no_wrap=True, ratio=1)
    table.add_column(justify="right", no_wrap=True)
    for name, figure in lines:
        table.add_row(name, figure, style=None if figure else "bold")
    return table
