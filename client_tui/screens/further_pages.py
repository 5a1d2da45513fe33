"""The pages of a list after those that are shown: read when its end is near, one at a time."""

from collections.abc import Awaitable, Callable
from typing import Any

from client_tui.core.errors import ClientError
from client_tui.screens.base import PickyScreen
from client_tui.widgets.retry_row import RetryRow
from client_tui.work import start
from shared_models.base import Page

Read = Callable[[str | None], Awaitable[Page[Any]]]
Take = Callable[[list[Any]], bool]
"""Shows the items of a page; the answer is whether any of them was new."""


class FurtherPages:
    """Goes on from a cursor. A page that fails is said in a :class:`RetryRow` of the screen."""

    def __init__(self, screen: PickyScreen, read: Read, take: Take, *, row: str = "more") -> None:
        self._screen = screen
        self._read = read
        self._take = take
        self._row = row
        self._cursor: str | None = None
        self._more = False
        self._failed = False
        self._loading = False
        self._list = 0
        """Counts the lists: a page of an older one is not for this one."""

    def begin(self, cursor: str | None, *, from_start: bool = False) -> None:
        """Another list: go on from this cursor; None is its end, or with ``from_start`` its top."""
        self._list += 1
        self._cursor = cursor
        self._more = from_start or cursor is not None
        self._loading = False
        self._say("")

    @property
    def more(self) -> bool:
        """Whether the list goes on behind what is shown."""
        return self._more

    def load(self) -> None:
        """The next page, if there is one and it is not on its way."""
        if self._more and not self._loading and not self._failed:
            self._loading = True
            start(self._screen, self._load, group=f"page-{self._row}")

    def retry(self) -> bool:
        """Try the page again that failed; False when none did."""
        if not self._failed:
            return False
        self._say("")
        self.load()
        return True

    async def _load(self) -> None:
        begun = self._list
        while begun == self._list:
            try:
                page = await self._read(self._cursor)
            except ClientError as error:
                if begun == self._list:
                    self._loading = False
                    self._say(str(error))
                    self._screen.failed(error)
                return
            if begun == self._list and self._took(page):
                return

    def _took(self, page: Page[Any]) -> bool:
        """Whether that was it for now; a page of what is known already leads on to the next."""
        self._cursor = page.next_cursor
        self._more = page.next_cursor is not None
        new = self._take(page.items)
        self._loading = self._more and not new
        return not self._loading

    def _say(self, reason: str) -> None:
        self._failed = bool(reason)
        self._screen.query_one(f"#{self._row}", RetryRow).show(reason)
