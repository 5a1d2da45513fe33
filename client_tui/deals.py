"""What a room says of its offers, appointments and trade: cards in the history, and the header.

Plain data and words; no Textual. What can be done comes from the server's ``allowed_actions`` of
the live object; a card whose object is not known any more only tells how it ended.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final
from uuid import UUID

from client_tui.format import date_time, money, time_left, trade_state, visible_line
from shared_models.chat import Chatroom, ChatroomDetail, Message
from shared_models.trades import (
    Appointment,
    AppointmentState,
    Offer,
    OfferState,
    Trade,
    TradeState,
)

OFFER_ACTIONS: Final = {name: name for name in ("accept", "decline", "counter", "withdraw")}
MEETING_ACTIONS: Final = {
    "accept": "accept",
    "cancel": "decline",
    "no_show": "no_show",
    "contest": "contest",
}
"""The server's actions on an object, and the actions of the chat that do them."""

_LATE: Final = timedelta(hours=3)
_NEWS: Final = timedelta(days=3)
"""How long the header tells what came of a report, once that is settled."""
_ENDED: Final = {
    "offer_declined": "declined",
    "offer_withdrawn": "withdrawn",
    "offer_expired": "expired",
    "offer_superseded": "no longer stands",
}
_OFFER_WORDS: Final = {
    OfferState.ACCEPTED: "accepted",
    OfferState.DECLINED: "declined",
    OfferState.WITHDRAWN: "withdrawn",
    OfferState.COUNTERED: "countered",
    OfferState.EXPIRED: "expired",
    OfferState.SUPERSEDED: "no longer stands",
}
_APPOINTMENT_WORDS: Final = {
    AppointmentState.ACCEPTED: "agreed",
    AppointmentState.REPLACED: "replaced",
    AppointmentState.CANCELED: "called off",
    AppointmentState.DROPPED: "dropped with the trade",
}
_APPOINTMENT_LINES: Final = {
    "appointment_accepted": "Agreed to meet",
    "appointment_canceled": "No longer meeting",
    "appointment_no_show": "You are reported not to have come",
    "appointment_no_show_contested": "They contest that they did not come",
    "appointment_no_show_upheld": "Nobody contested it, so the no-show counts",
}
_MY_LINES: Final = {
    "appointment_no_show": "You report that they did not come",
    "appointment_no_show_contested": "You contest that you did not come",
}
"""The same where it was oneself."""


@dataclass(frozen=True, slots=True)
class Card:
    """An offer or a proposal to meet, in its place in the history."""

    title: str
    note: str
    actions: tuple[tuple[str, str], ...] = ()
    """What this account can do about it: ids of the chat's actions, and their labels."""

    @property
    def live(self) -> bool:
        """Whether anybody can still do something about it."""
        return bool(self.actions)


class Deals:
    """The offers and appointments of a room, by id, and the rows that show them."""

    def __init__(
        self,
        me: UUID,
        *,
        exponent: int,
        now: Callable[[], datetime],
        zone: tzinfo | None = None,
        key: Callable[[str], str] = str,
    ) -> None:
        """``key`` gives the key of an action of the chat, as it is written for people."""
        self._me = me
        self._key = key
        self._exponent = exponent
        self._now = now
        self._zone = zone
        self._offers: dict[str, Offer] = {}
        self._appointments: dict[str, Appointment] = {}
        self._ended: dict[str, str] = {}
        self._rows: dict[str, int] = {}

    # What is known

    def know_room(self, room: Chatroom) -> None:
        """The live offer and appointment of a room."""
        if isinstance(room, ChatroomDetail):
            if room.offer is not None:
                self.know_offer(room.offer)
            for meeting in (room.no_show, room.appointment):
                if meeting is not None:
                    self.know_appointment(meeting)

    def know_offer(self, offer: Offer) -> None:
        """An offer as it is now."""
        self._offers[str(offer.id)] = offer

    def know_appointment(self, appointment: Appointment) -> None:
        """An appointment as it is now."""
        self._appointments[str(appointment.id)] = appointment

    def know_message(self, message: Message) -> None:
        """A line of the history that shows an offer or appointment, or tells how one ended."""
        if message.system is None:
            return
        event, data = message.system.event, message.system.data
        subject = str(data.get("offer_id") or data.get("appointment_id") or "")
        if event in ("offer_made", "appointment_proposed"):
            self._rows[subject] = message.seq
        elif event in _ENDED:
            self._ended[subject] = _ENDED[event]
        elif event == "appointment_canceled":
            self._ended[subject] = "called off"

    @property
    def rows(self) -> list[int]:
        """The rows of all offers and appointments that are known."""
        return list(self._rows.values())

    def row_of(self, object_id: UUID) -> int | None:
        """The row that shows an offer or appointment, if it is known."""
        return self._rows.get(str(object_id))

    # Words

    def card(self, message: Message, name: str) -> Card | None:
        """The card that a message is; None when it is none. ``name`` is the other side's."""
        note = message.system
        if note is None:
            return None
        if note.event == "offer_made":
            return self._offer_card(note.data, note.actor_id == self._me, name)
        if note.event == "appointment_proposed":
            return self._appointment_card(note.data, note.actor_id == self._me, name)
        return None

    def line(self, message: Message) -> str:
        """A system message in words, with times as the clock on the wall has them."""
        note = message.system
        if note is not None and note.event in _APPOINTMENT_LINES:
            mine = _MY_LINES if note.actor_id == self._me else {}
            words = mine.get(note.event, _APPOINTMENT_LINES[note.event])
            return f"{words}: {self._when(note.data)}"
        return message.text

    def _offer_card(self, data: Mapping[str, object], mine: bool, name: str) -> Card:
        amount, subject = data.get("amount"), str(data.get("offer_id"))
        price = money(amount, self._exponent) if isinstance(amount, int) else "?"
        verb = "counter" if data.get("counter") else "offer"
        title = f"you {verb} {price}" if mine else f"{name} {verb}s {price}"
        offer = self._offers.get(subject)
        if offer is None:
            return Card(title, self._ended.get(subject, "over"))
        if offer.state is not OfferState.PENDING:
            return Card(title, _OFFER_WORDS[offer.state])
        left = time_left(offer.expires_at, self._now())
        allowed = [name for name in offer.allowed_actions if name in OFFER_ACTIONS]
        return Card(title, left, tuple((OFFER_ACTIONS[name], name) for name in allowed))

    def _appointment_card(self, data: Mapping[str, object], mine: bool, name: str) -> Card:
        subject = str(data.get("appointment_id"))
        title = f"{'you propose' if mine else f'{name} proposes'} to meet {self._when(data)}"
        appointment = self._appointments.get(subject)
        if appointment is None:
            return Card(title, self._ended.get(subject, "over"))
        labels = {"no_show": "did not come"}
        if mine or appointment.state is not AppointmentState.PROPOSED:
            labels["cancel"] = "call off"
        actions = tuple(
            (action, labels.get(name, action))
            for name, action in MEETING_ACTIONS.items()
            if name in appointment.allowed_actions
        )
        if appointment.state is AppointmentState.PROPOSED:
            return Card(title, "" if actions and not mine else "not answered yet", actions)
        words = self._missed(appointment) or _APPOINTMENT_WORDS[appointment.state]
        return Card(title, words, actions)

    def _missed(self, meeting: Appointment) -> str:
        """How a report stands that somebody did not come; empty where there is none."""
        mine = meeting.no_show_by == self._me
        if meeting.no_show_by is None or meeting.no_show_until is None:
            return ""
        if meeting.no_show_contested_at is not None:
            return "you contest that you did not come" if mine else "they contest your report"
        if meeting.no_show_upheld:
            return "your no-show counts" if mine else "their no-show counts"
        until = self._date_time(meeting.no_show_until)
        if mine:
            return f"reported: you did not come; to be contested until {until}"
        return f"you reported a no-show; it counts from {until}, unless contested"

    def _when(self, data: Mapping[str, object]) -> str:
        try:
            at = datetime.fromisoformat(str(data.get("at")))
        except ValueError:
            return visible_line(str(data.get("place", "")))
        when = self._date_time(at)
        place = visible_line(str(data.get("place", "")))
        return f"{when}, {place}" if place else when

    def _date_time(self, at: datetime) -> str:
        """In the middle of a sentence: ``tomorrow 14:00``, ``Sat 14:00``."""
        when = date_time(at, self._now(), self._zone)
        return when[0].lower() + when[1:] if when.startswith(("To", "Yes")) else when

    def waits_for_me(self, room: Chatroom) -> bool:
        """Whether there is something to answer."""
        if not isinstance(room, ChatroomDetail):
            return False
        asked = (room.offer, room.appointment, room.no_show)
        answers = {"accept", "contest"}
        return any(one is not None and answers & set(one.allowed_actions) for one in asked)

    def header(self, room: Chatroom) -> str:
        """How things stand between the two, in one line."""
        if not isinstance(room, ChatroomDetail):
            return ""
        parts = []
        if room.trade is not None:
            parts.append(self._trade(room.trade, room))
        if room.offer is not None and room.offer.state is OfferState.PENDING:
            mine = room.offer.maker_id == self._me
            whose = "your offer" if mine else "offer to answer"
            parts.append(f"{whose}: {money(room.offer.amount, self._exponent)}")
        meeting = room.appointment
        if meeting is not None and self._is_ahead(meeting):
            when = self._date_time(meeting.at)
            word = "hand-over" if meeting.state == "accepted" else "to meet?"
            parts.append(f"{word} {when}, {visible_line(meeting.place)}")
        if room.no_show is not None and self._is_news(room.no_show):
            parts.append(self._missed(room.no_show))
            if "contest" in room.no_show.allowed_actions:
                parts.append(f"{self._key('contest')} contests it")
        return " · ".join(parts) or self._next_step(room)

    def _is_news(self, missed: Appointment) -> bool:
        """Whether the report can be contested, or could until lately."""
        until = missed.no_show_until
        return until is not None and until > self._now() - _NEWS

    def _is_ahead(self, meeting: Appointment) -> bool:
        """Whether one still meets; who is late may still come, until that is reported."""
        if meeting.no_show_by is not None:
            return False
        agreed = meeting.state in (AppointmentState.PROPOSED, AppointmentState.ACCEPTED)
        return agreed and meeting.at > self._now() - _LATE

    def _trade(self, trade: Trade, room: Chatroom) -> str:
        if trade.state is TradeState.RESERVED:
            other = visible_line(room.other.display_name)
            who = "you" if trade.role == "buyer" else other
            return f"{trade_state(trade.state)} for {who}"
        return trade_state(trade.state)

    def _next_step(self, room: ChatroomDetail) -> str:
        if "reserve" in room.allowed_actions:
            return f"{self._key('reserve')} reserves it for {visible_line(room.other.display_name)}"
        if "offer" in room.allowed_actions:
            return f"{self._key('offer')} makes an offer"
        return ""
