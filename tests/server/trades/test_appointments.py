"""When and where to meet (rule 12, T5)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from server.chat import api as chat
from server.platform.unit_of_work import transact
from tests.server.conftest import Person, problem
from tests.server.trades.market import Deal, Market, check_invariants, done


def body(market: Market, **ahead: float) -> dict[str, str]:
    """A proposal so far ahead; three days when nothing is said."""
    at = market.clock.now() + timedelta(**(ahead or {"days": 3}))
    return {"at": at.isoformat(), "place": "Mapo station"}


async def propose(market: Market, deal: Deal, role: str, **ahead: float) -> dict[str, Any]:
    path = f"/v1/chatrooms/{deal.room_id}/appointments"
    return await done(deal.party(role).post(path, body(market, **ahead)))


async def accepted(market: Market, deal: Deal, **ahead: float) -> dict[str, Any]:
    """What the buyer proposed and the seller accepted."""
    found = await propose(market, deal, "buyer", **ahead)
    return await done(deal.seller.post(f"/v1/appointments/{found['id']}/accept"))


async def deal_on(market: Market, deal: Deal, buyer: Person) -> Deal:
    """Another buyer with a room on the same listing."""
    room_id = await market.open_room(buyer, deal.listing_id)
    return Deal(deal.seller, buyer, deal.listing_id, room_id)


async def test_either_proposes_and_the_other_accepts(market: Market) -> None:
    deal = await market.deal()
    found = await propose(market, deal, "seller")
    assert (found["state"], found["allowed_actions"]) == ("proposed", ["cancel"])
    path = f"/v1/appointments/{found['id']}/accept"
    problem(await deal.seller.post(path), 403, "wrong_role")
    agreed = await done(deal.buyer.post(path))
    assert agreed["state"] == "accepted"
    assert await done(deal.buyer.post(path)) == agreed
    room = await done(deal.seller.get(f"/v1/chatrooms/{deal.room_id}"))
    assert room["appointment"]["id"] == found["id"]
    lines = await market.lines(deal.seller, deal.room_id)
    assert lines[-2:] == ["appointment_proposed", "appointment_accepted"]
    assert [notice["event"] for notice in await market.notices(deal.seller)] == [
        "appointment_accepted"
    ]


@pytest.mark.parametrize(
    ("ahead", "code"), [({"minutes": 9}, "too_soon"), ({"days": 30, "minutes": 1}, "too_late")]
)
async def test_a_time_out_of_bounds_is_refused(
    market: Market, ahead: dict[str, float], code: str
) -> None:
    deal = await market.deal()
    path = f"/v1/chatrooms/{deal.room_id}/appointments"
    answer = await deal.buyer.post(path, body(market, **ahead))
    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["errors"]] == [code]


@pytest.mark.parametrize("words", [{"place": "evil.com/pay"}, {"reason": "write to a@evil.com"}])
async def test_a_place_and_a_reason_hold_no_more_than_a_message_may(
    market: Market, words: dict[str, str]
) -> None:
    deal = await market.deal()
    path = f"/v1/chatrooms/{deal.room_id}/appointments"
    answer = await deal.buyer.post(path, body(market) | words)
    assert answer.status_code == 422
    problems = [(error["field"], error["code"]) for error in answer.json()["errors"]]
    assert problems == [(next(iter(words)), "message_blocked")]
    there = {"place": "https://map.naver.com/p/1", "reason": "010-1234-5678"}
    await done(deal.buyer.post(path, body(market) | there))


async def test_a_new_proposal_replaces_the_old_one(market: Market) -> None:
    deal = await market.deal()
    first = await propose(market, deal, "buyer")
    second = await propose(market, deal, "seller", days=4)
    assert await propose(market, deal, "seller", days=4) == second
    refused = await deal.seller.post(f"/v1/appointments/{first['id']}/accept")
    assert problem(refused, 409, "wrong_state")["current"]["state"] == "replaced"


async def test_an_accepted_one_within_the_hour_is_changed_with_a_reason_only(
    market: Market,
) -> None:
    deal = await market.deal()
    await accepted(market, deal, minutes=61)
    await market.later(minutes=1)
    path = f"/v1/chatrooms/{deal.room_id}/appointments"
    answer = await deal.buyer.post(path, body(market))
    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["errors"]] == ["reason_required"]
    changed = await done(deal.buyer.post(path, body(market) | {"reason": "The bus is late."}))
    assert changed["state"] == "proposed"


async def test_an_accepted_one_moves_the_end_of_the_reservation(market: Market) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal)
    meeting = await accepted(market, deal, days=10)
    moved = await market.trade(deal.buyer, trade["id"])
    assert moved["due_at"].startswith("2026-03-15T09:00"), "72 h after the time"
    assert moved["version"] == trade["version"], "it is no transition"
    await market.later(days=8)
    assert (await market.trade(deal.buyer, trade["id"]))["state"] == "reserved"
    await done(deal.buyer.post(f"/v1/appointments/{meeting['id']}/cancel"))
    moved = await market.trade(deal.buyer, trade["id"])
    assert moved["due_at"].startswith("2026-03-17T09:00"), "seven days without one"
    await check_invariants(market)


async def test_reserving_after_an_agreed_time_lasts_until_72_hours_after_it(
    market: Market,
) -> None:
    deal = await market.deal()
    await accepted(market, deal, days=20)
    trade = await market.reserved(deal)
    assert trade["due_at"].startswith("2026-03-25T09:00")


async def test_both_are_reminded_once_each_a_day_an_hour_and_ten_minutes_before(
    market: Market,
) -> None:
    deal = await market.deal()
    await accepted(market, deal, days=3)
    for span in ({"days": 2}, {"hours": 23}, {"minutes": 50}, {"minutes": 10}):
        await market.later(**span)
    for party in (deal.seller, deal.buyer):
        reminders = [
            notice["data"]["minutes"]
            for notice in await market.notices(party)
            if notice["event"] == "appointment_reminder"
        ]
        assert reminders == [10, 60, 24 * 60]


async def test_a_reminder_that_is_past_is_left_out(market: Market) -> None:
    deal = await market.deal()
    await accepted(market, deal, minutes=30)
    await market.later(minutes=20)
    reminders = [
        notice["data"]["minutes"]
        for notice in await market.notices(deal.buyer)
        if notice["event"] == "appointment_reminder"
    ]
    assert reminders == [10]


async def test_a_cancelled_one_reminds_nobody(market: Market) -> None:
    deal = await market.deal()
    found = await accepted(market, deal, days=3)
    canceled = await done(deal.seller.post(f"/v1/appointments/{found['id']}/cancel"))
    assert (canceled["state"], canceled["allowed_actions"]) == ("canceled", [])
    await market.later(days=2)
    told = [notice["event"] for notice in await market.notices(deal.seller)]
    assert "appointment_reminder" not in told


async def test_a_no_show_is_reported_from_15_minutes_after_the_time_on(market: Market) -> None:
    deal = await market.deal()
    found = await accepted(market, deal, hours=1)
    path = f"/v1/appointments/{found['id']}/no-show"
    await market.later(hours=1, minutes=14)
    problem(await deal.buyer.post(path), 409, "too_early")
    await market.later(minutes=1)
    reported = await done(deal.buyer.post(path))
    assert reported["no_show_by"] == str(deal.seller.id)
    assert await done(deal.buyer.post(path)) == reported
    problem(await deal.seller.post(path), 409, "already_reported")
    listing = await done(deal.seller.get(f"/v1/listings/{deal.listing_id}"))
    assert listing["state"] == "selling", "it changes no listing"


async def test_cancelling_the_trade_drops_the_appointment(market: Market) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal)
    found = await accepted(market, deal)
    await market.act(deal.seller, trade, "cancel", reason="price")
    room = await done(deal.seller.get(f"/v1/chatrooms/{deal.room_id}"))
    assert room["appointment"] is None
    refused = await deal.seller.post(f"/v1/appointments/{found['id']}/cancel")
    assert problem(refused, 409, "wrong_state")["current"]["state"] == "dropped"


async def test_nobody_arranges_to_meet_about_what_is_reserved_for_another(market: Market) -> None:
    deal = await market.deal()
    rival = await market.person("rival")
    room_id = await market.open_room(rival, deal.listing_id)
    await market.reserved(deal)
    path = f"/v1/chatrooms/{room_id}/appointments"
    problem(await rival.post(path, body(market)), 409, "already_reserved")


async def test_nobody_agrees_to_meet_about_what_is_reserved_for_another(market: Market) -> None:
    deal = await market.deal()
    rival = await market.person("rival")
    theirs = await deal_on(market, deal, rival)
    proposed = await propose(market, theirs, "buyer", days=20)
    room = f"/v1/chatrooms/{theirs.room_id}"
    shown = (await done(deal.seller.get(room)))["appointment"]
    assert shown["allowed_actions"] == ["accept", "cancel"]
    trade = await market.reserved(deal)
    shown = (await done(deal.seller.get(room)))["appointment"]
    assert shown["allowed_actions"] == ["cancel"]
    path = f"/v1/appointments/{proposed['id']}/accept"
    problem(await deal.seller.post(path), 409, "already_reserved")
    assert (await market.trade(deal.buyer, trade["id"]))["due_at"] == trade["due_at"]
    await check_invariants(market)


async def test_an_appointment_moves_no_reservation_but_its_rooms(market: Market) -> None:
    deal = await market.deal()
    rival = await market.person("rival")
    theirs = await deal_on(market, deal, rival)
    found = await accepted(market, theirs, days=20)
    trade = await market.reserved(deal)
    await market.later(days=1)
    await done(rival.post(f"/v1/appointments/{found['id']}/cancel"))
    assert (await market.trade(deal.buyer, trade["id"]))["due_at"] == trade["due_at"]
    await check_invariants(market)


@pytest.mark.parametrize("state", ["handed_over", "disputed"])
async def test_an_appointment_moves_no_timer_of_a_later_state(market: Market, state: str) -> None:
    deal = await market.deal()
    found = await accepted(market, deal, days=20)
    trade = await market.act(deal.seller, await market.reserved(deal), "confirm")
    if state == "disputed":
        body = {"reason": "damaged", "detail": "It is broken."}
        trade = await market.act(deal.buyer, trade, "problem", **body)
    await market.later(hours=1)
    await done(deal.buyer.post(f"/v1/appointments/{found['id']}/cancel"))
    after = await market.trade(deal.buyer, trade["id"])
    assert (after["state"], after["due_at"]) == (state, trade["due_at"])
    await check_invariants(market)


@pytest.mark.parametrize("how", ["replaced", "trade canceled"])
async def test_who_did_not_come_cannot_take_the_report_away(market: Market, how: str) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal)
    found = await accepted(market, deal, hours=1)
    await market.later(hours=1, minutes=14)
    if how == "replaced":
        await propose(market, deal, "seller")
    else:
        await market.act(deal.seller, trade, "cancel", reason="other")
        header = await done(deal.buyer.get(f"/v1/chatrooms/{deal.room_id}"))
        assert header["appointment"]["id"] == found["id"]
    path = f"/v1/appointments/{found['id']}/no-show"
    problem(await deal.buyer.post(path), 409, "too_early")
    await market.later(minutes=1)
    reported = await done(deal.buyer.post(path))
    assert (reported["state"], reported["no_show_by"]) == ("accepted", str(deal.seller.id))
    assert await done(deal.buyer.post(path)) == reported
    header = await done(deal.buyer.get(f"/v1/chatrooms/{deal.room_id}"))
    assert (header["appointment"] is None) == (how == "trade canceled")
    await check_invariants(market)


async def test_what_was_never_agreed_on_is_not_reported(market: Market) -> None:
    deal = await market.deal()
    found = await propose(market, deal, "buyer", hours=1)
    await market.later(hours=2)
    await propose(market, deal, "buyer")
    problem(await deal.buyer.post(f"/v1/appointments/{found['id']}/no-show"), 409, "wrong_state")


async def test_nobody_is_reported_absent_from_a_completed_trade(market: Market) -> None:
    deal = await market.deal()
    replaced = await accepted(market, deal, hours=1)
    await market.later(hours=2)
    found = await accepted(market, deal, hours=1)
    await market.later(hours=2)
    await market.completed(deal)
    for meeting in (replaced, found):
        path = f"/v1/appointments/{meeting['id']}/no-show"
        refused = problem(await deal.buyer.post(path), 409, "wrong_state")
        assert (refused["current"]["state"], refused["current"]["allowed_actions"]) == (
            "dropped",
            [],
        )
    assert (await done(deal.buyer.get(f"/v1/chatrooms/{deal.room_id}")))["appointment"] is None


@pytest.mark.parametrize("reason", ["sold", "sold elsewhere", "deleted", "buyer blocked", "left"])
async def test_an_appointment_ends_with_its_reason(market: Market, reason: str) -> None:
    deal = await market.deal()
    rival = await market.person("rival")
    theirs = await deal_on(market, deal, rival)
    found = await accepted(market, theirs)
    if reason == "sold":
        await market.completed(deal)
    elif reason == "sold elsewhere":
        await done(deal.seller.post(f"/v1/listings/{deal.listing_id}/sold-elsewhere"))
    elif reason == "deleted":
        assert (await deal.seller.delete(f"/v1/listings/{deal.listing_id}")).status_code == 204
    elif reason == "buyer blocked":
        assert (await deal.seller.put(f"/v1/accounts/{rival.id}/block")).status_code == 204
    else:
        assert (await rival.delete("/v1/me")).status_code == 204
    room = await done(deal.seller.get(f"/v1/chatrooms/{theirs.room_id}"))
    assert room["appointment"] is None
    path = f"/v1/appointments/{found['id']}/cancel"
    assert (
        problem(await deal.seller.post(path), 409, "wrong_state")["current"]["state"] == "dropped"
    )
    await market.later(days=2)
    told = [notice["event"] for notice in await market.notices(deal.seller)]
    assert "appointment_reminder" not in told


async def test_nobody_is_reminded_in_a_closed_room(market: Market) -> None:
    deal = await market.deal()
    await accepted(market, deal)
    listing_id = UUID(deal.listing_id)
    await transact(market.context, None, lambda work: chat.close_rooms(work, listing_id))
    await market.later(days=2)
    told = [notice["event"] for notice in await market.notices(deal.seller)]
    assert "appointment_reminder" not in told


async def test_nobody_is_reminded_to_meet_about_what_another_has_reserved(market: Market) -> None:
    deal = await market.deal()
    rival = await market.person("rival")
    others = await deal_on(market, deal, rival)
    await accepted(market, others, hours=3)
    trade = await market.reserved(deal)
    await market.later(hours=2)
    told = [notice["event"] for notice in await market.notices(rival)]
    assert "appointment_reminder" not in told
    await market.act(deal.seller, trade, "cancel", reason="other")
    await market.later(minutes=50)
    told = [notice["event"] for notice in await market.notices(rival)]
    assert told[0] == "appointment_reminder", "it is theirs again"


async def test_what_goes_by_post_is_not_met_for(market: Market) -> None:
    deal = await market.deal()
    trade = await market.reserved(deal, "post")
    path = f"/v1/chatrooms/{deal.room_id}/appointments"
    problem(await deal.buyer.post(path, body(market)), 409, "by_post")
    for party in (deal.seller, deal.buyer):
        room = await done(party.get(f"/v1/chatrooms/{deal.room_id}"))
        assert "appointment" not in room["allowed_actions"]
    assert (await market.trade(deal.buyer, trade["id"]))["due_at"] == trade["due_at"]


async def test_what_was_arranged_is_off_once_it_goes_by_post(market: Market) -> None:
    deal = await market.deal()
    found = await accepted(market, deal, days=20)
    trade = await market.reserved(deal, "post")
    assert trade["due_at"].startswith("2026-03-09T09:00"), "seven days, not 72 h after it"
    room = await done(deal.buyer.get(f"/v1/chatrooms/{deal.room_id}"))
    assert room["appointment"] is None
    problem(await deal.seller.post(f"/v1/appointments/{found['id']}/cancel"), 409, "wrong_state")
    await market.later(days=19)
    told = [notice["event"] for notice in await market.notices(deal.buyer)]
    assert "appointment_reminder" not in told
    await check_invariants(market)
