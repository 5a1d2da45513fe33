"""Finds the first message of a day in a room of any size, with few pages."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

from shared_models.chat import Message

PageAfter = Callable[[int], Awaitable[Sequence[Message]]]
"""The page just above a ``seq``."""

PAGE: Final = 100
_GUESSES: Final = 3
"""Where people wrote evenly a guess is right; where they did not, halving the range is."""


async def first_of(moment: datetime, head: int, page_after: PageAfter) -> int | None:
    """The ``seq`` of the first message at or after a moment; None when there is none.

    ``seq`` and time rise together. Of a million messages at most 20 pages are read.
    """
    newest, oldest = await page_after(head - 1), await page_after(0)
    if not newest or newest[-1].created_at < moment:
        return None
    search = _Search(moment, oldest[0], newest[-1])
    search.learn(0, oldest)
    guesses = _GUESSES
    while not search.is_done:
        at = search.guess() if guesses > 0 else search.middle()
        guesses -= 1
        search.learn(at, await page_after(at))
    return search.found.seq


class _Search:
    """What is sought lies above ``before`` and not above ``found``."""

    def __init__(self, moment: datetime, before: Message, found: Message) -> None:
        self._moment = moment
        self._before = before
        self.found = found
        self.is_done = False

    def learn(self, at: int, page: Sequence[Message]) -> None:
        """``page`` is what follows ``at``."""
        older = [one for one in page if one.created_at < self._moment]
        newer = page[len(older)] if len(older) < len(page) else self.found
        if newer.seq < self.found.seq:
            self.found = newer
        if older:
            self._before = older[-1]
        # Without an older one, what is known to be older ends here: history begins at the page.
        begins = not older and (at == 0 or page[0].seq > at + 1)
        self.is_done = begins or self._before.seq + 1 >= self.found.seq

    def middle(self) -> int:
        """Half the way; the beginning, where one page holds what is left."""
        low, high = self._before.seq, self.found.seq
        return low if high - low <= PAGE else (low + high) // 2

    def guess(self) -> int:
        """Where it lies if messages come evenly, in the middle of the page."""
        low, high = self._before.seq, self.found.seq
        span = self.found.created_at - self._before.created_at
        share = (self._moment - self._before.created_at) / span if span else 0.0
        return max(low, min(low + round(share * (high - low)) - PAGE // 2, high - 2))
