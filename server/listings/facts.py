"""What other rooms ask about listings."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from server.listings import repository
from server.listings.ports import ListingNeighbours
from server.listings.views import card, lost_card
from server.platform.unit_of_work import UnitOfWork
from shared_models.listings import ListingCard


@dataclass(frozen=True, slots=True)
class ListingFacts:
    """A listing as the rules of other rooms see it; ``photos`` is wire JSON, cover first."""

    id: UUID
    seller_id: UUID
    version: int
    state: str
    title: str
    description: str
    condition: str | None
    method: str
    price: int | None
    negotiable: bool
    photos: list[dict[str, Any]]
    hidden: bool
    removed: bool
    deleted: bool

    @property
    def open_for_chat(self) -> bool:
        """Whether a buyer may open a chatroom now (T1)."""
        return self.state == "selling" and self.public

    @property
    def public(self) -> bool:
        """Whether everybody may see it (rule 3)."""
        return self.state != "draft" and not (self.hidden or self.removed or self.deleted)


async def facts(work: UnitOfWork, listing_id: UUID) -> ListingFacts | None:
    """The facts of a listing, whatever its state; None when there never was one."""
    row = await repository.find(work, listing_id)
    return None if row is None else facts_of(row)


async def facts_by_id(work: UnitOfWork, ids: Collection[UUID]) -> dict[UUID, ListingFacts]:
    """The same for many listings, in one query."""
    rows = await repository.find_all(work, ids) if ids else []
    return {row.id: facts_of(row) for row in rows}


def facts_of(row: Any) -> ListingFacts:
    """The facts in a row of :func:`repository.find`."""
    return ListingFacts(
        id=row.id,
        seller_id=row.seller_id,
        version=row.version,
        state=row.state,
        title=row.title,
        description=row.description,
        condition=row.condition,
        method=row.method,
        price=row.price,
        negotiable=row.negotiable,
        photos=row.photos,
        hidden=row.hidden_at is not None,
        removed=row.removed_at is not None,
        deleted=row.deleted_at is not None,
    )


async def cards(work: UnitOfWork, ids: Iterable[UUID], viewer_id: UUID) -> dict[UUID, ListingCard]:
    """A card for each id, in one query; gone ones are marked ``deleted`` and have no cover."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = await repository.cards(work, wanted, viewer_id)
    found = {row.id: card(row, viewer_id) for row in rows}
    return {id_: found.get(id_) or lost_card(id_) for id_ in wanted}


@dataclass(frozen=True, slots=True)
class SeenCard:
    """A listing's card, and those who see it so: its seller, who likes it, or who does not."""

    card: ListingCard
    viewer_ids: tuple[UUID, ...]


async def cards_seen(work: UnitOfWork, viewers: Mapping[UUID, Collection[UUID]]) -> list[SeenCard]:
    """Each view that the viewers of these listings, by its id, have of their cards; one query."""
    if not viewers:
        return []
    everybody = {viewer_id for of_one in viewers.values() for viewer_id in of_one}
    found: dict[UUID, Any] = {}
    likers: dict[UUID, set[UUID]] = {}
    for row in await repository.cards_and_likers(work, viewers, everybody):
        found[row.id] = row
        likers.setdefault(row.id, set()).add(row.liker_id)
    return [seen for id_, row in found.items() for seen in _views(row, viewers[id_], likers[id_])]


def _views(row: Any, viewers: Collection[UUID], likers: Collection[UUID]) -> list[SeenCard]:
    groups: dict[tuple[bool, bool], list[UUID]] = {}
    for viewer_id in viewers:
        groups.setdefault((viewer_id == row.seller_id, viewer_id in likers), []).append(viewer_id)
    return [
        SeenCard(card(row, group[0]).model_copy(update={"liked": liked}), tuple(group))
        for (_, liked), group in groups.items()
    ]


async def liker_ids(work: UnitOfWork, listing_id: UUID) -> list[UUID]:
    """Who likes the listing; for notices only, the seller sees just a count (rule 9)."""
    return await repository.liker_ids(work, listing_id)


async def may_see(work: UnitOfWork, listing_id: UUID) -> bool:
    """Whether the actor may see the listing (rule 3): it is public, theirs, or part of a trade."""
    found = await facts(work, listing_id)
    if found is None:
        return False
    return await may_see_facts(work, found)


async def may_see_facts(work: UnitOfWork, found: ListingFacts) -> bool:
    """:func:`may_see` for a listing that was read already."""
    viewer_id = work.actor.account_id
    if found.public or found.seller_id == viewer_id:
        return True
    if found.state == "draft":
        return False
    neighbours = work.context.wiring.port(ListingNeighbours)
    return await neighbours.is_trade_party(work, found.id, viewer_id)
