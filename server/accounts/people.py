"""What others see of an account, who blocks or follows whom, and the counters of a profile."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from server.accounts import repository
from server.accounts.events import AccountBlocked, AccountChanged, AccountUnblocked
from server.accounts.ports import Dealings, OpenTrades, ResponseFigures, Responsiveness
from server.platform.errors import Conflict, Forbidden, NotFound
from server.platform.failures import LostRace
from server.platform.pages import read_page
from server.platform.unit_of_work import UnitOfWork
from shared_models.accounts import Profile, ProfileCard
from shared_models.base import Page
from shared_models.notifications import NotificationKind
from shared_models.trades import OPEN_TRADE_STATES, Trade, TradeState

START_SCORE = 36.5
"""Everybody's first manner score (rule 14)."""

GONE = "Deleted account"
"""The neutral name of an account that is no more."""

_BLOCKS_SCOPE = "blocks"


@dataclass(frozen=True, slots=True)
class Standing:
    """What rules ask about an account; a sign of a person's age on the market."""

    created_at: datetime
    sales: int
    purchases: int
    suspended: bool
    deleted: bool


async def cards(work: UnitOfWork, ids: Iterable[UUID]) -> dict[UUID, ProfileCard]:
    """A card for each id, in one query; unknown and deleted accounts get a neutral one."""
    wanted = set(ids)
    if not wanted:
        return {}
    return _all_cards(await repository.cards(work, wanted), wanted)


def cards_in(text: str | None, ids: Iterable[UUID]) -> dict[UUID, ProfileCard]:
    """The same, of what a statement with a :func:`~server.accounts.api.cards_subquery` has read."""
    return _all_cards(repository.cards_in(text), ids)


async def profile(work: UnitOfWork, account_id: UUID) -> Profile:
    """The public profile as the actor sees it (rule 20); a deleted one is neutral."""
    row = await repository.profile(work, account_id, work.actor.account_id)
    if row is None:
        raise NotFound("account")
    if row.deleted_at is not None:
        return _profile(row, _neutral_card(account_id), ResponseFigures())
    figures = await work.context.wiring.port(Responsiveness).of(work, account_id)
    return _profile(row, _card(row), figures)


async def standing(work: UnitOfWork, account_id: UUID) -> Standing:
    """What rules ask about an account; :class:`NotFound` when there never was one."""
    row = await repository.standing(work, account_id)
    if row is None:
        raise NotFound("account")
    until = row.suspended_until
    return Standing(
        created_at=row.created_at,
        sales=row.sales,
        purchases=row.purchases,
        suspended=until is not None and until > work.now,
        deleted=row.deleted_at is not None,
    )


async def shows_avatar(work: UnitOfWork, account_id: UUID) -> bool:
    """Whether the account's avatar is still seen: by everybody signed in, until it is deleted."""
    row = await repository.standing(work, account_id)
    return row is not None and row.deleted_at is None


async def hold(work: UnitOfWork, account_id: UUID) -> Standing:
    """The standing of an account that nobody else changes, or counts for, until the commit."""
    await repository.lock_account(work, account_id)
    return await standing(work, account_id)


async def block(work: UnitOfWork, account_id: UUID, *, cancel_trade: bool) -> None:
    """Block an account (rule 15); idempotent, and never announced to the blocked one.

    409 ``open_trade`` while a trade of the two is reserved, unless ``cancel_trade`` says so.
    """
    me = work.actor.account_id
    await _check_other(work, account_id)
    await _hold_dealings(work, me, account_id)
    open_between = await work.context.wiring.port(OpenTrades).between(work, me, account_id)
    if open_between and not cancel_trade:
        raise Conflict(
            "open_trade",
            "You have a reserved trade with this account. Blocking would cancel it.",
            current=await open_trade(work, with_id=account_id),
        )
    if await repository.set_block(work, me, account_id, on=True):
        await repository.set_follow(work, me, account_id, on=False)
        await repository.set_follow(work, account_id, me, on=False)
        work.announce(AccountBlocked(me, account_id))


async def _hold_dealings(work: UnitOfWork, one: UUID, other: UUID) -> None:
    """Let nothing begin or move between the two until the commit: no trade, offer or room.

    Listings come before accounts, as they do wherever a trade moves (H15).
    """
    hold = work.context.wiring.port(Dealings).hold
    held = await hold(work, one, other)
    for account_id in sorted((one, other)):
        await repository.lock_account(work, account_id)
    if await hold(work, one, other) != held:
        raise LostRace(f"{one} and {other} have opened a room")


async def unblock(work: UnitOfWork, account_id: UUID) -> None:
    """Take a block back; idempotent."""
    me = work.actor.account_id
    await _check_other(work, account_id, or_gone=True)
    await _hold_dealings(work, me, account_id)
    if await repository.set_block(work, me, account_id, on=False):
        work.announce(AccountUnblocked(me, account_id))


async def blocked_page(work: UnitOfWork, limit: int, cursor: str | None) -> Page[ProfileCard]:
    """Whom the actor blocks, newest block first; never who blocks the actor."""
    rows, next_cursor = await read_page(
        partial(repository.blocked_page, work, work.actor.account_id),
        limit,
        cursor,
        secret=work.context.secret,
        scope=_BLOCKS_SCOPE,
        key=lambda row: (row.since, row.blocked_id),
    )
    shown = await cards(work, [row.blocked_id for row in rows])
    return Page[ProfileCard](items=[shown[row.blocked_id] for row in rows], next_cursor=next_cursor)


async def follow(work: UnitOfWork, account_id: UUID) -> None:
    """Follow an account (rule 20); idempotent. 409 at the limit or when one blocks it."""
    me = work.actor.account_id
    await _check_other(work, account_id)
    await repository.lock_account(work, me)  # it may be following others at this moment
    if await repository.blocks(work, me, account_id):
        raise Conflict(
            "blocked",
            "You have blocked this account. Unblock it first.",
            current=await profile(work, account_id),
        )
    if not await repository.set_follow(work, me, account_id, on=True):
        return
    if await repository.follows_count(work, me) > work.limits.follows_max:
        raise Conflict(
            "follows_full", f"You follow {work.limits.follows_max} accounts; that is the most."
        )


async def unfollow(work: UnitOfWork, account_id: UUID) -> None:
    """No longer follow; idempotent."""
    await _check_other(work, account_id, or_gone=True)
    await repository.set_follow(work, work.actor.account_id, account_id, on=False)


async def blocked_with(work: UnitOfWork, account_id: UUID) -> frozenset[UUID]:
    """Everybody the account blocks or is blocked by: a block works both ways (rule 15)."""
    return await repository.blocked_with(work, account_id)


async def is_blocked(work: UnitOfWork, one: UUID, other: UUID) -> bool:
    """Whether either of the two blocks the other."""
    return await repository.is_blocked(work, one, other)


async def count_trade(work: UnitOfWork, *, seller_id: UUID, buyer_id: UUID) -> None:
    """One more completed sale and purchase (T8). Accounts are locked in the order of their ids."""
    counters = sorted([(seller_id, "sales"), (buyer_id, "purchases")])
    for account_id, counter in counters:
        await _count(work, account_id, counter)


async def count_no_show(work: UnitOfWork, account_id: UUID) -> None:
    """One more no-show that nobody contested (rule 20)."""
    await _count(work, account_id, "no_shows")


async def set_manner(work: UnitOfWork, account_id: UUID, score: float, review_count: int) -> None:
    """The newly computed manner score and the number of reviews behind it (rule 14).

    Nothing is announced when both are what they were.
    """
    if await repository.set_manner(work, account_id, score, review_count):
        work.announce(AccountChanged(account_id))


async def notification_switches(
    work: UnitOfWork, ids: Iterable[UUID]
) -> dict[UUID, dict[str, bool]]:
    """Which kinds of notices each account wants, in one query; all are on until switched off
    (rule 16).
    """
    wanted = set(ids)
    chosen = await repository.notification_switches(work, wanted) if wanted else {}
    return {id_: all_switches(chosen.get(id_, {})) for id_ in wanted}


def all_switches(chosen: dict[str, bool]) -> dict[str, bool]:
    """Every kind of notice with its switch."""
    return {kind.value: chosen.get(kind.value, True) for kind in NotificationKind}


async def _count(work: UnitOfWork, account_id: UUID, counter: str) -> None:
    await repository.add_to_counter(work, account_id, counter)
    work.announce(AccountChanged(account_id))


async def open_trade(work: UnitOfWork, *, with_id: UUID | None = None) -> Trade | None:
    """An open trade of the actor as it sees it; ``with_id``: the reserved one with that account."""
    me = work.actor.account_id
    for trade in await work.context.wiring.port(OpenTrades).shown(work, me):
        parties = trade.seller.id, trade.buyer.id
        if with_id is None and trade.state in OPEN_TRADE_STATES:
            return trade
        if with_id in parties and trade.state is TradeState.RESERVED:
            return trade
    return None


async def _check_other(work: UnitOfWork, account_id: UUID, *, or_gone: bool = False) -> None:
    if account_id == work.actor.account_id:
        raise Forbidden("own_account", "That is your own account.")
    if (await standing(work, account_id)).deleted and not or_gone:
        raise NotFound("account")


def _card(row: Any) -> ProfileCard:
    return ProfileCard(
        id=row.id,
        handle=row.handle,
        display_name=row.display_name,
        avatar=row.avatar,
        manner_score=row.manner_score,
    )


def _all_cards(rows: Iterable[Any], ids: Iterable[UUID]) -> dict[UUID, ProfileCard]:
    found = {row.id: _card(row) for row in rows}
    return {id_: found.get(id_) or _neutral_card(id_) for id_ in ids}


def _neutral_card(account_id: UUID) -> ProfileCard:
    return ProfileCard(
        id=account_id,
        handle=None,
        display_name=GONE,
        avatar=None,
        manner_score=START_SCORE,
        deleted=True,
    )


def _profile(row: Any, card: ProfileCard, figures: ResponseFigures) -> Profile:
    return Profile(
        id=card.id,
        handle=card.handle,
        display_name=card.display_name,
        avatar=card.avatar,
        joined_at=row.created_at,
        place=None if card.deleted else row.place,
        manner_score=row.manner_score,
        review_count=row.review_count,
        sales=row.sales,
        purchases=row.purchases,
        no_shows=row.no_shows,
        response_rate=figures.rate,
        response_minutes=figures.minutes,
        blocked=row.blocked,
        following=row.following,
        deleted=card.deleted,
    )
