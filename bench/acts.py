"""What people do beside writing to each other: looking, liking, selling, uploading, agreeing."""

import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import httpx
from PIL import Image

from bench.figures import Figures, measured, timed
from bench.market import PASSWORD, Market, Person, sell, sign_up
from client_tui.core.api import Api, Http
from client_tui.core.forms import fill
from client_tui.core.uploads import Uploader
from shared_models.accounts import SignIn
from shared_models.chat import SendMessage
from shared_models.media import Purpose
from shared_models.trades import TradeCreate

Act = Callable[[int], Awaitable[object]]
_PHOTO = (3000, 2000)
"""Pixels, as a telephone of some years ago makes them."""


async def measure_acts(market: Market, *, count: int) -> list[Figures]:
    """Each of them so many times, one after the other."""
    seller, buyer = await sign_up(market, "acts_seller"), await sign_up(market, "acts_buyer")
    ids: list[UUID] = []

    async def put_on_sale(number: int) -> None:
        ids.append((await sell(market, seller, f"A chair, number {number}")).id)

    picture = _picture(market.scratch / "large.jpg")
    found = [
        await _each(market, "a new listing with a small photo", count, put_on_sale),
        await _each(market, "a look at a listing", count, lambda n: buyer.api.listing(ids[n])),
        await _each(market, "a like", count, lambda n: buyer.api.like(ids[n])),
        await _each(market, "a new room", count, lambda n: buyer.api.open_room(ids[n])),
        await _each(market, "a trade, to its end", count, partial(_trade, seller, buyer, ids)),
        await _each(market, "a photo of 6 megapixels", count, partial(_upload, buyer, picture)),
        await _each(market, "the list of 20 rooms", count, lambda _: buyer.api.rooms(limit=20)),
        await _each(market, "a bootstrap", count, lambda _: buyer.api.bootstrap()),
        await _each(market, "a sign-in", count, partial(_sign_in, market)),
        await _sizes(market, buyer, ids[0]),
    ]
    for person in seller, buyer:
        await person.api.aclose()
    return found


async def _each(market: Market, name: str, count: int, act: Act) -> Figures:
    with measured(name, market.watched) as figures:
        for number in range(count):
            with timed(figures):
                await act(number)
    return figures


async def _trade(seller: Person, buyer: Person, listing_ids: list[UUID], number: int) -> None:
    """Reserved, handed over and received."""
    room = await buyer.api.open_room(listing_ids[number])
    form = fill(TradeCreate, chatroom_id=room.id, expected_price=45_000)
    trade = await seller.api.reserve(form)
    trade = await seller.api.confirm(trade.id, trade.version)
    await buyer.api.confirm(trade.id, trade.version)


async def _upload(person: Person, picture: Path, _number: int) -> None:
    await Uploader(person.api).photos(Purpose.MESSAGE, [picture])


def _picture(path: Path) -> Path:
    """Noise, which no format makes small."""
    noise = Image.frombytes("RGB", (300, 200), os.urandom(300 * 200 * 3))
    noise.resize(_PHOTO).save(path, quality=80)
    return path


async def _sign_in(market: Market, _number: int) -> None:
    async with Api(Http(market.server.url)) as visitor:
        await visitor.sign_in(fill(SignIn, handle="acts_buyer", password=PASSWORD))


async def _sizes(market: Market, person: Person, listing_id: UUID) -> Figures:
    """How much goes over the line with each answer, its headers not counted."""
    room = await person.api.open_room(listing_id)
    for number in range(20):
        body = SendMessage(cid=uuid4(), text=f"Is it still there? I ask for the {number}. time.")
        await person.api.send_message(room.id, body)
    paths = {
        "a page of history": f"/v1/chatrooms/{room.id}/messages?limit=20",
        "the room list": "/v1/chatrooms?limit=20",
        "a listing page": "/v1/listings?limit=20&state=sold",
        "a listing": f"/v1/listings/{listing_id}",
        "a bootstrap": "/v1/sync/bootstrap",
    }
    headers = {"Authorization": f"Bearer {person.token}"}
    async with httpx.AsyncClient(base_url=market.server.url, headers=headers) as client:
        sizes = {name: len((await client.get(path)).content) for name, path in paths.items()}
    told = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
    return Figures("bytes of an answer", note=told)
