"""The table of transitions against the rules' own table, for every state, role and action."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from server.trades.guards import Denied, Details, Role, Step
from server.trades.machine import (
    PARTY_ACTIONS,
    TRANSITIONS,
    Goods,
    Timer,
    allowed_actions,
    already_done,
    changes,
    choose,
    due_after,
    is_open,
    reservation_due,
)
from server.trades.records import TradeRecord
from shared_models.market import Limits
from shared_models.trades import TradeState

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
LIMITS = Limits()
SELLER, BUYER = UUID(int=1), UUID(int=2)
PEOPLE = {Role.SELLER: SELLER, Role.BUYER: BUYER, Role.SYSTEM: None, Role.MODERATOR: None}
ACTIONS = sorted({edge.action for edge in TRANSITIONS})


def a_trade(state: str = "reserved", **columns: object) -> TradeRecord:
    trade = TradeRecord(
        id=UUID(int=3),
        version=1,
        listing_id=UUID(int=4),
        chatroom_id=UUID(int=5),
        seller_id=SELLER,
        buyer_id=BUYER,
        agreed_price=10_000,
        method="meet",
        state=state,
        due_at=NOW + timedelta(hours=1),
        seller_confirmed_at=None,
        buyer_confirmed_at=None,
        cancel_reason=None,
        cancel_consented_at=None,
        carrier=None,
        tracking_number=None,
        problem_reason=None,
        problem_by=None,
        disputed_from=None,
        auto_completed=False,
        completed_at=None,
        review_until=None,
        snapshot={},
        created_at=NOW - timedelta(days=1),
        updated_at=NOW - timedelta(days=1),
        last_event="reserved",
        last_actor_id=SELLER,
    )
    return replace(trade, **columns)  # type: ignore[arg-type]


def handed_over_by(role: Role, ago: timedelta = timedelta(minutes=5)) -> TradeRecord:
    return a_trade(
        "handed_over",
        last_event="handed_over",
        last_actor_id=PEOPLE[role],
        **{f"{role}_confirmed_at": NOW - ago},
    )


def step(role: Role, **details: str) -> Step:
    return Step(role, PEOPLE[role], NOW, LIMITS, Details(**details))


SITUATIONS = {
    "reserved to meet": a_trade(),
    "reserved by post": a_trade(method="post"),
    "handed over by the seller": handed_over_by(Role.SELLER),
    "received by the buyer": handed_over_by(Role.BUYER),
    "handed over long ago": handed_over_by(Role.SELLER, timedelta(minutes=31)),
    "handed over and overdue": replace(handed_over_by(Role.SELLER), due_at=NOW),
    "shipped": a_trade("shipped", method="post"),
    "shipped with consent": a_trade("shipped", method="post", cancel_consented_at=NOW),
    "shipped and overdue": a_trade("shipped", method="post", due_at=NOW),
    "reserved and overdue": a_trade(due_at=NOW),
    "problem of the seller": a_trade("disputed", problem_by=SELLER, disputed_from="handed_over"),
    "problem of the buyer": a_trade("disputed", problem_by=BUYER, disputed_from="handed_over"),
    "problem with a parcel": a_trade(
        "disputed", method="post", problem_by=BUYER, disputed_from="shipped"
    ),
    "problem and overdue": a_trade(
        "disputed", problem_by=BUYER, disputed_from="handed_over", due_at=NOW
    ),
    "completed": a_trade("completed", seller_confirmed_at=NOW, buyer_confirmed_at=NOW, due_at=None),
    "canceled": a_trade("canceled", cancel_reason="price", due_at=None),
}

RESERVED_EDGES = {
    ("seller", "cancel"): "T6",
    ("buyer", "cancel"): "T6",
    ("seller", "block"): "T14",
    ("buyer", "block"): "T14",
    ("moderator", "remove"): "T14",
}
MEETING = RESERVED_EDGES | {("seller", "confirm"): "T7", ("buyer", "confirm"): "T7"}
PROBLEM = {("seller", "problem"): "T11", ("buyer", "problem"): "T11"}
DISPUTE = {
    ("moderator", "resolve_completed"): "T12",
    ("moderator", "resolve_canceled"): "T12",
}
EXPECTED: dict[str, dict[tuple[str, str], str]] = {
    "reserved to meet": MEETING,
    "reserved by post": RESERVED_EDGES | {("seller", "ship"): "P1"},
    "handed over by the seller": PROBLEM | {("buyer", "confirm"): "T8", ("seller", "undo"): "T10"},
    "received by the buyer": PROBLEM | {("seller", "confirm"): "T8", ("buyer", "undo"): "T10"},
    "handed over long ago": PROBLEM | {("buyer", "confirm"): "T8"},
    "handed over and overdue": PROBLEM
    | {("buyer", "confirm"): "T8", ("seller", "undo"): "T10", ("system", "timer"): "T9"},
    "shipped": {
        ("buyer", "confirm"): "P2",
        ("buyer", "problem"): "P4",
        ("buyer", "consent_cancel"): "P5",
    },
    "shipped with consent": {
        ("buyer", "confirm"): "P2",
        ("buyer", "problem"): "P4",
        ("seller", "cancel"): "P5",
    },
    "shipped and overdue": {
        ("buyer", "confirm"): "P2",
        ("buyer", "problem"): "P4",
        ("buyer", "consent_cancel"): "P5",
        ("system", "timer"): "P3",
    },
    "reserved and overdue": MEETING | {("system", "timer"): "T13"},
    "problem of the seller": DISPUTE | {("seller", "withdraw_problem"): "T12"},
    "problem of the buyer": DISPUTE | {("buyer", "withdraw_problem"): "T12"},
    "problem with a parcel": DISPUTE | {("buyer", "withdraw_problem"): "P4"},
    "problem and overdue": DISPUTE
    | {("buyer", "withdraw_problem"): "T12", ("system", "timer"): "T12b"},
    "completed": {},
    "canceled": {},
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_role_may_take_exactly_the_transitions_of_the_rules(situation: str) -> None:
    trade = SITUATIONS[situation]
    found = {}
    for role, action in product(Role, ACTIONS):
        try:
            found[(role.value, action)] = choose(trade, action, step(role)).number
        except Denied:
            continue
    assert found == EXPECTED[situation]


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("role", [Role.SELLER, Role.BUYER])
def test_a_party_is_shown_exactly_what_it_may_do(situation: str, role: Role) -> None:
    shown = allowed_actions(SITUATIONS[situation], step(role), review_until=None)
    possible = {action for who, action in EXPECTED[situation] if who == role}
    assert set(shown) == possible & set(PARTY_ACTIONS)


@pytest.mark.parametrize(
    ("situation", "role", "action", "code", "forbidden"),
    [
        ("completed", Role.SELLER, "cancel", "terminal", False),
        ("canceled", Role.BUYER, "confirm", "terminal", False),
        ("handed over by the seller", Role.SELLER, "cancel", "wrong_state", False),
        ("handed over by the seller", Role.SELLER, "confirm", "already_confirmed", False),
        ("handed over by the seller", Role.BUYER, "undo", "not_your_confirmation", True),
        ("handed over long ago", Role.SELLER, "undo", "too_late", False),
        ("reserved to meet", Role.BUYER, "ship", "wrong_role", True),
        ("reserved to meet", Role.SELLER, "ship", "not_by_post", False),
        ("reserved by post", Role.BUYER, "confirm", "not_shipped", False),
        ("shipped", Role.SELLER, "confirm", "wrong_role", True),
        ("shipped", Role.SELLER, "cancel", "consent_needed", False),
        ("shipped", Role.BUYER, "cancel", "wrong_role", True),
        ("shipped", Role.SELLER, "consent_cancel", "wrong_role", True),
        ("shipped", Role.SYSTEM, "timer", "not_due", False),
        ("problem of the buyer", Role.SELLER, "withdraw_problem", "not_your_problem_report", True),
        ("reserved to meet", Role.SELLER, "resolve_completed", "wrong_role", True),
    ],
)
def test_a_refusal_says_why(
    situation: str, role: Role, action: str, code: str, forbidden: bool
) -> None:
    with pytest.raises(Denied) as denied:
        choose(SITUATIONS[situation], action, step(role))
    assert (denied.value.denial.code, denied.value.denial.forbidden) == (code, forbidden)


def test_the_listing_is_sold_released_or_kept_as_the_rules_say() -> None:
    for edge in TRANSITIONS:
        if edge.target is TradeState.COMPLETED:
            assert edge.goods is Goods.SOLD
        elif edge.target is TradeState.CANCELED:
            hidden = edge.source is TradeState.DISPUTED
            assert edge.goods is (Goods.RELEASED_HIDDEN if hidden else Goods.RELEASED)
        else:
            assert edge.goods is Goods.STAYS


def test_an_open_trade_always_has_a_timer_and_a_final_one_never() -> None:
    for edge in TRANSITIONS:
        assert (edge.timer is Timer.NONE) == (not is_open(edge.target))


def test_no_transition_leaves_a_final_state() -> None:
    assert all(is_open(edge.source) for edge in TRANSITIONS)


@pytest.mark.parametrize(
    ("timer", "wait"),
    [
        (Timer.RESERVATION, timedelta(days=7)),
        (Timer.CONFIRMATION, timedelta(hours=72)),
        (Timer.DELIVERY, timedelta(days=7)),
        (Timer.DISPUTE, timedelta(days=30)),
    ],
)
def test_timers_run_as_long_as_the_rules_say(timer: Timer, wait: timedelta) -> None:
    assert due_after(timer, a_trade(), NOW, LIMITS, None) == NOW + wait


def test_a_reservation_with_an_appointment_lasts_until_72_hours_after_it() -> None:
    meeting = NOW + timedelta(days=20)
    assert reservation_due(NOW, LIMITS, meeting) == meeting + timedelta(hours=72)
    assert reservation_due(NOW, LIMITS, NOW - timedelta(days=5)) == NOW + timedelta(days=7)


def test_a_confirmation_is_noted_for_its_own_side_only() -> None:
    edge = choose(a_trade(), "confirm", step(Role.BUYER))
    due = NOW + timedelta(hours=72)
    assert changes(a_trade(), edge, step(Role.BUYER), due) == {
        "state": "handed_over",
        "due_at": due,
        "buyer_confirmed_at": NOW,
    }


def test_completing_opens_the_review_window_for_14_days() -> None:
    trade = handed_over_by(Role.SELLER)
    edge = choose(trade, "confirm", step(Role.BUYER))
    columns = changes(trade, edge, step(Role.BUYER), None)
    assert columns["completed_at"] == NOW
    assert columns["review_until"] == NOW + timedelta(days=14)
    assert columns["buyer_confirmed_at"] == NOW


def test_a_problem_notes_who_what_and_from_where() -> None:
    attempt = step(Role.BUYER, reason="damaged", note="The lens is broken.")
    trade = SITUATIONS["shipped"]
    columns = changes(trade, choose(trade, "problem", attempt), attempt, NOW)
    assert columns == {
        "state": "disputed",
        "due_at": NOW,
        "problem_reason": "damaged",
        "problem_detail": "The lens is broken.",
        "problem_by": BUYER,
        "disputed_from": "shipped",
    }


def test_a_review_is_offered_while_the_window_is_open_and_none_is_written() -> None:
    trade, buyer = a_trade("completed"), step(Role.BUYER)
    in_time = NOW + timedelta(seconds=1)
    assert allowed_actions(trade, buyer, review_until=in_time) == ["review"]
    assert allowed_actions(trade, buyer, review_until=None) == []
    assert allowed_actions(trade, buyer, review_until=NOW) == []


def test_a_repeat_is_recognised_by_who_did_it_and_while_it_holds() -> None:
    mine = handed_over_by(Role.SELLER)
    assert already_done(mine, "confirm", step(Role.SELLER))
    assert not already_done(mine, "confirm", step(Role.BUYER))
    canceled = a_trade("canceled", last_event="canceled", last_actor_id=BUYER)
    assert already_done(canceled, "cancel", step(Role.BUYER))
    assert not already_done(canceled, "cancel", step(Role.SELLER))
    assert not already_done(a_trade(), "confirm", step(Role.SELLER))


def test_shipping_again_is_a_repeat_only_with_the_same_number() -> None:
    trade = a_trade("shipped", method="post", carrier="cj", tracking_number="123456")
    assert already_done(trade, "ship", step(Role.SELLER, carrier="cj", tracking_number="123456"))
    assert not already_done(
        trade, "ship", step(Role.SELLER, carrier="cj", tracking_number="654321")
    )


def test_a_timer_of_nobody_is_nobodys_repeat() -> None:
    expired = a_trade("canceled", last_event="canceled", last_actor_id=None)
    assert not already_done(expired, "cancel", step(Role.SYSTEM))
