"""Fetches the pages of a conversation: copies first, then the server; one request in flight."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final
from uuid import UUID

from client_tui.conversation import GAP, TOP, Conversation, run_from, run_up_to
from client_tui.core.api import Api
from client_tui.core.cache import Cache
from client_tui.core.errors import ClientError, StorageFailed
from client_tui.day_search import PAGE, first_of
from shared_models.chat import Message, MessagePage

FIRST: Final = 50
MORE: Final = 100


class End(StrEnum):
    """How loading stands at an end of the window."""

    IDLE = "idle"
    LOADING = "loading"
    FAILED = "failed"


class HistoryPages:
    """Keeps a conversation supplied. An answer that comes after a jump elsewhere is dropped."""

    def __init__(
        self,
        room_id: UUID,
        conversation: Conversation,
        api: Api,
        cache: Cache,
        changed: Callable[[], None],
        *,
        online: Callable[[], bool],
    ) -> None:
        """``changed`` is called whenever the conversation has got or is waiting for a page.

        While not ``online``, jumps look among the copies before they ask the server.
        """
        self.ends = {TOP: End.IDLE, GAP: End.IDLE}
        self.reasons = {TOP: "", GAP: ""}
        self._room_id = room_id
        self._conversation = conversation
        self._api = api
        self._cache = cache
        self._changed = changed
        self._online = online
        self._older_pages = 0
        self._generation = 0

    async def open(self) -> None:
        """Show the newest copies at once."""
        copies = await self._newest_copies()
        if copies and not self._conversation.window:
            self._conversation.start(copies, more_before=copies[0].seq > 1)
            self._changed()

    async def newest(self, stays: Callable[[], bool] = lambda: False) -> bool:
        """The newest page: joined to what is there if it reaches, else shown instead.

        Whether it counts: False after a later jump, which has another place in view.
        ``stays`` is asked when it comes: whoever reads elsewhere keeps what is there. Then only
        what is missing is known, and pages fill it. Nobody has asked to go there: a jump that is on
        its way goes on.
        """
        for end, state in self.ends.items():
            if state is End.FAILED:
                self._mark(end, End.IDLE)
        return await self._come(self._read(limit=FIRST), partial(self._join, stays))

    async def around(self, seq: int) -> bool:
        """The surroundings of a message, unless they are here; whether it counts, as above."""
        if seq in self._conversation.window:
            return True
        return await self._jump(self._around(seq), self._show)

    async def _around(self, seq: int) -> MessagePage:
        if not self._online():
            first, stop = max(1, seq - MORE // 2), seq + MORE // 2
            copies = await self._cache.messages(
                self._room_id, after=first - 1, before=stop, limit=MORE
            )
            if above := run_up_to((one for one in copies if one.seq <= seq), seq + 1):
                below = run_from((one for one in copies if one.seq > seq), seq)
                return _page_of([*above, *below])
        return await self._read(around=seq, limit=MORE)

    async def newest_there_is(self) -> bool:
        """The newest page, of the copies while offline; whether it counts, as above."""
        return await self._jump(self._newest_there_is(), partial(self._join, lambda: False))

    async def _newest_there_is(self) -> MessagePage:
        copies = [] if self._online() else await self._newest_copies()
        return _page_of(copies) if copies else await self._read(limit=FIRST)

    async def _newest_copies(self) -> list[Message]:
        return run_up_to(await self._cache.messages(self._room_id, limit=FIRST), None)

    async def renew(self, in_view: Callable[[], int | None]) -> bool:
        """Read what is about the message in view (None: the newest) again; what is here may be
        wrong now. Whether it counts, as above.
        """
        return await self._jump(self._about(in_view), self._show)

    async def _about(self, in_view: Callable[[], int | None]) -> MessagePage:
        """What is in view when it comes: who has read on meanwhile must not be called back."""
        seq = in_view()
        while True:
            before = seq
            page = await self._read(around=seq, limit=FIRST if seq is None else MORE)
            seq = in_view()
            if seq is None or seq == before or _holds(page, seq):
                return page

    def empty(self) -> None:
        """Nothing of it may be seen any more, also not what is on its way."""
        self._generation += 1
        self._conversation.start([], more_before=False)

    def _show(self, page: MessagePage) -> None:
        self._conversation.start(page.items, more_before=page.has_more_before)

    def _join(self, stays: Callable[[], bool], page: MessagePage) -> None:
        here = self._conversation.window
        first = page.items[0].seq if page.items else 0
        hidden = here.start < first and not page.has_more_before  # it was said before one left
        if not here or not first or hidden:
            self._show(page)
        elif first <= here.stop:
            self._conversation.append(page.items)
        elif stays():
            self._conversation.know_head(page.items[-1].seq)
        else:
            self._show(page)

    async def first_of(self, moment: datetime) -> int | None:
        """The first message at or after a moment; None when there is none."""
        head = self._conversation.head
        return await first_of(moment, head, self._after) if head else None

    async def _after(self, seq: int) -> Sequence[Message]:
        return (await self._read(after=seq, limit=PAGE)).items

    async def older(self) -> None:
        """The page above, if there is one and none is on its way."""
        if self._conversation.more_before and self._conversation.window:
            await self._fill(TOP, self._older)

    async def _older(self) -> None:
        first = self._conversation.window.start
        limit = MORE if self._older_pages else FIRST
        generation = self._generation
        copies = await self._cache.messages(self._room_id, before=first, limit=limit)
        items: Sequence[Message] = run_up_to(copies, first)
        more = bool(items) and items[0].seq > 1
        if not items:
            page = await self._read(before=first, limit=limit)
            items, more = page.items, page.has_more_before
        if generation == self._generation:
            self._older_pages += 1
            self._conversation.prepend(items, more_before=more)

    async def newer(self) -> None:
        """The page below, if there is one and none is on its way."""
        if not self._conversation.at_newest and self._conversation.window:
            await self._fill(GAP, self._newer)

    async def _newer(self) -> None:
        last, generation = self._conversation.window.stop - 1, self._generation
        copies = await self._cache.messages(
            self._room_id, after=last, before=last + MORE + 1, limit=MORE
        )
        items: Sequence[Message] = run_from(copies, last)
        if not items:
            items = (await self._read(after=last, limit=MORE)).items
        if generation == self._generation:
            self._conversation.append(items)

    async def _fill(self, end: int, load: Callable[[], Awaitable[None]]) -> None:
        if self.ends[end] is End.LOADING:
            return
        generation = self._generation
        self._mark(end, End.LOADING)
        try:
            await load()
        except ClientError as error:
            if generation == self._generation:
                self._mark(end, End.FAILED, str(error))
            return
        if generation == self._generation:
            self._mark(end, End.IDLE)

    async def _jump(
        self, reading: Awaitable[MessagePage], show: Callable[[MessagePage], None]
    ) -> bool:
        """Show another stretch; raises what goes wrong. Of two jumps the later one counts."""
        self._generation += 1
        self._older_pages = 0
        for end in self.ends:
            self._mark(end, End.IDLE)
        return await self._come(reading, show)

    async def _come(
        self, reading: Awaitable[MessagePage], show: Callable[[MessagePage], None]
    ) -> bool:
        """Show a page when it comes, unless a jump has begun meanwhile."""
        generation = self._generation
        try:
            page = await reading
        except ClientError as error:
            if generation == self._generation and not self._conversation.window:
                self._mark(TOP, End.FAILED, str(error))
            raise
        if generation != self._generation:
            return False
        show(page)
        self._changed()
        return True

    def fail(self, end: int, reason: str) -> None:
        """Say at an end why it does not go on there."""
        self._mark(end, End.FAILED, reason)

    def _mark(self, end: int, state: End, reason: str = "") -> None:
        self.ends[end], self.reasons[end] = state, reason
        self._conversation.touch(end)
        self._changed()

    async def _read(
        self,
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        limit: int,
    ) -> MessagePage:
        page = await self._api.messages(
            self._room_id, before=before, after=after, around=around, limit=limit
        )
        with suppress(StorageFailed):
            await self._cache.save_messages(page.items)
        return page


def _holds(page: MessagePage, seq: int) -> bool:
    """Whether a message is in a page, with enough below it."""
    if not page.items or seq < page.items[0].seq:
        return False
    return not page.has_more_after or seq + MORE // 3 <= page.items[-1].seq


def _page_of(copies: Sequence[Message]) -> MessagePage:
    """Copies as the server would give them; only it knows whether more comes after."""
    first, last = copies[0].seq, copies[-1].seq
    return MessagePage(
        items=list(copies),
        first_seq=first,
        last_seq=last,
        has_more_before=first > 1,
        has_more_after=False,
        profiles={},
    )
