"""Listings over HTTP."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from server.listings import likes, lists, reading, sale_elsewhere, service
from server.listings.ports import ListingNeighbours
from server.platform.context import Actor, Context
from server.platform.http import (
    CursorText,
    IfMatch,
    Limit,
    Reading,
    Writer,
    Writing,
    context_of,
    model_response,
    reading_after,
)
from server.platform.rates import Rate
from server.platform.unit_of_work import UnitOfWork, reading_perhaps_behind
from shared_models.base import Page, Time
from shared_models.listings import (
    Listing,
    ListingCard,
    ListingCreate,
    ListingFilter,
    ListingPatch,
    ListingState,
    PastSearch,
    Sort,
)
from shared_models.market import Condition, Method
from shared_models.text import Place, SearchText

router = APIRouter(prefix="/v1", tags=["Listings"])

_EDITS = Rate("listings", burst=30, per_second=0.5)
_LIKES = Rate("likes", burst=60, per_second=1)
_SEARCHES = Rate("searches", burst=60, per_second=10)

ListingId = Annotated[UUID, Path(description="The listing.")]


async def settled(
    request: Request, listing_id: ListingId
) -> AbstractAsyncContextManager[UnitOfWork]:
    """A reading unit of work, to be opened, once the overdue trade on the listing is settled."""
    port = context_of(request).wiring.port(ListingNeighbours)
    return reading_after(request, lambda context, _: port.settle(context, listing_id))


async def settled_for_search(request: Request) -> AbstractAsyncContextManager[UnitOfWork]:
    """The same for a search, once what is overdue anywhere is settled.

    429 to who searches too fast, before anything is settled for them.
    """
    port = context_of(request).wiring.port(ListingNeighbours)

    async def settle(context: Context, actor: Actor) -> None:
        context.rates.take(_SEARCHES, str(actor.account_id))
        await port.settle_due(context)

    return reading_after(request, settle, reading_perhaps_behind)


async def reading_public(request: Request) -> AsyncIterator[UnitOfWork]:
    """A reading unit of work for a list of what everybody may see, once that is settled."""
    port = context_of(request).wiring.port(ListingNeighbours)
    async with reading_after(
        request, lambda context, _: port.settle_due(context), reading_perhaps_behind
    ) as work:
        yield work


async def reading_settled(request: Request) -> AsyncIterator[UnitOfWork]:
    """The same for a list of one's own."""
    port = context_of(request).wiring.port(ListingNeighbours)
    async with reading_after(request, lambda context, _: port.settle_due(context)) as work:
        yield work


async def settled_writer(listing_id: ListingId, write: Writing) -> Writer:
    """A writer, once the overdue trade on the listing in the path is settled."""
    port = write.context.wiring.port(ListingNeighbours)
    await port.settle(write.context, listing_id)
    return write


Settled = Annotated[AbstractAsyncContextManager[UnitOfWork], Depends(settled)]
SettledForSearch = Annotated[AbstractAsyncContextManager[UnitOfWork], Depends(settled_for_search)]
ReadingPublic = Annotated[UnitOfWork, Depends(reading_public, scope="function")]
ReadingSettled = Annotated[UnitOfWork, Depends(reading_settled, scope="function")]
SettledWriting = Annotated[Writer, Depends(settled_writer)]
PriceBound = Annotated[int | None, Query(ge=0, le=99_999_999)]
States = Annotated[
    Literal["draft", "selling", "reserved", "sold", "any"],
    Query(description="`draft` finds one's own drafts only; `any` finds all but drafts."),
]


def _state(state: str) -> ListingState | Literal["any"]:
    return "any" if state == "any" else ListingState(state)


async def listing_filter(
    q: Annotated[SearchText, Query(description="Words in title or text; `-word` excludes.")] = "",
    category: Annotated[str | None, Query(max_length=40)] = None,
    condition: Annotated[list[Condition], Query(description="Any of these.")] = [],  # noqa: B006
    min_price: PriceBound = None,
    max_price: PriceBound = None,
    state: States = "selling",
    method: Annotated[Method | None, Query(description="Listings for both match either.")] = None,
    negotiable: bool | None = None,
    giveaway: Annotated[bool | None, Query(description="Whether the price is 0.")] = None,
    place: Place | None = None,
    seller: UUID | None = None,
    since: Annotated[Time | None, Query(description="Listed or bumped at or after.")] = None,
    sort: Sort = Sort.NEWEST,
) -> ListingFilter:
    """The filter that the query asks for."""
    return ListingFilter(
        q=q or None,
        category=category,
        condition=tuple(sorted(set(condition))),
        min_price=min_price,
        max_price=max_price,
        state=_state(state),
        method=method,
        negotiable=negotiable,
        giveaway=giveaway,
        place=place,
        seller=seller,
        since=since,
        sort=sort,
    )


Wanted = Annotated[ListingFilter, Depends(listing_filter)]


@router.get("/listings", response_model=Page[ListingCard])
async def search_listings(
    wanted: Wanted, opened: SettledForSearch, limit: Limit = 20, cursor: CursorText = None
) -> Response:
    """What is for sale. A text search is noted in the account's history."""
    return model_response(await lists.search(opened, wanted, limit, cursor))


@router.post("/listings", status_code=201, response_model=Listing)
async def create_listing(body: ListingCreate, write: Writing) -> Response:
    """Offer something, or keep a draft of the offer."""
    write.limit(_EDITS)
    return await write(lambda work: service.create(work, body), status=201)


@router.get("/listings/{listing_id}", response_model=Listing)
async def read_listing(listing_id: ListingId, opened: Settled) -> Response:
    """A listing in full; it is then among those recently viewed."""
    return model_response(await reading.view(opened, listing_id))


@router.patch("/listings/{listing_id}", response_model=Listing)
async def change_listing(
    listing_id: ListingId, body: ListingPatch, version: IfMatch, write: SettledWriting
) -> Response:
    """Edit one's own listing, or publish a draft. What is left out stays."""
    write.limit(_EDITS)
    return await write(lambda work: service.change(work, listing_id, body, version))


@router.delete("/listings/{listing_id}", status_code=204)
async def delete_listing(listing_id: ListingId, write: SettledWriting) -> Response:
    """Delete one's own listing; 409 `trade_in_progress` while it is reserved."""
    return await write(lambda work: service.delete(work, listing_id))


@router.post("/listings/{listing_id}/sold-elsewhere", response_model=Listing)
async def sold_elsewhere(listing_id: ListingId, write: SettledWriting) -> Response:
    """Close a listing that was sold outside the market; it can be undone for 24 h."""
    write.limit(_EDITS)
    return await write(lambda work: sale_elsewhere.sold_elsewhere(work, listing_id))


@router.post("/listings/{listing_id}/undo-sold-elsewhere", response_model=Listing)
async def undo_sold_elsewhere(listing_id: ListingId, write: Writing) -> Response:
    """Put it on sale again; 409 `too_late` after 24 h."""
    write.limit(_EDITS)
    return await write(lambda work: sale_elsewhere.undo_sold_elsewhere(work, listing_id))


@router.put("/listings/{listing_id}/like", status_code=204)
async def like(listing_id: ListingId, write: Writing) -> Response:
    """Like a listing; 403 `own_listing` and `blocked`, 409 `not_public` once it is not shown."""
    write.limit(_LIKES)
    return await write(lambda work: likes.like(work, listing_id))


@router.delete("/listings/{listing_id}/like", status_code=204)
async def unlike(listing_id: ListingId, write: Writing) -> Response:
    """No longer like a listing."""
    write.limit(_LIKES)
    return await write(lambda work: likes.unlike(work, listing_id))


@router.get("/accounts/{account_id}/listings", response_model=Page[ListingCard])
async def account_listings(
    account_id: UUID,
    work: ReadingPublic,
    state: States = "any",
    limit: Limit = 20,
    cursor: CursorText = None,
) -> Response:
    """What an account offers and has sold, newest first; one's own also while hidden."""
    wanted = ListingFilter(seller=account_id, state=_state(state))
    return model_response(await lists.page_of_account(work, wanted, limit, cursor))


@router.get("/me/likes", response_model=Page[ListingCard])
async def my_likes(work: ReadingSettled, limit: Limit = 20, cursor: CursorText = None) -> Response:
    """What one likes, last liked first."""
    return model_response(await lists.likes_page(work, limit, cursor))


@router.get("/me/recently-viewed", response_model=Page[ListingCard])
async def recently_viewed(
    work: ReadingSettled, limit: Limit = 20, cursor: CursorText = None
) -> Response:
    """What one has read, last read first."""
    return model_response(await lists.viewed_page(work, limit, cursor))


@router.get("/me/searches", response_model=Page[PastSearch])
async def past_searches(work: Reading, limit: Limit = 20, cursor: CursorText = None) -> Response:
    """What one has searched for, last first."""
    return model_response(await lists.searches_page(work, limit, cursor))


@router.delete("/me/searches", status_code=204)
async def forget_searches(write: Writing) -> Response:
    """Empty the history of searches."""
    return await write(lists.forget_searches)


@router.delete("/me/searches/{search_id}", status_code=204)
async def forget_search(search_id: UUID, write: Writing) -> Response:
    """Take one search out of the history."""
    return await write(lambda work: lists.forget_search(work, search_id))
