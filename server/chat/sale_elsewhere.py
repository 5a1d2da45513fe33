"""What the rooms on a listing hear of a sale outside the market, and of its undoing (T15)."""

from server.chat.rooms import close_rooms, reopen_rooms
from server.chat.service import post_elsewhere
from server.listings.events import ListingOnSaleAgain, ListingSoldElsewhere
from server.platform.unit_of_work import UnitOfWork


async def on_sold_elsewhere(work: UnitOfWork, event: ListingSoldElsewhere) -> None:
    """A line in every open room, which then turns read-only."""
    await _post(work, event, "listing_sold", "This has been sold.")
    await close_rooms(work, event.listing_id)


async def on_sale_again(work: UnitOfWork, event: ListingOnSaleAgain) -> None:
    """The rooms open again, with a line that says why."""
    await reopen_rooms(work, event.listing_id)
    await _post(work, event, "listing_on_sale", "This is on sale again.")


async def _post(
    work: UnitOfWork, event: ListingSoldElsewhere | ListingOnSaleAgain, name: str, text: str
) -> None:
    data = {"listing_id": str(event.listing_id)}
    await post_elsewhere(
        work, event.listing_id, event=name, actor_id=event.seller_id, text=text, data=data
    )
