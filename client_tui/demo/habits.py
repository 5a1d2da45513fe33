"""What a person of the demo market does next in a room: pure, by what the server allows."""

from dataclasses import dataclass
from random import Random
from uuid import UUID

from client_tui.demo.lines import answer_to, line_about, topic_of
from shared_models.chat import ChatroomDetail, Message, MessageKind
from shared_models.trades import Trade, TradeState

_GOOD_OFFER = 0.8
_POOR_OFFER = 0.6
_OWN_OFFER = 0.9
_WON = 1_000


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do (a name of a method of a neighbour, or nothing) and something to say."""

    action: str | None = None
    line: str | None = None
    amount: int = 0


def next_step(room: ChatroomDetail, heard: Message | None, me: UUID, rng: Random) -> Step | None:
    """What is to be done in a room, if anything; ``heard`` is the other side's last message that
    was not answered yet.
    """
    if room.state != "open":
        return None
    return (
        _about_offer(room, rng)
        or _about_deal(room, heard, rng)
        or _about_words(room, heard, me, rng)
    )


def first_step(room: ChatroomDetail, me: UUID, rng: Random) -> Step:
    """What somebody does by themselves in a room."""
    own = room.last_message is not None and room.last_message.sender_id == me
    if room.buyer_id == me and "offer" in room.allowed_actions and room.listing.price:
        if room.last_seq and room.listing.negotiable:
            amount = _rounded(room.listing.price * _OWN_OFFER, room.listing.price)
            return Step("make_offer", line_about("make_offer", rng), amount)
        if room.last_seq and not own:
            return Step(line=line_about("want", rng))
    return Step(line=line_about("chatter" if room.last_seq else "question", rng))


def _about_offer(room: ChatroomDetail, rng: Random) -> Step | None:
    offer = room.offer
    if offer is None or "accept" not in offer.allowed_actions:
        return None
    price = room.listing.price or 0
    if offer.maker_id == room.seller_id or offer.amount >= price * _GOOD_OFFER:
        return Step("accept_offer", line_about("accept_offer", rng))
    if offer.amount >= price * _POOR_OFFER and "counter" in offer.allowed_actions:
        middle = _rounded((price + offer.amount) / 2, price)
        return Step("counter_offer", line_about("counter_offer", rng), middle)
    return Step("decline_offer", line_about("decline_offer", rng))


def _about_deal(room: ChatroomDetail, heard: Message | None, rng: Random) -> Step | None:
    appointment, trade = room.appointment, room.trade
    action = None
    if appointment is not None and "accept" in appointment.allowed_actions:
        action = "accept_appointment"
    elif trade is not None and "confirm" in trade.allowed_actions and _other_is_done(trade):
        action = "confirm"
    elif trade is not None and "review" in trade.allowed_actions:
        return Step("review")
    elif trade is not None and "ship" in trade.allowed_actions and _is_said(heard):
        action = "ship"
    return Step(action, line_about(action, rng)) if action else None


def _other_is_done(trade: Trade) -> bool:
    """Whether the other side has done its part of the hand-over."""
    if trade.state is TradeState.SHIPPED:
        return True
    return (trade.buyer_confirmed_at or trade.seller_confirmed_at) is not None


def _is_said(heard: Message | None) -> bool:
    return heard is not None and heard.system is None


def _about_words(room: ChatroomDetail, heard: Message | None, me: UUID, rng: Random) -> Step | None:
    if heard is None or heard.deleted:
        return None
    if heard.system is not None:
        line = line_about(heard.system.event, rng)
        return Step(line=line) if line else None
    text = "photo" if heard.kind is MessageKind.PHOTO and not heard.text else heard.text
    if topic_of(text) == "take" and "reserve" in room.allowed_actions:
        return Step("reserve", line_about("reserve", rng))
    return Step(line=answer_to(text, rng, buying=room.buyer_id == me))


def _rounded(amount: float, price: int) -> int:
    """An amount as people write it, and never above the price."""
    return min(price, max(_WON, round(amount / _WON) * _WON))
