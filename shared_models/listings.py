"""Listings: what is for sale."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared_models import bounds
from shared_models.accounts import ProfileCard
from shared_models.base import Body, Id, Money, Time, Wire
from shared_models.market import Condition, Method
from shared_models.media import Photo
from shared_models.text import Block, Line, Place


class ListingState(StrEnum):
    """The life cycle of a listing (rule 3)."""

    DRAFT = "draft"
    SELLING = "selling"
    RESERVED = "reserved"
    SOLD = "sold"


class Sort(StrEnum):
    """The orders of a listing page; each is stable by ``(key, id)``."""

    NEWEST = "newest"
    PRICE_ASC = "price_asc"
    PRICE_DESC = "price_desc"
    MOST_LIKED = "most_liked"
    RELEVANCE = "relevance"


Title = Annotated[str, Line(bounds.TITLE_MAX)]
Description = Annotated[str, Block(bounds.DESCRIPTION_MAX)]
Price = Annotated[int, Field(strict=True, ge=0, le=bounds.PRICE_MAX)]


class ListingCreate(Body):
    """``POST /v1/listings`` (rule 4). A draft may be incomplete; publishing needs the rest."""

    title: Title = ""
    description: Description = ""
    category: str | None = None
    condition: Condition | None = None
    price: Price | None = None
    negotiable: bool = False
    method: Method = Method.MEET
    place: Place | None = None
    photo_ids: Annotated[list[Id], Field(max_length=bounds.LISTING_PHOTOS_MAX)] = []
    state: Literal["draft", "selling"] = "selling"


class ListingPatch(Body):
    """``PATCH /v1/listings/{id}`` with ``If-Match``. What is left out stays.

    ``state: selling`` publishes a draft.
    """

    title: Title | None = None
    description: Description | None = None
    category: str | None = None
    condition: Condition | None = None
    price: Price | None = None
    negotiable: bool | None = None
    method: Method | None = None
    place: Place | None = None
    photo_ids: Annotated[list[Id], Field(max_length=bounds.LISTING_PHOTOS_MAX)] | None = None
    state: Literal["selling"] | None = None


class ListingCard(Wire):
    """A listing in a list. ``deleted`` cards appear only where history mentions them."""

    id: Id
    title: str
    price: Money | None
    state: ListingState
    place: str | None
    condition: Condition | None
    method: Method
    negotiable: bool
    cover: Photo | None
    like_count: int
    chat_count: int
    bumped_at: Time
    liked: bool = False
    deleted: bool = False


class Listing(Wire):
    """A listing in full, as its viewer may see it."""

    id: Id
    version: int
    seller: ProfileCard
    title: str
    description: str
    category: str | None
    condition: Condition | None
    price: Money | None
    negotiable: bool
    method: Method
    place: str | None
    photos: list[Photo]
    state: ListingState
    hidden: bool
    deleted: bool
    like_count: int
    chat_count: int
    liked: bool
    chatroom_id: Id | None
    created_at: Time
    updated_at: Time
    bumped_at: Time
    allowed_actions: list[str]


class PastSearch(Wire):
    """A text that the account has searched for."""

    id: Id
    q: str
    searched_at: Time


class ListingFilter(Wire):
    """What narrows a page of listings; a cursor is bound to it (rule 8)."""

    q: str | None = None
    category: str | None = None
    condition: tuple[Condition, ...] = ()
    min_price: int | None = None
    max_price: int | None = None
    state: ListingState | Literal["any"] = ListingState.SELLING
    method: Method | None = None
    negotiable: bool | None = None
    giveaway: bool | None = None
    place: str | None = None
    seller: Id | None = None
    since: Time | None = None
    sort: Sort = Sort.NEWEST
