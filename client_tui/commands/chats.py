"""``picky chats``, ``open``, ``history``, ``send``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
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
from client_tui.commands.running import (
    api,
    need_text,
    run,
    signed_in,
    standard_input,
    usage_error,
    words,
)

if TYPE_CHECKING:
    from shared_models.accounts import ProfileCard
    from shared_models.chat import Chatroom, Message, MessagePage

RoomArgument = Annotated[UUID, typer.Argument(help="The room's id.")]
_PAGE = 100


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(chats)
    app.command("open")(open_room)
    app.command()(history)
    app.command()(send)


def chats(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 50,
    json: JsonOption = False,
) -> None:
    """List chatrooms, newest activity first."""

    async def work() -> None:
        from client_tui.core.api import every

        count = 0
        async with api() as account:
            rooms = every(
                lambda cursor: account.rooms(cursor=cursor, limit=min(limit, _PAGE)), limit=limit
            )
            async for room in rooms:
                count += 1
                put_json(room) if json else _put_room(room)
        if not count and not json:
            words("No chats yet. `picky open LISTING` starts one.")

    run(work)


def _put_room(room: "Chatroom") -> None:
    from client_tui.format import ago, listing_state, pad, truncate, visible_line

    unread = f"{room.unread} unread  " if room.unread else ""
    name, title = visible_line(room.other.display_name), visible_line(room.listing.title)
    when = pad(ago(room.active_at, now()), 3, "right")
    put(
        columns(
            f"{name} · {title}", f"{unread}{pad(listing_state(room.listing.state), 10)}  {when}"
        )
    )
    last = _one_line(room.last_message) if room.last_message else "nothing said yet"
    put(truncate(f"  {room.id}  {last}", width()))


def open_room(
    listing: Annotated[UUID, typer.Argument(help="The listing's id.")], json: JsonOption = False
) -> None:
    """Open the chatroom about a listing (the same one if it exists)."""

    async def work() -> None:
        async with api() as account:
            room = await account.open_room(listing)
        if json:
            put_json(room)
            return
        from client_tui.format import listing_state, visible_line

        put(columns(visible_line(room.listing.title), price(room.listing.price)))
        put(f"with {visible_line(room.other.display_name)} · {listing_state(room.listing.state)}")
        put(str(room.id))

    run(work)


def history(
    room: RoomArgument,
    before: Annotated[int | None, typer.Option(help="Only messages before this number.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 50,
    json: JsonOption = False,
) -> None:
    """Print messages, oldest first."""

    async def work() -> None:
        pages: list[MessagePage] = []
        left, edge = limit, before
        async with api() as account:
            while left > 0:
                page = await account.messages(room, before=edge, limit=min(left, _PAGE))
                pages.append(page)
                left -= len(page.items)
                edge = page.first_seq
                if not page.has_more_before or not page.items:
                    break
        names = {who: card for page in pages for who, card in page.profiles.items()}
        day = None
        for message in (message for page in reversed(pages) for message in page.items):
            if json:
                put_json(message)
                continue
            day = _put_day(message, day)
            _put_message(message, names)
        if not any(page.items for page in pages):
            words("Nothing said yet.")

    run(work)


def _put_day(message: "Message", last: str | None) -> str:
    from client_tui.format import date

    day = date(message.created_at, now())
    if day != last:
        put(f"— {day}")
    return day


def _put_message(message: "Message", names: "dict[str, ProfileCard]") -> None:
    from client_tui.format import clock_time, fit, visible_line, wrap

    card = names.get(str(message.sender_id))
    name = visible_line(card.display_name) if card else ""
    head = f"{message.seq:>6}  {clock_time(message.created_at)}  {fit(name, 12)}  "
    lines = wrap(_text(message), max(20, width() - len(" " * 29)))
    put(head + lines[0])
    for line in lines[1:]:
        put(" " * 29 + line)


def _text(message: "Message") -> str:
    """What a message says, harmless in a terminal; photos by their size."""
    from client_tui.format import visible

    if message.deleted:
        return "(deleted)"
    photos = " ".join(f"[photo {photo.width}×{photo.height}]" for photo in message.photos)
    text = visible(message.text)
    if message.kind == "system" and not text and message.system:
        text = label(message.system.event)
    warning = f"! {visible(message.warning.text)}" if message.warning else ""
    return "\n".join(filter(None, [text, photos, warning]))


def _one_line(message: "Message") -> str:
    return " ".join(_text(message).split())


def send(
    room: RoomArgument,
    text: Annotated[str | None, typer.Argument(help="Read from standard input if left out.")] = (
        None
    ),
    photo: Annotated[
        list[Path] | None, typer.Option(help="JPEG, PNG or WebP; may repeat, up to 3.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Send even if the server asks whether you are sure.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Send a message, photos or both."""
    from shared_models.text import clean_text

    photos = photo or []
    if text is None and not sys.stdin.isatty():
        text = standard_input().read().strip("\r\n")
    text = need_text(text or "", "the message")
    if not clean_text(text) and not photos:
        usage_error("there is nothing to send: give TEXT, standard input or --photo")

    async def work() -> None:
        from client_tui.commands.sending import send_now

        message = await send_now(signed_in(), room, text, photos, confirmed=yes)
        put_json(message) if json else put(f"sent as {message.seq}")

    run(work)
