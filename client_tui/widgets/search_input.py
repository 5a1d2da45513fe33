"""The search line, with the searches of before on the up and down keys."""

from collections.abc import Awaitable
from typing import ClassVar, Protocol

from textual.binding import Binding, BindingType
from textual.widgets import Input

from client_tui.core.errors import ClientError
from client_tui.work import start
from shared_models import bounds
from shared_models.base import Page
from shared_models.listings import PastSearch


class PastSearches(Protocol):
    """Reads the history, last first."""

    def __call__(self, *, limit: int) -> Awaitable[Page[PastSearch]]:
        """One page of it."""
        ...


class SearchInput(Input):
    """An input that starts hidden; up and down go through what was searched before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "past(1)", show=False),
        Binding("down", "past(-1)", show=False),
    ]

    def __init__(self, read: PastSearches) -> None:
        super().__init__(
            placeholder="search: words, -word to leave out",
            id="search",
            max_length=bounds.SEARCH_MAX,
        )
        self.display = False
        self._read = read
        self._past: list[str] = []
        self._at = -1

    def on_focus(self) -> None:
        """Read the history."""
        self._at = -1
        start(self, self._load, exclusive=True)

    async def _load(self) -> None:
        try:
            page = await self._read(limit=50)
        except ClientError:
            return
        self._past = [search.q for search in page.items]

    def action_past(self, step: int) -> None:
        """An older one, or a newer one; past the newest the line is empty."""
        self._at = max(-1, min(len(self._past) - 1, self._at + step))
        self.value = self._past[self._at] if self._at >= 0 else ""
        self.cursor_position = len(self.value)
