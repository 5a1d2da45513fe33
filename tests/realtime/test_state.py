"""Old state plus events is new state: for both sides, after any chain of actions."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from server.chat import api as chat
from server.notifications import api as notifications
from server.notifications.api import Notice
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork, transact
from shared_models.base import format_time
from shared_models.notifications import NotificationKind
from tests.realtime.clients import Client
from tests.realtime.conftest import OpenRoom, Person, Sell
from tests.server.chat.conftest import message
from tests.server.conftest import START

Action = Callable[[], Awaitable[object]]


TRADE_FIELDS: dict[str, dict[str, str]] = {
    "cancel": {"reason": "changed_mind"},
    "problem": {"reason": "damaged", "detail": "It is broken."},
    "ship": {"carrier": "cj", "tracking_number": "123456"},
}


class Actions:
    """Everything that changes what the two know of their chats."""

    def __init__(
        self, context: Context, people: tuple[Person, Person], room: str, listing: UUID, seed: int
    ) -> None:
        self._context = context
        self._people = people
        self._room = UUID(room)
        self._listing = listing
        self._path = f"/v1/chatrooms/{room}"
        self.chance = random.Random(seed)

    def all(self) -> list[Action]:
        names = [name for name in vars(Actions) if name.startswith("do_")]
        return [getattr(self, name) for name in names]

    def _either(self) -> Person:
        return self.chance.choice(self._people)

    async def _last_seq(self) -> int:
        return int((await self._people[0].get(self._path)).json()["last_seq"])

    async def _transact(self, action: Callable[[UnitOfWork], Awaitable[object]]) -> None:
        await transact(self._context, None, action)

    async def do_send(self) -> None:
        text = str(self.chance.random())
        await self._either().post(f"{self._path}/messages", message(text))

    async def do_send_what_is_warned_of(self) -> None:
        body = message("010-1234-5678", confirmed=True)
        await self._either().post(f"{self._path}/messages", body)

    async def do_delete(self) -> None:
        await self._either().delete(f"{self._path}/messages/{await self._last_seq()}")

    async def do_read(self) -> None:
        seq = self.chance.randint(0, await self._last_seq())
        await self._either().put(f"{self._path}/read", {"seq": seq})

    async def do_read_notices(self) -> None:
        person = self._either()
        notices = (await person.get("/v1/notifications")).json()["items"]
        for notice in notices and [self.chance.choice(notices)]:
            await person.put("/v1/notifications/read", {"up_to_id": notice["id"]})

    async def do_mute(self) -> None:
        await self._either().request(self.chance.choice(("PUT", "DELETE")), f"{self._path}/mute")

    async def do_leave(self) -> None:
        await self._either().post(f"{self._path}/leave")

    async def do_open_again(self) -> None:
        await self._people[1].post("/v1/chatrooms", {"listing_id": str(self._listing)})

    async def do_block(self) -> None:
        one, other = self.chance.sample(self._people, 2)
        method = self.chance.choice(("PUT", "DELETE", "DELETE"))
        await one.request(method, f"/v1/accounts/{other.id}/block")

    async def do_rename(self) -> None:
        name = f"name {self.chance.randint(0, 99)}"
        await self._either().patch("/v1/me", {"display_name": name})

    async def do_like(self) -> None:
        method = self.chance.choice(("PUT", "DELETE"))
        await self._people[1].request(method, f"/v1/listings/{self._listing}/like")

    async def _something_allowed(self, part: str) -> tuple[Person, Any, str] | None:
        """One of the two, what it sees of the room's trade, offer or appointment, and an action."""
        person = self._either()
        seen = (await person.get(self._path)).json()[part]
        if seen is None or not seen["allowed_actions"]:
            return None
        return person, seen, self.chance.choice(seen["allowed_actions"]).replace("_", "-")

    async def do_offer(self) -> None:
        amount = self.chance.randint(50_000, 79_000)
        await self._people[1].post(f"{self._path}/offers", {"amount": amount})

    async def do_answer_the_offer(self) -> None:
        if found := await self._something_allowed("offer"):
            person, offer, action = found
            await person.post(f"/v1/offers/{offer['id']}/{action}", {"amount": 79_500})

    async def do_propose_to_meet(self) -> None:
        at = format_time(START + timedelta(days=self.chance.randint(1, 5)))
        await self._either().post(f"{self._path}/appointments", {"at": at, "place": "Mapo"})

    async def do_answer_the_appointment(self) -> None:
        if found := await self._something_allowed("appointment"):
            person, meeting, action = found
            await person.post(f"/v1/appointments/{meeting['id']}/{action}")

    async def do_reserve(self) -> None:
        method = self.chance.choice(("meet", "post"))
        body = {"chatroom_id": str(self._room), "expected_price": 80_000, "method": method}
        await self._people[0].post("/v1/trades", body)

    async def do_something_with_the_trade(self) -> None:
        if found := await self._something_allowed("trade"):
            person, trade, action = found
            body = {"expected_version": trade["version"], **TRADE_FIELDS.get(action, {})}
            review = {"rating": 4}
            path = f"/v1/trades/{trade['id']}/{action}"
            await person.post(path, review if action == "review" else body)

    async def do_system_line(self) -> None:
        actor = self.chance.choice((self._people[0].id, self._people[1].id, None))
        await self._transact(
            lambda work: chat.post_system(
                work, self._room, event="note", actor_id=actor, text="note", data={}
            )
        )

    async def do_close_or_open(self) -> None:
        move = self.chance.choice((chat.close_rooms, chat.reopen_rooms, chat.reopen_rooms))
        await self._transact(lambda work: move(work, self._listing))


@pytest.mark.parametrize("seed", range(4))
async def test_any_chain_of_actions_leaves_both_sides_with_the_servers_state(
    context: Context,
    seller: Person,
    buyer: Person,
    sell: Sell,
    open_room: OpenRoom,
    seed: int,
) -> None:
    people = (seller, buyer)
    clients = [Client(context, person) for person in people]
    for client in clients:
        await client.begin()
    listing = await sell(seller)
    room = await open_room(buyer, listing)
    actions = Actions(context, people, room, listing, seed)
    every = actions.all()
    for action in actions.chance.sample(every, len(every)) + actions.chance.choices(every, k=25):
        await action()
        for client in clients:
            await client.check(after=action.__name__)


async def test_notices_read_while_others_come_leave_the_right_count(
    context: Context, seller: Person
) -> None:
    client = Client(context, seller)
    await client.begin()
    await tell(context, seller, "first")
    for number in range(8):
        newest = (await seller.get("/v1/notifications")).json()["items"][0]
        await asyncio.gather(
            seller.put("/v1/notifications/read", {"up_to_id": newest["id"]}),
            *(tell(context, seller, f"{number}.{n}") for n in range(3)),
        )
        await client.check(after=f"notice {number}")


async def tell(context: Context, person: Person, key: str) -> None:
    notice = Notice(NotificationKind.SYSTEM, "news", "News.", key)
    await transact(context, None, lambda work: notifications.notify(work, [person.id], notice))
