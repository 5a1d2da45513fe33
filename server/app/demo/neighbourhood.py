"""What happens without a chat: things go on sale, people look, like and follow."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta

from server.app.demo.content import Thing
from server.app.demo.scene import Scene
from server.app.demo.stage import Offered, Plot, Stage
from server.app.demo.visitor import Visitor

LOWEST = 1_000
"""The least that is asked for anything that is not given away."""

_SEEN_BEFORE = timedelta(hours=36)


async def shop_window(
    stage: Stage, offered: Offered, likers: Iterable[tuple[datetime, Visitor]]
) -> Plot:
    """A thing goes on sale and is liked at certain moments."""
    listing = await offered.seller.post("/listings", **_body(offered.thing, offered.photo_ids))
    offered.listing_id = listing["id"]
    offered.last_at = stage.now()
    for moment, liker in likers:
        yield moment
        await liker.put(f"/listings/{offered.listing_id}/like")


async def once(errand: Callable[[], Awaitable[None]]) -> Plot:
    """A plot of one moment."""
    await errand()
    further_moments: tuple[datetime, ...] = ()
    for moment in further_moments:
        yield moment


async def draft(thing: Thing, seller: Visitor) -> None:
    """Somebody began to write a listing."""
    body = _body(thing, []) | {"description": "", "state": "draft"}
    await seller.post("/listings", **body)


async def price_cut(offered: Offered) -> None:
    """The seller of a thing above the lowest price asks for 15 % less; who likes it is told
    (rule 9).
    """
    listing = await offered.seller.get(f"/listings/{offered.listing_id}")
    price = max(LOWEST, int(listing["price"] * 0.85) // 1_000 * 1_000)
    await offered.seller.patch(
        f"/listings/{offered.listing_id}", version=listing["version"], price=price
    )


async def sold_elsewhere(offered: Offered) -> None:
    """The seller closes a listing that was sold outside the market (T15)."""
    await offered.seller.post(f"/listings/{offered.listing_id}/sold-elsewhere")


async def window_shopping(visitor: Visitor, shelf: Sequence[Offered]) -> None:
    """Somebody looks at some things and likes every other one."""
    for index, offered in enumerate(shelf):
        await visitor.get(f"/listings/{offered.listing_id}")
        if index % 2:
            await visitor.put(f"/listings/{offered.listing_id}/like")


async def following(follower: Visitor, others: Sequence[Visitor]) -> None:
    """Somebody follows others."""
    for other in others:
        await follower.put(f"/accounts/{other.id}/follow")


async def nudge(scene: Scene, visitor: Visitor) -> None:
    """The other side of a visitor's chat writes once more."""
    await scene.write(by_buyer=scene.buyer is not visitor)


async def catching_up(stage: Stage, visitor: Visitor, scenes: Sequence[Scene]) -> None:
    """Somebody has seen these chats, and every notice that is not from the last day and a half."""
    for scene in scenes:
        await scene.read(visitor)
    notices = (await visitor.get("/notifications?limit=100"))["items"]
    before = stage.now() - _SEEN_BEFORE
    seen = [one for one in notices if datetime.fromisoformat(one["created_at"]) < before]
    if seen:
        await visitor.put("/notifications/read", up_to_id=seen[0]["id"])


def _body(thing: Thing, photo_ids: list[str]) -> dict[str, object]:
    return {
        "title": thing.title,
        "description": thing.description,
        "category": thing.category,
        "condition": thing.condition,
        "price": thing.price,
        "negotiable": thing.negotiable,
        "method": thing.method,
        "place": thing.place,
        "photo_ids": photo_ids,
        "state": "selling",
    }
