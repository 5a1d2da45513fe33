"""``picky search``, ``show``, ``sell``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from client_tui.commands.output import (
    JsonOption,
    columns,
    label,
    now,
    price,
    put,
    put_json,
    width,
)
from client_tui.commands.running import api, run, signed_in, words
from shared_models.bounds import DESCRIPTION_MAX, TITLE_MAX

if TYPE_CHECKING:
    from client_tui.core.api import Api
    from client_tui.core.uploads import Progress
    from shared_models.listings import Listing, ListingCard, ListingCreate


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (search, show, sell):
        app.command()(command)


def search(
    query: Annotated[str | None, typer.Argument(help="Words; -word leaves out.")] = None,
    category: Annotated[str | None, typer.Option(help="Category id.")] = None,
    min_price: Annotated[int | None, typer.Option(help="Lowest price.")] = None,
    max_price: Annotated[int | None, typer.Option(help="Highest price.")] = None,
    condition: Annotated[
        list[str] | None, typer.Option(help="new, like_new, good, fair, for_parts; may repeat.")
    ] = None,
    state: Annotated[
        str | None, typer.Option(help="selling (the usual), reserved, sold or any.")
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(help="newest, price_asc, price_desc, most_liked, relevance."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    json: JsonOption = False,
) -> None:
    """Find things for sale."""
    wanted: dict[str, Any] = {
        "q": query,
        "category": category,
        "min_price": min_price,
        "max_price": max_price,
        "condition": condition or None,
        "state": state,
        "sort": sort,
    }

    async def work() -> None:
        # Straight from HTTP to stdout: no model is loaded for data that is only passed on.
        from client_tui.core.http import Http

        credentials = signed_in()
        found = 0
        async with Http(credentials.server, credentials.token) as http:
            async for item in http.items("/v1/listings", wanted, limit=limit):
                found += 1
                put_json(item) if json else _put_card(item)
        if not found and not json:
            words("Nothing found.")

    run(work)


def _put_card(item: dict[str, Any]) -> None:
    from shared_models.listings import ListingCard

    put_card(ListingCard.model_validate(item))


def put_card(card: "ListingCard") -> None:
    """A card on two lines: what it is, and how to get at it."""
    from client_tui.format import ago, listing_state, pad, visible_line

    what = visible_line(card.title)
    when = pad(ago(card.bumped_at, now()), 3, "right")
    state = pad(listing_state(card.state), 10)
    put(columns(what, f"{pad(price(card.price), 11, 'right')}  {state}  {when}"))
    facts = [label(card.condition) if card.condition else None, visible_line(card.place or "")]
    counts = f"♥ {card.like_count} · {card.chat_count} chats"
    put("  " + " · ".join(filter(None, [str(card.id), *facts, counts])))


def show(
    listing: Annotated[UUID, typer.Argument(help="The listing's id.")], json: JsonOption = False
) -> None:
    """Show a listing in full."""

    async def work() -> None:
        async with api() as account:
            found = await account.listing(listing)
        put_json(found) if json else _put_listing(found)

    run(work)


def _put_listing(listing: "Listing") -> None:
    from client_tui.format import ago, hand_over, listing_state, visible, visible_line, wrap

    put(columns(visible_line(listing.title), price(listing.price)))
    facts = (
        listing_state(listing.state),
        label(listing.condition) if listing.condition else "",
        hand_over(listing.method),
        "negotiable" if listing.negotiable else "",
        visible_line(listing.place or ""),
        ago(listing.bumped_at, now()),
    )
    put(" · ".join(filter(None, facts)))
    seller = listing.seller
    put(f"by {visible_line(seller.display_name)} (@{seller.handle}) · {seller.manner_score:.1f}")
    put(f"{len(listing.photos)} photos · ♥ {listing.like_count} · {listing.chat_count} chats")
    put()
    for line in wrap(visible(listing.description), width()):
        put(line)
    if listing.allowed_actions:
        put()
        put("You may: " + ", ".join(label(action) for action in listing.allowed_actions))


def sell(
    title: Annotated[str, typer.Option(help=f"Up to {TITLE_MAX} characters.")],
    description: Annotated[str, typer.Option(help=f"Up to {DESCRIPTION_MAX:,} characters.")],
    category: Annotated[str, typer.Option(help="Category id.")],
    condition: Annotated[str, typer.Option(help="new, like_new, good, fair, for_parts.")],
    price: Annotated[int, typer.Option(help="0 gives it away.")],
    photo: Annotated[list[Path], typer.Option(help="JPEG, PNG or WebP; may repeat, 1 to 10.")],
    negotiable: Annotated[bool, typer.Option("--negotiable", help="Takes offers.")] = False,
    method: Annotated[str, typer.Option(help="meet, post or both.")] = "meet",
    place: Annotated[str | None, typer.Option(help="Where it is.")] = None,
    json: JsonOption = False,
) -> None:
    """Put a thing up for sale."""
    fields: dict[str, Any] = {
        "title": title,
        "description": description,
        "category": category,
        "condition": condition,
        "price": price,
        "negotiable": negotiable,
        "method": method,
        "place": place,
    }

    async def work() -> None:
        from client_tui.core.forms import fill
        from client_tui.core.uploads import Uploader
        from shared_models.listings import ListingCreate
        from shared_models.media import Purpose

        async with api() as account:
            await _check(account, fill(ListingCreate, **fields), photo)
            photos = await Uploader(account).photos(Purpose.LISTING, photo, told_progress)
            form = fill(ListingCreate, **fields, photo_ids=[up.id for up in photos])
            listing = await account.create_listing(form)
        if json:
            put_json(listing)
        else:
            _put_listing(listing)
        words(f"On sale: {listing.id}")

    run(work)


async def _check(account: "Api", form: "ListingCreate", photos: list[Path]) -> None:
    """A wrong form and a wrong file are refused before anything is uploaded."""
    import asyncio

    from client_tui.core.listing_form import check_new_listing
    from client_tui.core.uploads import check_file

    market = await account.market()
    check_new_listing(form, len(photos), market)
    for path in photos:
        await asyncio.to_thread(check_file, path, bytes_max=market.limits.photo_bytes_max)


def told_progress(progress: "Progress") -> None:
    """One line a step of each photo, only where a person watches."""
    if sys.stderr.isatty() and progress.sent in (0, progress.size):
        words(f"{progress.path.name}: {progress.phase}")
