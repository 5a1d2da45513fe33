"""What somebody can do in a deal, from the first offer to the last review."""

from datetime import timedelta
from typing import Any

from tests.realtime.conftest import Person
from tests.realtime.world import PROBLEM, SHIPMENT, Act, Cases, World
from tests.server.trades.market import done

CASES = Cases()


# --- offers and appointments


@CASES.of("POST /v1/chatrooms/{room_id}/offers")
async def make_an_offer(world: World) -> Act:
    deal = await world.deal()
    return lambda: world.buyer.post(f"/v1/chatrooms/{deal.room_id}/offers", {"amount": 90_000})


@CASES.of("POST /v1/offers/{offer_id}/accept")
async def accept_an_offer(world: World) -> Act:
    offer = await world.offer(await world.deal())
    return lambda: world.seller.post(f"/v1/offers/{offer}/accept")


@CASES.of("POST /v1/offers/{offer_id}/decline")
async def decline_an_offer(world: World) -> Act:
    offer = await world.offer(await world.deal())
    return lambda: world.seller.post(f"/v1/offers/{offer}/decline")


@CASES.of("POST /v1/offers/{offer_id}/counter")
async def counter_an_offer(world: World) -> Act:
    offer = await world.offer(await world.deal())
    return lambda: world.seller.post(f"/v1/offers/{offer}/counter", {"amount": 95_000})


@CASES.of("POST /v1/offers/{offer_id}/withdraw")
async def withdraw_an_offer(world: World) -> Act:
    offer = await world.offer(await world.deal())
    return lambda: world.buyer.post(f"/v1/offers/{offer}/withdraw")


@CASES.of("POST /v1/chatrooms/{room_id}/appointments")
async def propose_to_meet(world: World) -> Act:
    deal = await world.deal()
    path = f"/v1/chatrooms/{deal.room_id}/appointments"
    return lambda: world.seller.post(path, world.meeting())


@CASES.of("POST /v1/appointments/{appointment_id}/accept")
async def accept_to_meet(world: World) -> Act:
    deal = await world.deal()
    await world.market.reserved(deal)
    meeting = await world.appointment(deal)
    return lambda: world.seller.post(f"/v1/appointments/{meeting}/accept")


@CASES.of("POST /v1/appointments/{appointment_id}/cancel")
async def cancel_a_meeting(world: World) -> Act:
    meeting = await world.appointment(await world.deal(), accepted=True)
    return lambda: world.seller.post(f"/v1/appointments/{meeting}/cancel")


@CASES.of("POST /v1/appointments/{appointment_id}/no-show")
async def report_a_no_show(world: World) -> Act:
    deal = await world.deal()
    await world.market.reserved(deal)
    meeting = await world.appointment(deal, accepted=True)
    world.market.clock.advance(timedelta(hours=4))
    return lambda: world.buyer.post(f"/v1/appointments/{meeting}/no-show")


async def missed(world: World) -> tuple[dict[str, Any], str]:
    """A trade, and its meeting that the seller is reported to have missed."""
    deal = await world.deal()
    trade = await world.market.reserved(deal)
    meeting = await world.appointment(deal, accepted=True)
    world.market.clock.advance(timedelta(hours=4))
    await done(world.buyer.post(f"/v1/appointments/{meeting}/no-show"))
    return trade, meeting


@CASES.of("POST /v1/appointments/{appointment_id}/contest")
async def contest_a_no_show(world: World) -> Act:
    _, meeting = await missed(world)
    return lambda: world.seller.post(f"/v1/appointments/{meeting}/contest")


@CASES.of("POST /v1/appointments/{appointment_id}/contest")
async def contest_a_no_show_when_another_meeting_is_proposed(world: World) -> Act:
    trade, meeting = await missed(world)
    path = f"/v1/chatrooms/{trade['chatroom_id']}/appointments"
    await done(world.buyer.post(path, world.meeting()))
    return lambda: world.seller.post(f"/v1/appointments/{meeting}/contest")


# --- trades


@CASES.of("POST /v1/trades")
async def reserve(world: World) -> Act:
    deal = await world.deal()
    await world.offer(deal)
    body = {"chatroom_id": deal.room_id, "expected_price": 100_000, "method": "meet"}
    return lambda: world.seller.post("/v1/trades", body)


@CASES.of("POST /v1/trades")
async def reserve_what_nobody_bids_for(world: World) -> Act:
    deal = await world.deal()
    body = {"chatroom_id": deal.room_id, "expected_price": 100_000, "method": "meet"}
    return lambda: world.seller.post("/v1/trades", body)


def _on(world: World, person: Person, trade: dict[str, Any], action: str, **body: Any) -> Act:
    return lambda: world.market.try_to(person, trade, action, **body)


@CASES.of("POST /v1/trades/{trade_id}/confirm")
async def confirm_first(world: World) -> Act:
    trade = await world.market.reserved(await world.deal())
    return _on(world, world.seller, trade, "confirm")


@CASES.of("POST /v1/trades/{trade_id}/confirm")
async def confirm_last(world: World) -> Act:
    trade = await world.market.reserved(await world.deal())
    trade = await world.market.act(world.seller, trade, "confirm")
    return _on(world, world.buyer, trade, "confirm")


@CASES.of("POST /v1/trades/{trade_id}/undo")
async def undo(world: World) -> Act:
    trade = await world.market.reserved(await world.deal())
    trade = await world.market.act(world.seller, trade, "confirm")
    return _on(world, world.seller, trade, "undo")


@CASES.of("POST /v1/trades/{trade_id}/cancel")
async def cancel(world: World) -> Act:
    deal = await world.deal()
    trade = await world.market.reserved(deal)
    await world.appointment(deal)
    return _on(world, world.buyer, trade, "cancel", reason="changed_mind")


@CASES.of("POST /v1/trades/{trade_id}/ship")
async def ship(world: World) -> Act:
    trade = await world.market.reserved(await world.deal(), method="post")
    return _on(world, world.seller, trade, "ship", **SHIPMENT)


@CASES.of("POST /v1/trades/{trade_id}/problem")
async def report_a_problem(world: World) -> Act:
    return _on(world, world.buyer, await world.shipped(), "problem", **PROBLEM)


@CASES.of("POST /v1/trades/{trade_id}/withdraw-problem")
async def withdraw_a_problem(world: World) -> Act:
    return _on(world, world.buyer, await world.disputed(), "withdraw-problem")


@CASES.of("POST /v1/trades/{trade_id}/consent-cancel")
async def consent_to_a_cancel(world: World) -> Act:
    return _on(world, world.buyer, await world.shipped(), "consent-cancel")


@CASES.of("POST /v1/trades/{trade_id}/review")
async def review_first(world: World) -> Act:
    trade = await world.market.completed(await world.deal())
    return lambda: world.buyer.post(f"/v1/trades/{trade['id']}/review", {"rating": 5})


@CASES.of("POST /v1/trades/{trade_id}/review")
async def review_last(world: World) -> Act:
    trade = await world.market.completed(await world.deal())
    path = f"/v1/trades/{trade['id']}/review"
    await done(world.buyer.post(path, {"rating": 5}))
    return lambda: world.seller.post(path, {"rating": 4})


async def _let_down(world: World) -> str:
    """The path to review a canceled trade whose seller did not come."""
    trade, _ = await missed(world)
    await world.market.act(world.buyer, trade, "cancel", reason="no_show")
    await world.market.later(hours=72)
    return f"/v1/trades/{trade['id']}/review"


@CASES.of("POST /v1/trades/{trade_id}/review")
async def say_who_did_not_come(world: World) -> Act:
    path = await _let_down(world)
    return lambda: world.buyer.post(path, {"rating": 1, "tags": ["no_show"]})


@CASES.of("POST /v1/reviews/{review_id}/answer")
async def answer_who_was_let_down(world: World) -> Act:
    path = await _let_down(world)
    review = (await done(world.buyer.post(path, {"rating": 1, "tags": ["no_show"]})))["id"]
    return lambda: world.seller.post(f"/v1/reviews/{review}/answer", {"text": "Sorry"})


@CASES.of("POST /v1/reviews/{review_id}/answer")
async def answer_a_review(world: World) -> Act:
    trade = await world.market.completed(await world.deal())
    path = f"/v1/trades/{trade['id']}/review"
    review = (await done(world.buyer.post(path, {"rating": 5})))["id"]
    await done(world.seller.post(path, {"rating": 4}))
    return lambda: world.seller.post(f"/v1/reviews/{review}/answer", {"text": "Thanks"})
