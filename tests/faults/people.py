"""Who talks in a town: signed-in devices of the client's own core, and what they have written."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

from client_tui.core.api import Api, Http
from client_tui.core.changes import Change
from client_tui.core.errors import Refused, ServerUnreachable, StorageFailed
from client_tui.core.forms import fill
from client_tui.core.outbox import OutboxMessage, OutboxState
from client_tui.core.status import LineState, Status
from shared_models.accounts import SignedIn, SignIn, SignUp
from shared_models.chat import Message, SendMessage
from shared_models.realtime import Ok
from shared_models.sync import Bootstrap
from tests.faults.sight import Sight
from tests.faults.waiting import came
from tests.journeys.devices import Device, put_up_listing
from tests.journeys.people import PASSWORD

SELLERS = 2
BUYERS_OF_EACH = 3
EVERY_S = 0.4
PAGES_MAX = 2**30
LONG = 60
"""How often a long message says the same: it takes pages of its own in a database."""


@dataclass
class Writer:
    """What one pen has written into each room, in its order; every text is written once only."""

    name: str
    written: defaultdict[UUID, list[str]] = field(default_factory=lambda: defaultdict(list))
    acknowledged: dict[str, tuple[int, UUID]] = field(default_factory=dict)
    """The place and the id that the server told for a text."""
    _count: int = 0

    @property
    def waits(self) -> bool:
        """Whether something has no answer yet."""
        return len(self.acknowledged) < sum(map(len, self.written.values()))

    @property
    def newest(self) -> dict[UUID, int]:
        """The place of the newest message in each room, where all are answered."""
        return {
            room_id: max(self.acknowledged[text][0] for text in texts)
            for room_id, texts in self.written.items()
            if texts
        }

    def next_text(self, random: Random) -> str:
        """A text that nobody else writes, now and then a long one."""
        self._count += 1
        said = "a chair of solid oak " * (LONG if random.random() < 0.1 else 1)
        return f"{self.name} {self._count}: {said}".strip()


class Talker(Device):
    """A device whose every word and every sight is kept, to be accounted for at the end."""

    def __init__(self, api: Api, signed_in: SignedIn, folder: Path, random: Random) -> None:
        super().__init__(
            api,
            signed_in.account.id,
            signed_in.token,
            folder,
            chance=lambda: random.random() * 0.2,
        )
        self.name = folder.name
        self.rooms: list[UUID] = []
        self.writer = Writer(self.name)
        self.sight = Sight()
        self.refused_by_disk = 0
        self.times_online = 0
        self.troubles: list[str] = []
        self.statuses: list[Status] = []
        self.stumbles: list[Exception] = []
        self.is_taken = False
        self._random = random

    def status_changed(self, status: Status) -> None:
        """Note it: a line that ends for good is trouble."""
        self.statuses.append(status)
        if status.state is LineState.SIGNED_OUT or (
            status.state is LineState.OFFLINE and status.retry_at is None
        ):
            self.troubles.append(f"the line ended for good: {status}")
        self.times_online += status.state is LineState.ONLINE
        super().status_changed(status)

    def rebased(self, state: Bootstrap) -> None:
        """Take a bootstrap into account."""
        self.sight.begin_anew(state)
        self._heard.set()

    def changed(self, changes: Sequence[Change]) -> None:
        """Look at every message that comes."""
        for change in changes:
            if change.kind == "message.new" and isinstance(change.data, Message):
                self.sight.see(change.data)
        super().changed(changes)

    def sent(self, message: OutboxMessage, ok: Ok) -> None:
        """Keep what the server said."""
        if message.text in self.writer.acknowledged:
            self.sight.doubled.append(f"answered twice: {message.text[:40]}")
        self.writer.acknowledged[message.text] = (ok.seq, ok.message_id)
        super().sent(message, ok)

    def altered(self, message: OutboxMessage) -> None:
        """A message that is given up is trouble."""
        if message.state is OutboxState.FAILED:
            self.troubles.append(f"failed for good with {message.code}: {message.text[:40]}")

    def stumbled(self, error: Exception) -> None:
        """Note what the person would be told of."""
        self.stumbles.append(error)

    async def write(self) -> bool:
        """Put one message into the outbox; False when the disk refused it: then it is not sent."""
        room_id = self._random.choice(self.rooms)
        text = self.writer.next_text(self._random)
        try:
            await self.outbox.put(room_id, text)
        except StorageFailed:
            self.refused_by_disk += 1
            return False
        self.writer.written[room_id].append(text)
        self.delivery.wake()
        return True

    async def talk(self, over: asyncio.Event) -> None:
        """Write again and again until it is over."""
        while not await came(over, self._random.uniform(0.5, 1.5) * EVERY_S):
            await self.write()

    @asynccontextmanager
    async def full_disk(self) -> AsyncIterator[None]:
        """Neither the outbox nor the copies get another page on disk."""
        await self._allow_pages(1)  # SQLite takes as many as there are when there are more
        try:
            yield
        finally:
            await self._allow_pages(PAGES_MAX)

    async def _allow_pages(self, count: int) -> None:
        for database in (self.outbox._database, self.cache._database):
            await database.run(
                lambda connection: connection.execute(f"PRAGMA max_page_count = {count}").fetchone()
            )


class Probe:
    """A pen that writes over HTTP, so that the server's very answer can be looked at."""

    def __init__(self, talker: Talker, random: Random) -> None:
        self.writer = Writer(f"{talker.name} over HTTP")
        self.room_id = talker.rooms[0]
        self.refusals = 0
        self.troubles: list[str] = []
        self._token = talker.token
        self._random = random
        self._unanswered: list[SendMessage] = []

    async def write(self, server: str) -> None:
        """Send one message. Where it is refused, the answer must say that it may be repeated."""
        message = fill(SendMessage, cid=uuid4(), text=self.writer.next_text(self._random))
        self.writer.written[self.room_id].append(message.text)
        self._unanswered.append(message)
        await self._try(server)

    async def finish(self, server: str) -> None:
        """Send again what was refused, under the same cid and in its order."""
        while self._unanswered:
            await self._try(server)

    async def _try(self, server: str) -> None:
        async with Api(Http(server, self._token)) as api:
            while self._unanswered:
                message = self._unanswered[0]
                try:
                    kept = await api.send_message(self.room_id, message)
                except ServerUnreachable:
                    return
                except Refused as refused:
                    self.refusals += 1
                    if not refused.retryable:
                        self.troubles.append(f"refused for good: {refused.status} {refused.code}")
                    return
                self.writer.acknowledged[message.text] = (kept.seq, kept.id)
                del self._unanswered[0]


class Stalls:
    """Sellers with one listing each, and buyers with a room on it; some have a second device."""

    def __init__(self, url: str, folder: Path, random: Random, stack: AsyncExitStack) -> None:
        self._url = url
        self._folder = folder
        self._random = random
        self._stack = stack

    async def open(self, number: int) -> list[Talker]:
        """One seller, whose devices come with those of the buyers."""
        seller = await self._sign_up(f"seller_{number}")
        listing_id = await put_up_listing(seller, self._folder / seller.name)
        found = [seller]
        for buyer_number in range(BUYERS_OF_EACH):
            buyer = await self._sign_up(f"buyer_{number}_{buyer_number}")
            room_id = (await buyer.api.open_room(listing_id)).id
            buyer.rooms.append(room_id)
            seller.rooms.append(room_id)
            found.append(buyer)
        second = await self._sign_in(found[-1].name)
        second.rooms += found[-1].rooms
        return [*found, second]

    async def _sign_up(self, handle: str) -> Talker:
        form = fill(SignUp, handle=handle, password=PASSWORD, display_name=handle)
        async with Api(Http(self._url)) as visitor:
            return await self._talker(handle, await visitor.sign_up(form))

    async def _sign_in(self, handle: str) -> Talker:
        form = fill(SignIn, handle=handle, password=PASSWORD)
        async with Api(Http(self._url)) as visitor:
            return await self._talker(f"{handle}_too", await visitor.sign_in(form))

    async def _talker(self, name: str, signed_in: SignedIn) -> Talker:
        http = Http(self._url, signed_in.token, chance=self._random.random)
        api = await self._stack.enter_async_context(Api(http))
        folder = self._folder / name
        talker = Talker(api, signed_in, folder, Random(self._random.random()))
        await talker.cache.open()
        self._stack.push_async_callback(talker.cache.close)
        await talker.outbox.open()
        self._stack.push_async_callback(talker.outbox.close)
        return talker


@asynccontextmanager
async def talkers(url: str, folder: Path, random: Random) -> AsyncIterator[list[Talker]]:
    """All devices of a town's people, signed in, with a room or more each."""
    async with AsyncExitStack() as stack:
        stalls = Stalls(url, folder, random, stack)
        opened = await asyncio.gather(*(stalls.open(number) for number in range(SELLERS)))
        yield [talker for stall in opened for talker in stall]
