"""What was written against what is there: the accounts of a town when everything has drained."""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any, Self
from uuid import UUID

from client_tui.core.api import Api
from shared_models.chat import Message, MessageKind
from tests.client.core.fakes import kept_rooms
from tests.faults.people import Talker, Writer

PAGE = 100
DRAINED_WITHIN_S = 60
CALM_WITHIN_S = 10
"""A server that hears nothing on the bus looks every 12 to 18 s for what it has missed: the second
thing that it misses shows it, however soon the first is found.
"""
COLUMNS = (
    *("sent", "acknowledged", "delivered", "lost", "doubled", "reordered"),
    *("bootstraps", "resumes"),
)


@dataclass
class Tally:
    """The figures of a town. ``delivered`` counts each device that has a message, its own too."""

    sent: int = 0
    acknowledged: int = 0
    delivered: int = 0
    lost: int = 0
    doubled: int = 0
    reordered: int = 0
    bootstraps: int = 0
    """One for each device is how it begins; nothing in a run is a reason for another one."""
    resumes: int = 0
    delays: list[float] = field(default_factory=list)
    """How long each delivery took, with whatever was broken meanwhile."""
    delays_in_calm: list[float] = field(default_factory=list)
    """How long it took when nothing was broken any more, or from then on."""
    refused: int = 0
    """Messages that a full disk of a client kept from being sent."""
    details: list[str] = field(default_factory=list)
    """What is wrong, in words."""

    @property
    def is_clean(self) -> bool:
        """Nothing lost, doubled, reordered or wrong in another way."""
        return not (self.lost or self.doubled or self.reordered or self.details)

    def __iadd__(self, other: Self) -> Self:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        return self

    @property
    def most_delays_s(self) -> float:
        """In this time 99 % of all deliveries were made."""
        return sorted(self.delays)[len(self.delays) * 99 // 100] if self.delays else 0.0

    @property
    def slowest_in_calm_s(self) -> float:
        """The slowest delivery when nothing was broken any more."""
        return max(self.delays_in_calm, default=0.0)

    def find(self, column: str, problems: Sequence[str]) -> None:
        """Add problems to a column."""
        setattr(self, column, getattr(self, column) + len(problems))
        self.details += [f"{column}: {problem}" for problem in problems]


async def settle(talkers: Sequence[Talker], *others: Writer) -> Tally:
    """Let everything drain that talkers and others have written, and draw up the accounts."""
    calm_since = time.time()
    for talker in talkers:
        talker.session.retry_now()
        await talker.write()
    late = await drained(talkers, within_s=DRAINED_WITHIN_S) or await _hear_each(talkers)
    tally = await account(talkers, [*(talker.writer for talker in talkers), *others])
    tally.details += late
    _check_pace(tally, talkers, calm_since)
    return tally


async def _hear_each(talkers: Sequence[Talker]) -> list[str]:
    """One writes at a time. Where all talk a deaf server goes unnoticed: what its people write
    themselves shows it that it has missed something.
    """
    for talker in talkers:
        await talker.write()
        late = await _all([talker], [_answered(talker, CALM_WITHIN_S)])
        newest = talker.writer.newest
        late = late or await _all(talkers, [_heard(one, newest, CALM_WITHIN_S) for one in talkers])
        if late:
            late = [f"{name} has waited too long when all was whole" for name in late]
            return late + await drained(talkers, within_s=DRAINED_WITHIN_S)
    return []


async def _answered(talker: Talker, within_s: float) -> None:
    await talker.until(lambda: not talker.writer.waits, within_s=within_s)


async def _heard(talker: Talker, heads: Mapping[UUID, int], within_s: float) -> None:
    """Wait until a device has heard everything up to there in those rooms that it has."""
    mine = {room_id: heads[room_id] for room_id in talker.rooms if room_id in heads}
    await talker.until(
        lambda: all(talker.sight.knows(room_id, seq) for room_id, seq in mine.items()),
        within_s=within_s,
    )


async def account(talkers: Sequence[Talker], writers: Sequence[Writer]) -> Tally:
    """Compare what was written with the histories, and what devices know with both."""
    tally = Tally(refused=sum(talker.refused_by_disk for talker in talkers))
    rooms = {room_id: talker for talker in talkers for room_id in talker.rooms}
    for room_id, talker in rooms.items():
        history = await read_history(talker.api, room_id)
        _check_history(tally, room_id, history, writers)
        for device in talkers:
            if room_id in device.rooms:
                await _check_device(tally, device, room_id, history)
    for talker in talkers:
        _check_sight(tally, talker)
    return tally


async def read_history(api: Api, room_id: UUID, *, after: int = 0) -> list[Message]:
    """Every message of the room, page by page."""
    messages: list[Message] = []
    more = True
    while more:
        page = await api.messages(room_id, after=after, limit=PAGE)
        messages += page.items
        more = page.has_more_after
        after = messages[-1].seq if messages else after
    return messages


def _check_history(
    tally: Tally, room_id: UUID, history: Sequence[Message], writers: Sequence[Writer]
) -> None:
    if [message.seq for message in history] != list(range(1, len(history) + 1)):
        tally.details.append(f"the history of {room_id} has holes")
    said = [message for message in history if message.kind is MessageKind.TEXT]
    copies = Counter(message.text for message in said)
    places = {message.text: (message.seq, message.id) for message in said}
    known = {text for writer in writers for text in writer.written[room_id]}
    tally.find("doubled", [text[:40] for text, count in copies.items() if count > 1])
    tally.details += [f"nobody sent: {text[:40]}" for text in copies if text not in known]
    for writer in writers:
        texts = writer.written[room_id]
        answered = [text for text in texts if text in writer.acknowledged]
        tally.sent += len(texts)
        tally.acknowledged += len(answered)
        tally.find("lost", [text[:40] for text in texts if text not in places])
        tally.details += [
            f"not where its ok said: {text[:40]}"
            for text in answered
            if places.get(text) != writer.acknowledged[text]
        ]
        order = [text for text in texts if text in places]
        tally.find(
            "reordered",
            [
                f"{later[:40]} came before {sooner[:40]}"
                for sooner, later in pairwise(order)
                if places[sooner] > places[later]
            ],
        )


async def _check_device(
    tally: Tally, device: Talker, room_id: UUID, history: Sequence[Message]
) -> None:
    """What a device has on disk must be the history, once it has read what no event brought."""
    kept = await device.cache.messages(room_id, limit=len(history) + 1)
    holes = {message.seq for message in history} - {message.seq for message in kept}
    if holes and max(holes) <= device.sight.told[room_id]:
        await device.cache.save_messages(await read_history(device.api, room_id))
        kept = await device.cache.messages(room_id, limit=len(history) + 1)
    tally.delivered += sum(message.kind is MessageKind.TEXT for message in kept)
    seqs = {message.seq for message in kept}
    tally.find(
        "lost",
        [f"{device.name} has no seq {one.seq}" for one in history if one.seq not in seqs],
    )
    here = {message.seq: (message.id, message.text) for message in kept}
    tally.details += [
        f"{device.name} has another seq {one.seq}"
        for one in history
        if one.seq in here and here[one.seq] != (one.id, one.text)
    ]
    [room] = [room for room in await kept_rooms(device.cache) if room.id == room_id]
    present = await device.api.room(room_id)
    if (room.last_seq, room.unread) != (present.last_seq, present.unread):
        tally.details.append(
            f"{device.name} counts {room.last_seq}, {room.unread} unread;"
            f" the server {present.last_seq}, {present.unread}"
        )


def _check_sight(tally: Tally, talker: Talker) -> None:
    sight = talker.sight
    tally.find("doubled", [f"{talker.name}: {told}" for told in sight.doubled])
    tally.find("reordered", [f"{talker.name}: {told}" for told in sight.reordered])
    tally.find("lost", [f"{talker.name}: {told}" for told in sight.missed])
    tally.details += [f"{talker.name}: {told}" for told in talker.troubles]


def _check_pace(tally: Tally, talkers: Sequence[Talker], calm_since: float) -> None:
    for talker in talkers:
        bootstraps, deliveries = talker.sight.bootstraps, talker.sight.deliveries
        tally.bootstraps += bootstraps
        tally.resumes += talker.times_online - bootstraps
        tally.delays += [came - made for made, came in deliveries]
        tally.delays_in_calm += [
            came - max(made, calm_since) for made, came in deliveries if came > calm_since
        ]
        if bootstraps > 1:
            tally.details.append(f"{talker.name} has begun anew {bootstraps - 1} times")
    if tally.slowest_in_calm_s > CALM_WITHIN_S:
        tally.details.append(f"a delivery took {tally.slowest_in_calm_s:.1f} s when all was whole")


async def drained(talkers: Sequence[Talker], *, within_s: float) -> list[str]:
    """Wait until everything is answered and every device has heard everything; tell who has not."""

    async def wait_for_others(talker: Talker) -> None:
        heads = {room_id: (await talker.api.room(room_id)).last_seq for room_id in talker.rooms}
        await _heard(talker, heads, within_s)

    late = await _all(talkers, [_answered(talker, within_s) for talker in talkers])
    if late:
        return [f"{name} has messages without an answer" for name in late]
    late = await _all(talkers, [wait_for_others(talker) for talker in talkers])
    return [f"{name} has not heard everything" for name in late]


async def _all(talkers: Sequence[Talker], waits: Sequence[Coroutine[Any, Any, None]]) -> list[str]:
    outcomes = await asyncio.gather(*waits, return_exceptions=True)
    return [
        f"{talker.name} ({outcome!r})"
        for talker, outcome in zip(talkers, outcomes, strict=True)
        if outcome is not None
    ]
