"""Offers, meetings and the reservation, from within their chat."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from client_tui.core.errors import ClientError, Refused
from client_tui.core.forms import fill
from client_tui.deals import MEETING_ACTIONS
from client_tui.format import date_time, money, parse_money, visible_line
from client_tui.screens.appointment import AppointmentScreen
from client_tui.screens.ask import AskScreen
from client_tui.screens.chat_base import ChatBase
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.reserve import ReserveScreen
from client_tui.work import start
from shared_models.market import Method
from shared_models.trades import Appointment, AppointmentCreate, Offer, TradeCreate

Step = Callable[[], Awaitable[object]]
Amount = Callable[[int], Awaitable[None]]

OFFLINE: Final = "You are offline. This needs the server, as things may have changed there."
DEALS: Final = frozenset(
    {
        "accept",
        "decline",
        "counter",
        "withdraw",
        "offer",
        "reserve",
        "appointment",
        "no_show",
        "contest",
    }
)
_NOTHING: Final = {
    "accept": "There is nothing to accept.",
    "decline": "There is nothing to decline.",
    "counter": "There is no offer to answer.",
    "withdraw": "You have no open offer here.",
    "offer": "An offer can't be made now.",
    "reserve": "There is nothing to reserve: the seller does it, while it is for sale.",
    "appointment": "There is nothing to meet for.",
    "no_show": "There is no meeting that was missed.",
    "contest": "Nobody says that you did not come, or it can't be contested any more.",
}


class Dealing(ChatBase):
    """The deals of a room. Only what the server allows is done, and never offline."""

    def possible_deals(self) -> set[str]:
        """The actions that the server allows now."""
        detail = self.detail
        if detail is None:
            return set()
        possible = set(detail.allowed_actions) & DEALS
        offer, meeting = detail.offer, detail.appointment
        if offer is not None:
            possible |= DEALS & set(offer.allowed_actions)
        if meeting is not None:
            allowed = meeting.allowed_actions
            possible |= {MEETING_ACTIONS[name] for name in allowed if name in MEETING_ACTIONS}
        if detail.no_show is not None:
            possible |= {"contest"} & set(detail.no_show.allowed_actions)
        return possible

    def why_no_deal(self, action_id: str) -> str | None:
        """Why a deal can't be done now."""
        if action_id not in self.possible_deals():
            return _NOTHING[action_id]
        return None if self.online else OFFLINE

    def _offer_for(self, action: str) -> Offer | None:
        """The open offer, where its answer is meant: not with the cursor on the meeting."""
        detail = self.detail
        if detail is None or detail.offer is None or action not in detail.offer.allowed_actions:
            return None
        meeting = detail.appointment
        on_meeting = meeting is not None and self._is_selected(meeting)
        return None if on_meeting else detail.offer

    def _meeting_for(self, action: str) -> Appointment | None:
        """The present meeting; what is contested is the missed one, whatever is arranged since."""
        detail = self.detail
        meeting = detail.appointment if detail else None
        if detail is not None and action == "contest":
            meeting = detail.no_show
        allowed = meeting is not None and action in meeting.allowed_actions
        return meeting if allowed else None

    def _is_selected(self, meeting: Appointment) -> bool:
        return self.deals.row_of(meeting.id) == self.history.cursor

    def do_accept(self) -> None:
        """Accept the offer, which reserves; or the time and place."""
        offer, meeting = self._offer_for("accept"), self._meeting_for("accept")
        if offer is not None:
            self._accept_offer(offer)
        elif meeting is not None:
            self._deal(partial(self.link.api.accept_appointment, meeting.id))

    def _accept_offer(self, offer: Offer) -> None:
        room = self.room
        assert room is not None
        title = f"Accept {self._money(offer.amount)}?"
        if room.listing.method is not Method.BOTH:
            question = ConfirmScreen(title, "This reserves it at that price.", yes="Accept")
            self._ask(question, lambda: self.link.api.accept_offer(offer.id))
            return

        def answered(method: str | None) -> None:
            if method is not None:
                self._deal(partial(self.link.api.accept_offer, offer.id, method))

        self.app.push_screen(ReserveScreen(title, Method.BOTH, yes="Accept"), answered)

    def do_decline(self) -> None:
        """Decline the offer, or call the meeting off."""
        offer, meeting = self._offer_for("decline"), self._meeting_for("cancel")
        if offer is not None:
            question = ConfirmScreen(f"Decline {self._money(offer.amount)}?", yes="Decline")
            self._ask(question, lambda: self.link.api.decline_offer(offer.id))
        elif meeting is not None:
            when = date_time(meeting.at, self.link.now())
            question = ConfirmScreen(
                "Call off the meeting?", f"{when}, {visible_line(meeting.place)}", yes="Call off"
            )
            self._ask(question, lambda: self.link.api.cancel_appointment(meeting.id))

    def do_withdraw(self) -> None:
        """Take one's own offer back."""
        offer = self._offer_for("withdraw")
        if offer is not None:
            question = ConfirmScreen(f"Withdraw {self._money(offer.amount)}?", yes="Withdraw")
            self._ask(question, lambda: self.link.api.withdraw_offer(offer.id))

    def do_no_show(self) -> None:
        """Say that the other side did not come."""
        meeting = self._meeting_for("no_show")
        if meeting is not None:
            hours = self.link.market.limits.no_show_contest_hours
            question = ConfirmScreen(
                f"Say that {self.other_name()} did not come?",
                f"They will see it, and it counts unless they contest it within {hours} hours.",
                yes="Report",
            )
            self._ask(question, lambda: self.link.api.report_no_show(meeting.id))

    def do_contest(self) -> None:
        """Say that one did come, where the other side says otherwise."""
        meeting = self._meeting_for("contest")
        if meeting is not None:
            when = date_time(meeting.at, self.link.now())
            question = ConfirmScreen(
                "Contest that you did not come?",
                f"{when}, {visible_line(meeting.place)}. {self.other_name()} will see it, and the"
                " report does not count.",
                yes="Contest",
            )
            self._ask(question, lambda: self.link.api.contest_no_show(meeting.id))

    def do_offer(self) -> None:
        """Offer a price."""
        self._ask_amount("Your offer", self._offer)

    def do_counter(self) -> None:
        """Answer with another price."""
        self._ask_amount("Your counter-offer", self._counter)

    async def _offer(self, amount: int) -> None:
        await self.link.api.make_offer(self.room_id, amount)

    async def _counter(self, amount: int) -> None:
        detail = self.detail
        assert detail is not None
        assert detail.offer is not None
        await self.link.api.counter_offer(detail.offer.id, amount)

    def _ask_amount(self, title: str, then: Amount) -> None:
        room = self.room
        assert room is not None
        full = self._money(room.listing.price or 0)
        fixed = "" if room.listing.negotiable else ", not negotiable"
        limits = self.link.market.limits
        hint = f"The price is {full}{fixed}. It stands for {limits.offer_hours} hours."

        def answered(text: str | None) -> None:
            if text is not None:
                amount = parse_money(text, self.link.market.currency_exponent)
                self._deal(partial(then, amount))

        screen = AskScreen(title, hint, value=full, check=self._check_amount)
        self.app.push_screen(screen, answered)

    def _check_amount(self, text: str) -> None:
        parse_money(text, self.link.market.currency_exponent)

    def do_reserve(self) -> None:
        """Reserve it for the buyer of this room (T3)."""
        room = self.room
        assert room is not None
        price = self._money(room.listing.price or 0)
        title = f"Reserve for {self.other_name()} at {price}?"

        def answered(method: str | None) -> None:
            if method is not None:
                form = fill(
                    TradeCreate,
                    chatroom_id=self.room_id,
                    expected_price=room.listing.price or 0,
                    method=method,
                )
                self._deal(partial(self.link.api.reserve, form))

        self.app.push_screen(ReserveScreen(title, room.listing.method, yes="Reserve"), answered)

    def do_appointment(self) -> None:
        """Propose when and where to meet."""
        detail = self.detail
        current = detail.appointment if detail else None
        limits = self.link.market.limits

        async def propose(form: AppointmentCreate) -> None:
            await self.link.api.propose_appointment(self.room_id, form)

        self.app.push_screen(AppointmentScreen(propose, self.link.now(), limits, current))

    def _money(self, amount: int) -> str:
        return money(amount, self.link.market.currency_exponent)

    def _ask(self, question: ConfirmScreen, then: Step) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._deal(then)

        self.app.push_screen(question, answered)

    def _deal(self, step: Step) -> None:
        start(self, partial(self._take_step, step), group="deal")

    async def _take_step(self, step: Step) -> None:
        """Do it, and read the room again: also when it was refused, as it is another one then."""
        try:
            await step()
        except ClientError as problem:
            wrong = problem.errors if isinstance(problem, Refused) else ()
            self.say(wrong[0].message if wrong else str(problem), severity="error")
        self.store.put_room(await self.link.api.room(self.room_id))
