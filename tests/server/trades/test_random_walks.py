"""Whatever people do, in whatever order and at the same moment, the invariants hold (2.3)."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from server.trades.tables import Transition
from tests.server.conftest import Person
from tests.server.trades.market import Deal, Market, check_invariants, done

STEPS = 60
REFUSALS = {400, 403, 404, 409, 412, 422}
TRADE_BODIES: dict[str, dict[str, Any]] = {
    "confirm": {},
    "undo": {},
    "cancel": {"reason": "price"},
    "ship": {"carrier": "cj", "tracking_number": "123456"},
    "problem": {"reason": "damaged", "detail": "It is broken."},
    "withdraw-problem": {},
    "consent-cancel": {},
}


class Walk:
    """Random things that people do on a small market."""

    def __init__(self, market: Market, deals: list[Deal], seed: int) -> None:
        self.market = market
        self.deals = deals
        self.chance = random.Random(seed)
        self.taste = random.Random(seed)

    async def step(self) -> None:
        """One thing, or three at the same moment; sometimes time passes."""
        at_once = self.chance.choice([1, 1, 3])
        doings: list[Callable[[], Awaitable[None]]] = [
            self.chance.choice([self.deal_step, self.deal_step, self.offer_step, self.trade_step])
            for _ in range(at_once)
        ]
        await asyncio.gather(*(doing() for doing in doings))
        await self.like_or_not()
        if self.chance.random() < 0.08:
            await self.pass_time()

    async def pass_time(self) -> None:
        """Hours or days go by, with the jobs running or not."""
        hours = self.chance.choice([1, 30, 80, 200, 800])
        if self.chance.random() < 0.5:
            await self.market.later(hours=hours)
        else:
            self.market.clock.advance(timedelta(hours=hours))

    async def try_to(self, person: Person, method: str, path: str, **options: Any) -> None:
        """Ask for something that may be refused, but cleanly."""
        answer = await person.request(method, path, **options)
        assert answer.is_success or answer.status_code in REFUSALS, answer.text
        assert answer.is_success or answer.json()["code"] != "busy", answer.text

    async def like_or_not(self) -> None:
        """A buyer likes a listing or no longer does."""
        deal = self.taste.choice(self.deals)
        method = self.taste.choice(["PUT", "DELETE"])
        await self.try_to(deal.buyer, method, f"/v1/listings/{deal.listing_id}/like")

    def anybody(self) -> tuple[Deal, Person]:
        """One of the rooms and one of its two parties."""
        deal = self.chance.choice(self.deals)
        return deal, self.chance.choice([deal.seller, deal.buyer])

    async def deal_step(self) -> None:
        """Something that begins in a room or on a listing."""
        deal, person = self.anybody()
        room = f"/v1/chatrooms/{deal.room_id}"
        price = self.chance.choice([100_000, 100_000, 90_000])
        at = (self.market.clock.now() + timedelta(days=2)).isoformat()
        reserving = {"chatroom_id": deal.room_id, "expected_price": price}
        reserving["method"] = self.chance.choice(["meet", "post"])
        kind = self.chance.choice(
            ["offer", "offer", "reserve", "reserve", "meet", "price", "say", "like"]
        )
        if kind == "offer":
            amount = {"amount": self.chance.randrange(45_000, 100_000)}
            await self.try_to(deal.buyer, "POST", f"{room}/offers", json=amount)
        elif kind == "reserve":
            await self.try_to(deal.seller, "POST", "/v1/trades", json=reserving)
        elif kind == "meet":
            body = {"at": at, "place": "Mapo station", "reason": "It suits better."}
            await self.try_to(person, "POST", f"{room}/appointments", json=body)
        elif kind == "say":
            body = {"cid": str(self.market.context.make_id(self.market.clock.now())), "text": "Hi"}
            await self.try_to(person, "POST", f"{room}/messages", json=body)
        else:
            path = f"/v1/listings/{deal.listing_id}"
            version = (await done(deal.seller.get(path)))["version"]
            headers = {"If-Match": f'"{version}"'}
            await self.try_to(deal.seller, "PATCH", path, json={"price": price}, headers=headers)

    async def offer_step(self) -> None:
        """An answer to what waits in a room."""
        deal, person = self.anybody()
        room = await done(person.get(f"/v1/chatrooms/{deal.room_id}"))
        if room["offer"] and self.chance.random() < 0.7:
            action = self.chance.choice(["accept", "decline", "counter", "withdraw"])
            body = {"amount": 95_000} if action == "counter" else None
            await self.try_to(
                person, "POST", f"/v1/offers/{room['offer']['id']}/{action}", json=body
            )
        elif meeting := room["appointment"] or room["no_show"]:
            action = self.chance.choice(["accept", "cancel", "no-show"])
            await self.try_to(person, "POST", f"/v1/appointments/{meeting['id']}/{action}")
            if room["no_show"] and self.taste.random() < 0.3:
                path = f"/v1/appointments/{room['no_show']['id']}/contest"
                await self.try_to(person, "POST", path)

    async def trade_step(self) -> None:
        """An action on one of somebody's newest trades, often one that is allowed."""
        _, person = self.anybody()
        trades = (await done(person.get("/v1/trades?limit=3")))["items"]
        if not trades:
            return
        trade = self.chance.choice(trades)
        allowed = [action.replace("_", "-") for action in trade["allowed_actions"]]
        # Canceling is nearly always allowed; chosen as often as the rest, no trade gets far.
        kept = [action for action in allowed if action != "cancel" or self.chance.random() < 0.2]
        action = self.chance.choice(kept or ["confirm"])
        if self.chance.random() < 0.2:
            action = self.chance.choice(list(TRADE_BODIES))
        path = f"/v1/trades/{trade['id']}/{action}"
        body = TRADE_BODIES.get(action, {}) | {"expected_version": trade["version"]}
        if action == "review":
            body = {"rating": self.chance.randint(1, 5)}
            if trade["state"] == "canceled" and self.taste.random() < 0.8:
                body = {"rating": 1, "tags": ["no_show"]}
        await self.try_to(person, "POST", path, json=body)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [0, 4])
async def test_the_invariants_hold_after_every_few_random_steps(market: Market, seed: int) -> None:
    seller, rival = await market.person("seller"), await market.person("rival")
    buyer, other = await market.person("buyer"), await market.person("other")
    pairs = [(seller, buyer), (rival, other)] * 2 + [(rival, seller), (buyer, other)]
    deals = [await market.deal_with(*pair) for pair in pairs]
    for first in deals[:4]:
        person = other if first.buyer is buyer else buyer
        room_id = await market.open_room(person, first.listing_id)
        deals.append(Deal(first.seller, person, first.listing_id, room_id))
    walk = Walk(market, deals, seed)
    for number in range(1, STEPS + 1):
        await walk.step()
        if number % 10 == 0:
            await check_invariants(market)
    events = {row.event for row in await market.rows(Transition.event)}
    assert len(events) > 3, f"it has been about: {events}"
