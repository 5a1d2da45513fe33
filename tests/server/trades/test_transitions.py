"""Every edge of the machine over HTTP: who may take it, and everything that it does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from tests.server.trades.market import Deal, Market, check_invariants, done

BODIES: dict[str, dict[str, Any]] = {
    "confirm": {},
    "undo": {},
    "cancel": {"reason": "changed_mind"},
    "ship": {"carrier": "cj", "tracking_number": "1234567890"},
    "problem": {"reason": "damaged", "detail": "The lens is broken."},
    "withdraw-problem": {},
    "consent-cancel": {},
}
WAYS: dict[str, list[tuple[str, str]]] = {
    "reserved to meet": [],
    "reserved by post": [],
    "handed over": [("seller", "confirm")],
    "received": [("buyer", "confirm")],
    "shipped": [("seller", "ship")],
    "shipped with consent": [("seller", "ship"), ("buyer", "consent-cancel")],
    "problem": [("seller", "confirm"), ("buyer", "problem")],
    "problem with a parcel": [("seller", "ship"), ("buyer", "problem")],
    "completed": [("seller", "confirm"), ("buyer", "confirm")],
    "completed by post": [("seller", "ship"), ("buyer", "confirm")],
    "canceled": [("buyer", "cancel")],
}
BY_POST = {
    "reserved by post",
    "shipped",
    "shipped with consent",
    "problem with a parcel",
    "completed by post",
}


@dataclass(frozen=True, slots=True)
class Edge:
    """What an allowed action leads to."""

    state: str
    listing: str
    event: str
    due_in_hours: float | None = None


RESERVED_FOR, CONFIRM_IN, DELIVERED_IN, RESOLVED_IN = 7 * 24, 72, 7 * 24, 30 * 24
CANCEL = Edge("canceled", "selling", "trade_canceled")
CONFIRM = Edge("handed_over", "reserved", "trade_handed_over", CONFIRM_IN)
COMPLETE = Edge("completed", "sold", "trade_completed")
PROBLEM = Edge("disputed", "reserved", "trade_problem_reported", RESOLVED_IN)
ALLOWED: dict[str, dict[tuple[str, str], Edge]] = {
    "reserved to meet": {
        ("seller", "cancel"): CANCEL,
        ("buyer", "cancel"): CANCEL,
        ("seller", "confirm"): CONFIRM,
        ("buyer", "confirm"): CONFIRM,
    },
    "reserved by post": {
        ("seller", "cancel"): CANCEL,
        ("buyer", "cancel"): CANCEL,
        ("seller", "ship"): Edge("shipped", "reserved", "trade_shipped", DELIVERED_IN),
    },
    "handed over": {
        ("seller", "undo"): Edge("reserved", "reserved", "trade_undone", RESERVED_FOR),
        ("buyer", "confirm"): COMPLETE,
        ("seller", "problem"): PROBLEM,
        ("buyer", "problem"): PROBLEM,
    },
    "received": {
        ("buyer", "undo"): Edge("reserved", "reserved", "trade_undone", RESERVED_FOR),
        ("seller", "confirm"): COMPLETE,
        ("seller", "problem"): PROBLEM,
        ("buyer", "problem"): PROBLEM,
    },
    "shipped": {
        ("buyer", "confirm"): COMPLETE,
        ("buyer", "problem"): PROBLEM,
        ("buyer", "consent-cancel"): Edge(
            "shipped", "reserved", "trade_cancel_consented", DELIVERED_IN
        ),
    },
    "shipped with consent": {
        ("buyer", "confirm"): COMPLETE,
        ("buyer", "problem"): PROBLEM,
        ("seller", "cancel"): CANCEL,
    },
    "problem": {
        ("buyer", "withdraw-problem"): Edge(
            "handed_over", "reserved", "trade_problem_withdrawn", CONFIRM_IN
        )
    },
    "problem with a parcel": {
        ("buyer", "withdraw-problem"): Edge(
            "shipped", "reserved", "trade_problem_withdrawn", DELIVERED_IN
        )
    },
    "completed": {},
    "completed by post": {},
    "canceled": {},
}
# A party's own finished action, asked for again, is answered with the present trade.
REPEATS = {
    "handed over": {("seller", "confirm")},
    "received": {("buyer", "confirm")},
    "shipped": {("seller", "ship")},
    "shipped with consent": {("seller", "ship"), ("buyer", "consent-cancel")},
    "problem": {("buyer", "problem")},
    "problem with a parcel": {("buyer", "problem")},
    "completed": {("seller", "confirm"), ("buyer", "confirm")},
    "completed by post": {("buyer", "confirm")},
    "canceled": {("buyer", "cancel")},
}
EDGES = [
    (situation, role, action) for situation, edges in ALLOWED.items() for role, action in edges
]


async def brought_to(market: Market, situation: str) -> tuple[Deal, dict[str, Any]]:
    deal = await market.deal()
    trade = await market.reserved(deal, "post" if situation in BY_POST else "meet")
    for role, action in WAYS[situation]:
        trade = await market.act(deal.party(role), trade, action, **BODIES[action])
    return deal, trade


@pytest.mark.parametrize(("situation", "role", "action"), EDGES)
async def test_an_allowed_action_does_exactly_what_the_rules_say(
    market: Market, situation: str, role: str, action: str
) -> None:
    deal, trade = await brought_to(market, situation)
    edge = ALLOWED[situation][role, action]
    actor = deal.party(role)
    other = deal.buyer if role == "seller" else deal.seller
    shown = action.replace("-", "_")
    assert shown in (await market.trade(actor, trade["id"]))["allowed_actions"]
    lines, notices = await market.lines(actor, deal.room_id), await market.notices(other)

    after = await market.act(actor, trade, action, **BODIES[action])

    assert (after["state"], after["version"]) == (edge.state, trade["version"] + 1)
    assert after["agreed_price"] == trade["agreed_price"], "I4"
    listing = await done(deal.seller.get(f"/v1/listings/{deal.listing_id}"))
    assert listing["state"] == edge.listing
    assert await market.lines(actor, deal.room_id) == [*lines, edge.event]
    told = await market.notices(other)
    assert [notice["event"] for notice in told[: len(told) - len(notices)]] == [edge.event]
    assert after["timeline"][-1]["event"] == edge.event.removeprefix("trade_")
    assert after["timeline"][-1]["actor_id"] == str(actor.id)
    assert hours_until_due(market, after) == edge.due_in_hours
    await check_invariants(market)


def hours_until_due(market: Market, trade: dict[str, Any]) -> float | None:
    if trade["due_at"] is None:
        return None
    left = datetime.fromisoformat(trade["due_at"]) - market.clock.now()
    return left.total_seconds() / 3600


REFUSALS = {
    ("completed", "seller", "cancel"): (409, "terminal"),
    ("canceled", "seller", "confirm"): (409, "terminal"),
    ("canceled", "seller", "cancel"): (409, "terminal"),
    ("handed over", "seller", "cancel"): (409, "wrong_state"),
    ("handed over", "buyer", "undo"): (403, "not_your_confirmation"),
    ("problem", "seller", "withdraw-problem"): (403, "not_your_problem_report"),
    ("reserved to meet", "buyer", "ship"): (403, "wrong_role"),
    ("reserved to meet", "seller", "ship"): (409, "not_by_post"),
    ("reserved by post", "buyer", "confirm"): (409, "not_shipped"),
    ("shipped", "seller", "cancel"): (409, "consent_needed"),
    ("shipped", "seller", "consent-cancel"): (403, "wrong_role"),
}


@pytest.mark.parametrize("situation", WAYS)
async def test_everything_else_is_neither_offered_nor_done(market: Market, situation: str) -> None:
    deal, trade = await brought_to(market, situation)
    for role in ("seller", "buyer"):
        shown = set((await market.trade(deal.party(role), trade["id"]))["allowed_actions"])
        expected = {act.replace("-", "_") for who, act in ALLOWED[situation] if who == role}
        reviewable = {"review"} if trade["state"] == "completed" else set()
        assert shown == expected | reviewable
        for action in BODIES:
            if (role, action) not in ALLOWED[situation]:
                await refused_or_repeated(market, deal, trade, (situation, role, action))
    now = await market.trade(deal.seller, trade["id"])
    assert (now["state"], now["version"]) == (trade["state"], trade["version"])
    await check_invariants(market)


async def refused_or_repeated(
    market: Market, deal: Deal, trade: dict[str, Any], attempt: tuple[str, str, str]
) -> None:
    situation, role, action = attempt
    answer = await market.try_to(deal.party(role), trade, action, **BODIES[action])
    body = answer.json()
    if (role, action) in REPEATS.get(situation, set()):
        assert (answer.status_code, body["version"]) == (200, trade["version"])
        return
    assert answer.status_code in (403, 409), (attempt, answer.text)
    assert (answer.status_code, body["code"]) == REFUSALS.get(
        attempt, (answer.status_code, body["code"])
    )
    if answer.status_code == 409:
        assert body["current"]["version"] == trade["version"]


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("cancel", {"reason": "bored"}, "reason"),
        ("ship", {"carrier": "pigeon", "tracking_number": "123456"}, "carrier"),
        ("ship", {"carrier": "cj", "tracking_number": "12-34"}, "tracking_number"),
        ("problem", {"reason": "sad", "detail": "It is."}, "reason"),
        ("problem", {"reason": "damaged", "detail": ""}, "detail"),
    ],
)
async def test_what_is_on_no_list_is_bad_input(
    market: Market, action: str, body: dict[str, str], field: str
) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal, "post")
    answer = await market.try_to(deal.seller, trade, action, **body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_an_old_version_is_stale_and_shows_the_present_trade(market: Market) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal)
    await market.act(deal.seller, trade, "confirm")
    answer = await market.try_to(deal.buyer, trade, "cancel", reason="price")
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    assert answer.json()["current"]["state"] == "handed_over"
    assert answer.json()["current"]["role"] == "buyer"


async def test_confirming_goes_through_whatever_version_it_names(market: Market) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal)
    await market.act(deal.seller, trade, "confirm")
    after = await market.act(deal.buyer, trade, "confirm")
    assert after["state"] == "completed"


async def test_ones_own_finished_action_again_is_the_present_trade_at_any_version(
    market: Market,
) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal)
    canceled = await market.act(deal.buyer, trade, "cancel", reason="price")
    again = await market.act(deal.buyer, trade, "cancel", reason="price")
    assert again == canceled
    answer = await market.try_to(deal.seller, trade, "cancel", reason="price")
    assert (answer.status_code, answer.json()["code"]) == (409, "stale")
    await check_invariants(market)


async def test_undo_is_over_after_thirty_minutes(market: Market) -> None:
    deal = await market.deal()
    trade = await market.act(deal.seller, await market.reserved(deal), "confirm")
    await market.later(minutes=31)
    answer = await market.try_to(deal.seller, trade, "undo")
    assert (answer.status_code, answer.json()["code"]) == (409, "too_late")


async def test_a_completed_trade_counts_for_both_and_closes_the_other_rooms(
    market: Market,
) -> None:
    deal = await market.deal()
    rival = await market.person("rival")
    rival_room = await market.open_room(rival, deal.listing_id)
    await market.completed(deal)
    assert (await done(deal.seller.get("/v1/me")))["sales"] == 1
    assert (await done(deal.buyer.get("/v1/me")))["purchases"] == 1
    room = await done(rival.get(f"/v1/chatrooms/{rival_room}"))
    assert room["state"] == "read_only"
    assert (await market.lines(rival, rival_room))[-2:] == ["listing_reserved", "listing_sold"]
    own = await done(deal.buyer.get(f"/v1/chatrooms/{deal.room_id}"))
    assert own["state"] == "open"
    assert own["trade"]["state"] == "completed"


async def test_a_cancelled_listing_can_be_sold_again(market: Market) -> None:
    deal = await market.deal()
    await market.act(deal.buyer, await market.reserved(deal), "cancel", reason="price")
    rival = await market.person("rival")
    room_id = await market.open_room(rival, deal.listing_id)
    again = Deal(deal.seller, rival, deal.listing_id, room_id)
    completed = await market.completed(again)
    assert completed["state"] == "completed"
    trades = await done(deal.seller.get("/v1/trades"))
    assert [trade["state"] for trade in trades["items"]] == ["completed", "canceled"]
    await check_invariants(market)


async def test_the_parcel_can_be_followed(market: Market) -> None:
    deal, trade = await brought_to(market, "shipped")
    seen = await market.trade(deal.buyer, trade["id"])
    assert (seen["carrier"], seen["tracking_number"]) == ("cj", "1234567890")
    assert seen["tracking_url"].endswith("slipno=1234567890")


@pytest.mark.parametrize("state", ["handed_over", "shipped"])
async def test_a_withdrawn_problem_leaves_nothing_behind(market: Market, state: str) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal, "post" if state == "shipped" else "meet")
    action = "ship" if state == "shipped" else "confirm"
    trade = await market.act(deal.seller, trade, action, **BODIES.get(action, {}))
    trade = await market.act(deal.buyer, trade, "problem", **BODIES["problem"])
    assert trade["problem_reason"] == BODIES["problem"]["reason"]
    trade = await market.act(deal.buyer, trade, "withdraw-problem")
    assert (trade["state"], trade["problem_reason"], trade["problem_by"]) == (state, None, None)
    trade = await market.act(deal.buyer, trade, "confirm")
    page = await done(deal.buyer.get(f"/v1/chatrooms/{deal.room_id}/messages?limit=100"))
    reasons = {
        item["system"]["event"]: item["system"]["data"]["reason"]
        for item in page["items"]
        if item["system"] and item["system"]["event"].startswith("trade_")
    }
    assert reasons.pop("trade_problem_reported") == BODIES["problem"]["reason"]
    assert set(reasons.values()) == {None}
