"""Clients that know a bootstrap and the events since, in the state of the real client."""

import json
from typing import Any

from client_tui.core.changes import decode
from client_tui.store import Store
from server.platform import streams
from server.platform.context import Context
from server.platform.unit_of_work import reading
from shared_models.chat import Chatroom, ChatroomDetail
from shared_models.sync import Bootstrap
from shared_models.trades import Trade
from tests.realtime.conftest import Person


class Client:
    """Old state and new events of one person, to be compared with what the server says now."""

    def __init__(self, context: Context, person: Person) -> None:
        self._context = context
        self.person = person
        self.store = Store()

    async def begin(self) -> None:
        """Know what a client knows that has just begun and has looked into every room."""
        self.store.reset(await self._bootstrap())
        for room_id in list(self.store.state.rooms):
            self.store.put_room(await self._room(room_id))

    async def check(self, after: str) -> None:
        """Apply what has happened, and compare."""
        await self._catch_up()
        state, fresh = self.store.state, await self._bootstrap()
        who = f"{self.person.handle} after {after}"
        assert state.pos == fresh.pos, who
        assert state.account == fresh.account, who
        assert state.unread_notifications == fresh.unread_notifications, who
        listed = self.store.rooms_by_activity()
        assert [room.id for room in listed] == [room.id for room in fresh.chatrooms], who
        for room, now in zip(listed, fresh.chatrooms, strict=True):
            assert _seen(room, Chatroom) == _seen(now, Chatroom), who
            assert _seen(room, ChatroomDetail) == _seen(
                await self._room(room.id), ChatroomDetail
            ), who
        assert {trade.id for trade in fresh.trades} <= set(state.trades), who
        for trade in state.trades.values():
            answer = await self.person.get(f"/v1/trades/{trade.id}")
            now_trade = Trade.model_validate(answer.json())
            assert _of_trade(trade) == _of_trade(now_trade), who

    async def _catch_up(self) -> None:
        async with reading(self._context) as work:
            hints = await streams.read_after(work, self.person.id, self.store.state.pos, 1000)
        for hint in hints:
            step = decode(json.loads(hint.data))
            assert step.pos == self.store.state.pos + 1
            self.store.apply(step)

    async def _bootstrap(self) -> Bootstrap:
        answer = await self.person.get("/v1/sync/bootstrap")
        return Bootstrap.model_validate(answer.json())

    async def _room(self, room_id: object) -> ChatroomDetail:
        answer = await self.person.get(f"/v1/chatrooms/{room_id}")
        return ChatroomDetail.model_validate(answer.json())


def _seen(room: Chatroom, as_: type[Chatroom]) -> dict[str, Any]:
    """Without the cards of others, which are as old as what they came with: nobody is told of a
    new name.
    """
    assert isinstance(room, as_)
    seen = room.model_dump(include=set(as_.model_fields), exclude={"other", "trade"})
    if isinstance(room, ChatroomDetail) and as_ is ChatroomDetail:
        seen["trade"] = _of_trade(room.trade)
    return seen


def _of_trade(trade: Trade | None) -> dict[str, Any] | None:
    if trade is None:
        return None
    reviews = {"my_review": {"author"}, "other_review": {"author"}}
    return trade.model_dump(exclude={"seller": True, "buyer": True, **reviews})
