"""The rules of one's own listings: create, publish, edit, delete (rules 3, 4, 9 and 19)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from server.accounts import api as accounts
from server.listings import repository
from server.listings.events import (
    ListingChanged,
    ListingDeleted,
    ListingPriceChanged,
    ListingPriceDropped,
    ListingPublished,
)
from server.listings.facts import facts_of
from server.listings.reading import hold_own, read
from server.listings.rules import check_category, check_publishable
from server.media import api as media
from server.platform.errors import Conflict, Forbidden, PreconditionFailed
from server.platform.rates import refuse_beyond
from server.platform.unit_of_work import UnitOfWork
from shared_models.listings import Listing, ListingCreate, ListingPatch
from shared_models.media import Purpose

_DAY = timedelta(days=1)
_VIEWS_KEPT = timedelta(days=90)
_BATCH = 100
_ANNOUNCED_CUT_PERCENT = 10
"""Likers hear of a price that is this much below the lowest one they know (rule 9)."""

_CLEARABLE = ("category", "condition", "price", "place")
_PLAIN = ("title", "description", *_CLEARABLE, "negotiable", "method")
_SEARCHED = ("title", "description")


async def create(work: UnitOfWork, body: ListingCreate) -> Listing:
    """A new draft, or a listing that is on sale at once (rule 4)."""
    check_category(body.category)
    me = work.actor.account_id
    standing = await accounts.hold(work, me)
    _check_not_suspended(standing)
    listing_id = work.new_id()
    photos = await media.attach(
        work, me, body.photo_ids, kind=Purpose.LISTING, object_id=listing_id
    )
    values = {name: getattr(body, name) for name in _PLAIN}
    values |= {"id": listing_id, "seller_id": me, "photos": photos}
    if body.state == "draft":
        await _check_room_for_draft(work)
        values |= {"state": "draft", "bumped_at": work.now}
    else:
        check_publishable(values, work.limits)
        values |= await _publishing(work, standing, values)
        work.announce(ListingPublished(listing_id, me))
    await repository.insert_listing(work, values)
    return await read(work, listing_id)


async def change(
    work: UnitOfWork, listing_id: UUID, body: ListingPatch, expected_version: int
) -> Listing:
    """Edit one's own listing; 412 when ``expected_version`` is stale.

    A reserved or sold one is locked: 409 ``listing_reserved``, ``listing_sold`` (H6, H7).
    """
    check_category(body.category)
    before = await hold_own(work, listing_id)
    if before.version != expected_version:
        raise PreconditionFailed(
            "stale",
            "The listing has changed since you read it.",
            current=await read(work, listing_id),
        )
    await _check_editable(work, before)
    changes = await _changes(work, before, body)
    after = {name: getattr(before, name) for name in (*_PLAIN, "photos")} | changes
    publishes = before.state == "draft" and body.state == "selling"
    if publishes or before.state == "selling":
        check_publishable(after, work.limits)
    if publishes:
        standing = await accounts.hold(work, before.seller_id)
        _check_not_suspended(standing)
        changes |= await _publishing(work, standing, after)
    elif "price" in changes and facts_of(before).open_for_chat:
        changes |= _price_facts(work, before, after["price"])
    if changes:
        await repository.change(work, listing_id, before.version, changes)
        await _tell_change(work, before, after | changes, publishes=publishes)
    return await read(work, listing_id)


async def delete(work: UnitOfWork, listing_id: UUID) -> None:
    """Delete one's own listing (rule 3): 409 ``trade_in_progress`` while it is reserved (H8)."""
    before = await hold_own(work, listing_id)
    if before.deleted_at is not None:
        return
    if before.state == "reserved":
        raise Conflict(
            "trade_in_progress",
            "Finish or cancel the trade first.",
            current=await read(work, listing_id),
        )
    await remove(work, before)


async def remove(work: UnitOfWork, row: Any) -> None:
    """Soft-delete a listing whose row is held; a draft takes its photos with it.

    Nothing happens to one that has changed since the row was read.
    """
    gone = {"deleted_at": work.now, "search_id": None}
    if not await repository.change(work, row.id, row.version, gone):
        return
    if row.search_id is not None:
        await repository.drop_document(work, row.search_id)
    if row.state == "draft":
        await media.release(work, kind=Purpose.LISTING, object_id=row.id)
        return
    work.announce(ListingChanged(row.id))
    work.announce(ListingDeleted(row.id))


async def delete_all_of(work: UnitOfWork, seller_id: UUID) -> None:
    """Soft-delete everything an account offers, because the account is gone."""
    for listing_id in await repository.ids_of_seller(work, seller_id):
        await repository.lock(work, listing_id)
        row = await repository.find(work, listing_id)
        if row is not None and row.deleted_at is None:
            await remove(work, row)


async def delete_idle_drafts(work: UnitOfWork) -> int:
    """Delete drafts that were not touched for 90 days (rule 4), a batch at a time; how many.

    Each is held and read again: somebody may be editing or publishing it at this moment.
    """
    before = work.now - timedelta(days=work.limits.draft_idle_days)
    found = await repository.idle_drafts(work, before, _BATCH)
    for listing_id in found:
        await repository.lock(work, listing_id)
        row = await repository.find(work, listing_id)
        if row is not None and _is_idle_draft(row, before):
            await remove(work, row)
    return len(found)


def _is_idle_draft(row: Any, before: datetime) -> bool:
    return row.state == "draft" and row.deleted_at is None and row.updated_at < before


async def forget_old_views(work: UnitOfWork) -> int:
    """Forget what was read long ago; how many listings."""
    return await repository.drop_old_views(work, work.now - _VIEWS_KEPT)


async def _check_editable(work: UnitOfWork, row: Any) -> None:
    locked = None
    if row.removed_at is not None:
        locked = "listing_removed", "A moderator has removed this listing."
    elif row.deleted_at is not None:
        locked = "listing_deleted", "This listing is deleted."
    elif row.state in ("reserved", "sold"):
        locked = f"listing_{row.state}", f"A {row.state} listing cannot be edited."
    if locked is not None:
        raise Conflict(*locked, current=await read(work, row.id))


def _check_not_suspended(standing: accounts.Standing) -> None:
    if standing.suspended:
        raise Forbidden("suspended", "Your account is suspended. You cannot list for now.")


async def _check_room_for_draft(work: UnitOfWork) -> None:
    most = work.limits.drafts_max
    if await repository.drafts_count(work, work.actor.account_id) >= most:
        raise Conflict("drafts_full", f"You have {most} drafts. Publish or delete one first.")


async def _check_room_to_sell(work: UnitOfWork, standing: accounts.Standing) -> None:
    """Rule 19: so many listings a day, fewer while an account is new; so many at once."""
    limits, me = work.limits, work.actor.account_id
    if await repository.live_count(work, me) >= limits.live_listings_max:
        most = limits.live_listings_max
        raise Conflict("listings_full", f"You have {most} listings on sale; that is the most.")
    if not work.context.rates.enabled:
        return
    young = work.now - standing.created_at < timedelta(days=limits.new_account_days)
    is_new = young or standing.sales + standing.purchases == 0
    most = limits.listings_per_day_new if is_new else limits.listings_per_day
    times = await repository.publish_times(work, me, work.now - _DAY, most)
    detail = f"You may list {most} things a day. Save a draft and publish it later."
    refuse_beyond(times, most, _DAY, work.now, detail, code="daily_limit")


async def _publishing(
    work: UnitOfWork, standing: accounts.Standing, listing: Mapping[str, Any]
) -> dict[str, Any]:
    await _check_room_to_sell(work, standing)
    return {
        "state": "selling",
        "published_at": work.now,
        "bumped_at": work.now,
        "lowest_announced_price": listing["price"],
        "search_id": await repository.add_document(work, listing["title"], listing["description"]),
    }


async def _changes(work: UnitOfWork, before: Any, body: ListingPatch) -> dict[str, Any]:
    sent: dict[str, Any] = {
        name: getattr(body, name)
        for name in _PLAIN
        if name in body.model_fields_set and (getattr(body, name) is not None or name in _CLEARABLE)
    }
    if body.photo_ids is not None:
        sent["photos"] = await media.replace(
            work, before.seller_id, body.photo_ids, kind=Purpose.LISTING, object_id=before.id
        )
    return {name: value for name, value in sent.items() if value != getattr(before, name)}


def _price_facts(work: UnitOfWork, before: Any, price: int) -> dict[str, Any]:
    """Rule 9: a cut is announced from 10 % below the lowest price known, once in 24 h.

    Only of what everybody may see: a price that nobody was told of is not the lowest one known.
    """
    known = before.lowest_announced_price
    last = before.price_announced_at
    if known is None:
        known = before.price
    if price >= known or price * 100 > known * (100 - _ANNOUNCED_CUT_PERCENT):
        return {}
    if last is not None and work.now - last < _DAY:
        return {}
    return {"lowest_announced_price": price, "price_announced_at": work.now}


async def _tell_change(
    work: UnitOfWork, before: Any, after: Mapping[str, Any], *, publishes: bool
) -> None:
    if publishes:
        work.announce(ListingPublished(before.id, before.seller_id))
        return
    if before.state == "draft":
        return
    if any(after[name] != getattr(before, name) for name in _SEARCHED):
        await repository.change_document(
            work, before.search_id, after["title"], after["description"]
        )
    work.announce(ListingChanged(before.id))
    if after["price"] != before.price:
        work.announce(ListingPriceChanged(before.id, before.price, after["price"]))
    if after.get("price_announced_at"):
        work.announce(ListingPriceDropped(before.id, before.price, after["price"]))
