"""Who trades in a fleet: one deal after another, each from a photo to both reviews.

They do it over HTTP. What they are told of it comes to a live device of each, and must
be what is there in the end.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

from client_tui.core.api import Api
from client_tui.core.cache import Copies
from client_tui.core.changes import Position
from client_tui.core.errors import Refused, ServerUnreachable, UploadFailed
from client_tui.core.forms import fill
from client_tui.core.uploads import Uploader
from shared_models.base import Wire
from shared_models.listings import ListingCreate
from shared_models.media import Photo, Purpose
from shared_models.sync import Bootstrap
from shared_models.trades import ReviewCreate, Trade
from tests.faults.waiting import came
from tests.journeys.devices import Device, device
from tests.journeys.people import draw_picture

AGAIN_S = 0.2
PRICE = 45_000
SCORE = re.compile(r'"manner_score":[^,}]+')
HEARD_WITHIN_S = 60
"""A process that hears nothing on the bus begins within 20 s to look for what it has missed."""

Result = TypeVar("Result")


async def insist(call: Callable[[], Awaitable[Result]]) -> Result:
    """Call until it is answered: what the server could not do now is asked again, with its key."""
    never = asyncio.Event()
    while True:
        try:
            return await call()
        except (ServerUnreachable, UploadFailed):
            pass
        except Refused as refused:
            if not refused.retryable:
                raise
        await came(never, AGAIN_S)


class Trader:
    """A seller and a buyer who trade with each other, and look at it on a device each."""

    def __init__(self, seller: Device, buyer: Device, picture: Path) -> None:
        self.deals = 0
        """How many are done, reviews and all."""
        self.steps = 0
        self.devices = (seller, buyer)
        self._seller = seller.api
        self._buyer = buyer.api
        self._picture = picture

    async def trade(self, over: asyncio.Event) -> None:
        """One deal after another until it is over; the last one is finished."""
        while not over.is_set():
            await self._deal()
            self.deals += 1

    async def _deal(self) -> None:
        listing_id = await self._put_up(await self._photo())
        room_id = (await self._step(lambda key: self._buyer.open_room(listing_id, key=key))).id
        offer = await self._step(lambda key: self._buyer.make_offer(room_id, PRICE, key=key))
        await self._step(lambda key: self._seller.accept_offer(offer.id, "meet", key=key))
        opened = (await insist(lambda: self._buyer.room(room_id))).trade
        assert opened is not None, "an accepted offer has made no trade"
        for api in (self._seller, self._buyer):
            await self._confirm(api, opened.id)
        review = fill(ReviewCreate, rating=5, tags=["on_time"], comment="Thank you.")
        for api in (self._seller, self._buyer):
            await self._step(lambda key, api=api: api.review(opened.id, review, key=key))  # type: ignore[misc]

    async def _photo(self) -> Photo:
        uploader = Uploader(self._seller)
        [photo] = await insist(lambda: uploader.photos(Purpose.LISTING, [self._picture]))
        self.steps += 1
        return photo

    async def _put_up(self, photo: Photo) -> UUID:
        form = fill(
            ListingCreate,
            title="Oak chair",
            description="A chair of solid oak.",
            category="furniture",
            condition="good",
            price=PRICE,
            photo_ids=[photo.id],
        )
        return (await self._step(lambda key: self._seller.create_listing(form, key=key))).id

    async def _confirm(self, api: Api, trade_id: UUID) -> Trade:
        seen = await insist(lambda: api.trade(trade_id))
        return await self._step(lambda key: api.confirm(trade_id, seen.version, key=key))

    async def _step(self, call: Callable[[UUID], Awaitable[Result]]) -> Result:
        key = uuid4()
        result = await insist(lambda: call(key))
        self.steps += 1
        return result


@asynccontextmanager
async def traders(url: str, folder: Path, count: int) -> AsyncIterator[list[Trader]]:
    """So many pairs of people, signed up and live."""
    async with AsyncExitStack() as stack:

        async def signed_up(handle: str) -> Device:
            made = await stack.enter_async_context(device(url, handle, folder / handle))
            await stack.enter_async_context(made.live())
            return made

        yield [
            Trader(
                await signed_up(f"dealer_{number}"),
                await signed_up(f"customer_{number}"),
                draw_picture(folder / f"chair-{number}.png", "teal", "box"),
            )
            for number in range(count)
        ]


async def told_otherwise(device: Device) -> list[str]:
    """What a device was told that is not what the server says, once it has heard everything."""
    name = f"the device of {(await insist(device.api.me)).handle}"
    server, copies = await _in_step(device)
    if copies is None:
        return [f"{name} has not heard everything: it is at {await device.cache.position()}"]
    here = {trade.id: trade for trade in copies.trades}
    there = {id_: await insist(partial(device.api.trade, id_)) for id_ in here}
    there |= {trade.id: trade for trade in server.trades}
    kept = {
        "rooms": (_said(copies.rooms), _said(server.chatrooms)),
        "trades": (_said(here.values()), _said(there.values())),
        "account": (copies.account, server.account),
        "notices": (copies.unread_notifications, server.unread_notifications),
    }
    wrong = [f"{name} has other {what}" for what, (mine, theirs) in kept.items() if mine != theirs]
    if device.bootstraps > 1:
        wrong.append(f"{name} has begun anew {device.bootstraps - 1} times")
    return wrong


def _said(models: Iterable[Wire]) -> list[str]:
    """All of it but the scores of people in it, which are those of when it was said."""
    return [SCORE.sub("", model.model_dump_json()) for model in models]


async def _in_step(device: Device) -> tuple[Bootstrap, Copies | None]:
    """The server's state and the device's at the same position; None for one that does not come."""
    device.session.retry_now()
    clock, never = asyncio.get_running_loop(), asyncio.Event()
    until = clock.time() + HEARD_WITHIN_S
    while True:
        server, copies = await insist(device.api.bootstrap), await device.cache.copies()
        if copies is not None and copies.position == Position(str(server.epoch), server.pos):
            return server, copies
        if clock.time() > until:
            return server, None
        await came(never, AGAIN_S)
