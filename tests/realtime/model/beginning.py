"""The market that every example begins with: made once, and put back for each."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

from sqlalchemy import insert

from server.accounts import api as accounts
from server.accounts import service as sign_ins
from server.chat import api as chat
from server.chat import service as messages
from server.listings.tables import Listing
from server.platform.context import Actor, Context
from server.platform.sqlite_connection import driver_connection
from server.platform.unit_of_work import UnitOfWork, reading, transact
from server.realtime.bootstrap import bootstrap
from shared_models.accounts import SignedIn, SignIn, SignUp
from shared_models.chat import SendMessage
from shared_models.sync import Bootstrap

_PASSWORD = "second-hand and happy"


@dataclass(frozen=True, slots=True)
class Beginning:
    """Minji with two devices and Bora with one; each has opened a room about a thing of the
    other's, and both have spoken in both. ``states`` is what each device knows of it.
    """

    image: sqlite3.Connection
    devices: Sequence[tuple[Actor, str]]
    states: Sequence[Bootstrap]
    rooms: Sequence[UUID]

    async def restore(self, context: Context) -> None:
        """Put the database back."""
        async with context.database.writer.connect() as connection:
            self.image.backup(driver_connection(connection))


async def begin(context: Context) -> Beginning:
    """Make it, through the front door."""
    minji = _device(await accounts.sign_up(context, _sign_up("minji")))
    again = _device(await sign_ins.sign_in(context, SignIn(handle="minji", password=_PASSWORD)))
    bora = _device(await accounts.sign_up(context, _sign_up("bora")))
    rooms = [await _room(context, minji[0], bora[0]), await _room(context, bora[0], minji[0])]
    for room_id in rooms:
        for actor, _ in (minji, bora):
            hello = SendMessage(cid=uuid4(), text="Hello!")
            await transact(context, actor, partial(messages.send, room_id=room_id, body=hello))
    devices = minji, again, bora
    image = sqlite3.connect(":memory:")
    async with context.database.writer.connect() as connection:
        driver_connection(connection).backup(image)
        driver_connection(connection).execute("PRAGMA synchronous = OFF")
    states = [await _state(context, actor) for actor, _ in devices]
    return Beginning(image, devices, states, rooms)


async def _state(context: Context, actor: Actor) -> Bootstrap:
    async with reading(context, actor) as work:
        return await bootstrap(work)


def _sign_up(handle: str) -> SignUp:
    return SignUp(handle=handle, password=_PASSWORD, display_name=handle)


def _device(signed_in: SignedIn) -> tuple[Actor, str]:
    return Actor(signed_in.account.id, signed_in.session.id), signed_in.token


async def _room(context: Context, seller: Actor, buyer: Actor) -> UUID:
    """A listing, and the buyer's room on it."""
    listing_id = await transact(context, seller, lambda work: _put_up(work, seller.account_id))
    room, _ = await transact(context, buyer, lambda work: chat.open_room(work, listing_id))
    return room.id


async def _put_up(work: UnitOfWork, seller_id: UUID) -> UUID:
    listing_id = work.new_id()
    now = {"bumped_at": work.now, "created_at": work.now, "updated_at": work.now}
    counters = {"like_count": 0, "chat_count": 0, "bump_count": 0, "version": 1}
    await work.execute(
        insert(Listing).values(
            id=listing_id,
            seller_id=seller_id,
            state="selling",
            title="Oak chair",
            description="Solid oak, hardly used.",
            category="furniture",
            condition="good",
            price=40_000,
            negotiable=True,
            method="both",
            photos=[],
            **counters,
            **now,
        )
    )
    return listing_id
