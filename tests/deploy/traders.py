"""Who trades in a fleet: one deal after another, each from a photo to both reviews."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

from client_tui.core.api import Api, Http
from client_tui.core.errors import Refused, ServerUnreachable, UploadFailed
from client_tui.core.forms import fill
from client_tui.core.uploads import Uploader
from shared_models.accounts import SignUp
from shared_models.listings import ListingCreate
from shared_models.media import Photo, Purpose
from shared_models.trades import ReviewCreate, Trade
from tests.faults.waiting import came
from tests.journeys.people import PASSWORD, draw_picture

AGAIN_S = 0.2
PRICE = 45_000

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
    """A seller and a buyer who trade with each other."""

    def __init__(self, seller: Api, buyer: Api, picture: Path) -> None:
        self.deals = 0
        """How many are done, reviews and all."""
        self.steps = 0
        self._seller = seller
        self._buyer = buyer
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
    """So many pairs of people, signed up."""
    async with AsyncExitStack() as stack:

        async def signed_up(handle: str) -> Api:
            form = fill(SignUp, handle=handle, password=PASSWORD, display_name=handle)
            async with Api(Http(url)) as visitor:
                token = (await visitor.sign_up(form)).token
            return await stack.enter_async_context(Api(Http(url, token)))

        yield [
            Trader(
                await signed_up(f"dealer_{number}"),
                await signed_up(f"customer_{number}"),
                draw_picture(folder / f"chair-{number}.png", "teal", "box"),
            )
            for number in range(count)
        ]
