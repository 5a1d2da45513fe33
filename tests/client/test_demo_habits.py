"""What people of the demo market do next, by what the server allows them."""

from datetime import UTC, datetime
from random import Random
from uuid import UUID, uuid4

import pytest

from client_tui.demo.habits import first_step, next_step
from client_tui.demo.lines import answer_to, topic_of
from shared_models.accounts import ProfileCard
from shared_models.chat import ChatroomDetail, Message, MessageKind, SystemNote
from shared_models.listings import ListingCard, ListingState
from shared_models.market import Method
from shared_models.trades import Offer, OfferState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SELLER, BUYER = uuid4(), uuid4()
PRICE = 100_000


def said(text: str, sender: UUID) -> Message:
    return message(sender, MessageKind.TEXT, text, None)


def done(event: str, actor: UUID) -> Message:
    return message(None, MessageKind.SYSTEM, "", SystemNote(event=event, actor_id=actor))


def message(sender: UUID | None, kind: MessageKind, text: str, note: SystemNote | None) -> Message:
    return Message(
        chatroom_id=uuid4(),
        seq=5,
        id=uuid4(),
        cid=None,
        sender_id=sender,
        kind=kind,
        text=text,
        system=note,
        created_at=NOW,
    )


def room(
    last: Message | None,
    *,
    offer: Offer | None = None,
    allowed: tuple[str, ...] = (),
    negotiable: bool = True,
    state: str = "open",
    price: int = PRICE,
) -> ChatroomDetail:
    listing = ListingCard(
        id=uuid4(),
        title="Oak chair",
        price=price,
        state=ListingState.SELLING,
        place=None,
        condition=None,
        method=Method.MEET,
        negotiable=negotiable,
        cover=None,
        like_count=0,
        chat_count=1,
        bumped_at=NOW,
    )
    other = ProfileCard(
        id=BUYER, handle="demo", display_name="Demo", avatar=None, manner_score=36.5
    )
    return ChatroomDetail(
        id=uuid4(),
        listing=listing,
        seller_id=SELLER,
        buyer_id=BUYER,
        other=other,
        state="open" if state == "open" else "read_only",
        last_message=last,
        last_seq=last.seq if last else 0,
        read_seq=0,
        peer_read_seq=0,
        unread=0,
        muted=False,
        created_at=NOW,
        active_at=NOW,
        trade=None,
        offer=offer,
        appointment=None,
        allowed_actions=list(allowed),
    )


def offered(amount: int, maker: UUID) -> Offer:
    return Offer(
        id=uuid4(),
        chatroom_id=uuid4(),
        listing_id=uuid4(),
        maker_id=maker,
        amount=amount,
        state=OfferState.PENDING,
        expires_at=NOW,
        created_at=NOW,
        allowed_actions=["accept", "decline", "counter"],
    )


@pytest.mark.parametrize(
    ("amount", "action"),
    [(90_000, "accept_offer"), (70_000, "counter_offer"), (50_000, "decline_offer")],
)
def test_a_seller_weighs_an_offer(amount: int, action: str) -> None:
    offer = offered(amount, BUYER)
    heard = done("offer_made", BUYER)
    step = next_step(room(heard, offer=offer), heard, SELLER, Random(1))
    assert step is not None
    assert step.action == action
    assert step.line
    if action == "counter_offer":
        assert amount < step.amount < PRICE


def test_nobody_asks_or_offers_more_than_a_low_price() -> None:
    heard = done("offer_made", BUYER)
    countering = room(heard, offer=offered(600, BUYER), price=900)
    step = next_step(countering, heard, SELLER, Random(1))
    assert step is not None
    assert (step.action, step.amount) == ("counter_offer", 900)
    offering = room(said("Yes, it is.", SELLER), allowed=("offer",), price=900)
    step = first_step(offering, BUYER, Random(1))
    assert (step.action, step.amount) == ("make_offer", 900)


def test_a_buyer_takes_a_counter_offer() -> None:
    heard = done("offer_made", SELLER)
    step = next_step(room(heard, offer=offered(70_000, SELLER)), heard, BUYER, Random(1))
    assert step is not None
    assert step.action == "accept_offer"


def test_who_wants_to_take_it_gets_it_reserved() -> None:
    heard = said("I'll take it!", BUYER)
    step = next_step(room(heard, allowed=("reserve",)), heard, SELLER, Random(1))
    assert step is not None
    assert step.action == "reserve"


def test_what_was_said_while_one_wrote_is_answered_too() -> None:
    heard = said("I'll take it!", BUYER)
    own_line_came_after_it = room(said("Yes, still here.", SELLER), allowed=("reserve",))
    step = next_step(own_line_came_after_it, heard, SELLER, Random(1))
    assert step is not None
    assert step.action == "reserve"


def test_an_answer_is_in_the_language_of_the_question() -> None:
    questions = said("안녕하세요, 아직 있나요?", BUYER), said("Hello, still there?", BUYER)
    korean, english = (next_step(room(said_), said_, SELLER, Random(1)) for said_ in questions)
    assert korean is not None
    assert english is not None
    assert korean.line
    assert english.line
    assert not korean.line.isascii()
    assert english.line.isascii()


@pytest.mark.parametrize("heard", [None, done("x", BUYER)])
def test_what_needs_no_words_gets_none(heard: Message | None) -> None:
    assert next_step(room(heard), heard, SELLER, Random(1)) is None


def test_nothing_is_done_in_a_closed_room() -> None:
    heard = said("Hello?", BUYER)
    assert next_step(room(heard, state="read_only"), heard, SELLER, Random(1)) is None


def test_a_buyer_begins_with_a_question_and_goes_on_with_an_offer() -> None:
    assert first_step(room(None, allowed=("offer",)), BUYER, Random(1)).action is None
    begun = room(said("Yes, it is.", SELLER), allowed=("offer",))
    assert first_step(begun, BUYER, Random(1)).action == "make_offer"
    fixed = room(said("Yes, it is.", SELLER), allowed=("offer",), negotiable=False)
    assert first_step(fixed, BUYER, Random(1)).action is None


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("When can we meet?", "meet"),
        ("사진 더 있나요?", "photo"),
        ("Any scratches?", "state"),
        ("Could you go down to 90,000?", "price"),
        ("Zzz", ""),
    ],
)
def test_lines_fit_what_was_said(text: str, topic: str) -> None:
    assert topic_of(text) == topic
    assert answer_to(text, Random(1), buying=True)
