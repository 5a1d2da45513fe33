"""Old state plus events is new state: for both sides, after any chain of actions."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.chat import api as chat
from server.listings import api as listings
from server.notifications import api as notifications
from server.notifications.api import Notice
from server.platform import streams
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork, reading, transact
from shared_models.chat import Chatroom
from shared_models.notifications import NotificationKind
from tests.realtime.conftest import OpenRoom, Person, Sell
from tests.server.chat.conftest import message

State = dict[str, Any]
Action = Callable[[], Awaitable[object]]


class Mirror:
    """What a client knows: a bootstrap, and every event since applied to it."""

    def __init__(self, bootstrap: State) -> None:
        self.me = bootstrap["account"]["id"]
        self.pos = bootstrap["pos"]
        self.account = bootstrap["account"]
        self.rooms = {room["id"]: room for room in bootstrap["chatrooms"]}
        self.unread_notifications = bootstrap["unread_notifications"]

    def apply(self, event: State) -> None:
        """The only rules a client needs: take whole objects, and count what is unread."""
        assert event["pos"] == self.pos + 1
        self.pos = event["pos"]
        name, data = event["kind"].replace(".", "_"), event["data"]
        getattr(self, f"_{name}", lambda _data: None)(data)

    def state(self) -> State:
        """What a bootstrap would say."""
        rooms = [room for room in self.rooms.values() if not room["left"]]
        rooms.sort(key=lambda room: (room["active_at"], room["id"]), reverse=True)
        return {
            "pos": self.pos,
            "account": self.account,
            "chatrooms": rooms,
            "unread_notifications": self.unread_notifications,
        }

    def _message_new(self, data: State) -> None:
        room = self.rooms.get(data["chatroom_id"])
        if room is None or data["seq"] <= room["last_seq"]:
            return
        caused_by = data["sender_id"] or (data["system"] or {}).get("actor_id")
        room["last_message"], room["last_seq"] = data, data["seq"]
        room["active_at"] = data["created_at"]
        room["unread"] += caused_by != self.me

    def _message_deleted(self, data: State) -> None:
        room = self.rooms[data["chatroom_id"]]
        if room["last_seq"] == data["seq"]:
            room["last_message"] = data

    def _chatroom_read(self, data: State) -> None:
        room = self.rooms[data["chatroom_id"]]
        if data["account_id"] == self.me:
            room["read_seq"], room["unread"] = data["seq"], data["unread"]
        else:
            room["peer_read_seq"] = data["seq"]

    def _chatroom_changed(self, data: State) -> None:
        self.rooms[data["id"]] = {name: data[name] for name in Chatroom.model_fields}

    def _listing_changed(self, data: State) -> None:
        for room in self.rooms.values():
            if room["listing"]["id"] == data["id"]:
                room["listing"] = data

    def _account_changed(self, data: State) -> None:
        self.account = data

    def _notification_new(self, _data: State) -> None:
        self.unread_notifications += 1

    def _notification_read(self, data: State) -> None:
        self.unread_notifications = data["unread"]


async def bootstrap(person: Person) -> State:
    state: State = (await person.get("/v1/sync/bootstrap")).json()
    return state


async def check(context: Context, person: Person, mirror: Mirror) -> None:
    """Apply what has happened, and compare with what the server says now."""
    async with reading(context) as work:
        for hint in await streams.read_after(work, person.id, mirror.pos, 1000):
            mirror.apply(json.loads(hint.data))
    fresh, known = await bootstrap(person), mirror.state()
    for state in (fresh, known):
        # Another person's card is as old as the room it came with: nobody is told of a new name.
        state["chatrooms"] = [{**room, "other": room["other"]["id"]} for room in state["chatrooms"]]
    assert known == {name: fresh[name] for name in known}


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

    async def do_reserve_or_release(self) -> None:
        async def run(work: UnitOfWork) -> None:
            if not await listings.reserve(work, self._listing, 80_000):
                await listings.release(work, self._listing)

        await self._transact(run)

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
    mirrors = {person.id: Mirror(await bootstrap(person)) for person in people}
    listing = await sell(seller)
    room = await open_room(buyer, listing)
    actions = Actions(context, people, room, listing, seed)
    every = actions.all()
    for action in actions.chance.sample(every, len(every)) + actions.chance.choices(every, k=25):
        await action()
        for person in people:
            await check(context, person, mirrors[person.id])


async def test_notices_read_while_others_come_leave_the_right_count(
    context: Context, seller: Person
) -> None:
    mirror = Mirror(await bootstrap(seller))
    await tell(context, seller, "first")
    for number in range(8):
        newest = (await seller.get("/v1/notifications")).json()["items"][0]
        await asyncio.gather(
            seller.put("/v1/notifications/read", {"up_to_id": newest["id"]}),
            *(tell(context, seller, f"{number}.{n}") for n in range(3)),
        )
        await check(context, seller, mirror)


async def tell(context: Context, person: Person, key: str) -> None:
    notice = Notice(NotificationKind.SYSTEM, "news", "News.", key)
    await transact(context, None, lambda work: notifications.notify(work, [person.id], notice))


def test_a_mirror_notices_a_gap() -> None:
    state = {"pos": 1, "account": {"id": str(uuid4())}, "chatrooms": []}
    mirror = Mirror({**state, "unread_notifications": 0})
    with pytest.raises(AssertionError):
        mirror.apply({"pos": 3, "kind": "account.changed", "data": {}})
