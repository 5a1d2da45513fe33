"""Two who deal, one who looks on, and the cases of what they can do."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from shared_models.base import format_time
from tests.realtime.conftest import Person
from tests.server.trades.market import Deal, Market, done

Act = Callable[[], Awaitable[httpx.Response]]


@dataclass(slots=True)
class World:
    """Two who deal, and a third who has a room on everything they deal about."""

    market: Market
    seller: Person
    buyer: Person
    other: Person

    @property
    def people(self) -> tuple[Person, Person, Person]:
        """All three."""
        return self.seller, self.buyer, self.other

    async def deal(self) -> Deal:
        """A listing that both buyers have a room on."""
        deal = await self.market.deal_with(self.seller, self.buyer)
        await self.market.open_room(self.other, deal.listing_id)
        return deal

    async def offer(self, deal: Deal) -> str:
        """The id of the buyer's pending offer; the third one has made one too."""
        room = await self.market.open_room(self.other, deal.listing_id)
        await done(self.other.post(f"/v1/chatrooms/{room}/offers", {"amount": 80_000}))
        path = f"/v1/chatrooms/{deal.room_id}/offers"
        return str((await done(self.buyer.post(path, {"amount": 90_000})))["id"])

    async def appointment(self, deal: Deal, *, accepted: bool = False) -> str:
        """The id of what the buyer has proposed."""
        path = f"/v1/chatrooms/{deal.room_id}/appointments"
        id_ = str((await done(self.buyer.post(path, self.meeting())))["id"])
        if accepted:
            await done(self.seller.post(f"/v1/appointments/{id_}/accept"))
        return id_

    def meeting(self) -> dict[str, str]:
        """A time and a place."""
        at = self.market.clock.now() + timedelta(hours=3)
        return {"at": format_time(at), "place": "Mapo station"}

    async def shipped(self) -> dict[str, Any]:
        """A trade whose goods are on their way."""
        trade = await self.market.reserved(await self.deal(), method="post")
        shipped: dict[str, Any] = await self.market.act(self.seller, trade, "ship", **SHIPMENT)
        return shipped

    async def disputed(self) -> dict[str, Any]:
        """A shipped trade that its buyer has a problem with."""
        trade = await self.shipped()
        disputed: dict[str, Any] = await self.market.act(self.buyer, trade, "problem", **PROBLEM)
        return disputed


SHIPMENT = {"carrier": "cj", "tracking_number": "123456"}
PROBLEM = {"reason": "damaged", "detail": "It is broken."}


Case = Callable[[World], Awaitable[Act]]
"""Brings about what an action needs, and returns the action."""


@dataclass(slots=True)
class Cases:
    """The cases of one module, by their names, and the routes that they cover."""

    made: dict[str, Case] = field(default_factory=dict)
    covered: set[tuple[str, str]] = field(default_factory=set)

    def of(self, route: str) -> Callable[[Case], Case]:
        """A case of this route: ``"POST /v1/trades"``."""
        method, path = route.split()

        def register(case: Case) -> Case:
            self.made[case.__name__] = case
            self.covered.add((method, path))
            return case

        return register
