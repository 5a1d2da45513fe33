"""Offers, appointments, trades, reviews and reports."""

from typing import Literal
from uuid import UUID

from client_tui.core.endpoints.calls import Calls
from client_tui.core.forms import fill
from shared_models.base import Page
from shared_models.trades import (
    Appointment,
    AppointmentCreate,
    Offer,
    OfferAccept,
    OfferCreate,
    Report,
    ReportCreate,
    Review,
    ReviewAnswer,
    ReviewCreate,
    Trade,
    TradeAction,
    TradeCancel,
    TradeCreate,
    TradeProblem,
    TradeShip,
    TradeState,
)


class OfferCalls(Calls):
    """Offers and appointments of a room (rules 11 and 12)."""

    async def make_offer(self, room_id: UUID, amount: int, *, key: UUID | None = None) -> Offer:
        """Offer a price."""
        return await self._post(
            Offer, f"/v1/chatrooms/{room_id}/offers", fill(OfferCreate, amount=amount), key=key
        )

    async def accept_offer(
        self, offer_id: UUID, method: str | None = None, *, key: UUID | None = None
    ) -> Offer:
        """Accept; the listing is reserved in the same step, by ``method`` if it is named (T4)."""
        body = fill(OfferAccept, method=method) if method else None
        return await self._post(Offer, f"/v1/offers/{offer_id}/accept", body, key=key)

    async def decline_offer(self, offer_id: UUID, *, key: UUID | None = None) -> Offer:
        """Decline."""
        return await self._post(Offer, f"/v1/offers/{offer_id}/decline", key=key)

    async def counter_offer(self, offer_id: UUID, amount: int, *, key: UUID | None = None) -> Offer:
        """Answer with another price."""
        return await self._post(
            Offer, f"/v1/offers/{offer_id}/counter", fill(OfferCreate, amount=amount), key=key
        )

    async def withdraw_offer(self, offer_id: UUID, *, key: UUID | None = None) -> Offer:
        """Take one's own offer back."""
        return await self._post(Offer, f"/v1/offers/{offer_id}/withdraw", key=key)

    async def propose_appointment(
        self, room_id: UUID, form: AppointmentCreate, *, key: UUID | None = None
    ) -> Appointment:
        """Propose a time and place."""
        return await self._post(Appointment, f"/v1/chatrooms/{room_id}/appointments", form, key=key)

    async def accept_appointment(
        self, appointment_id: UUID, *, key: UUID | None = None
    ) -> Appointment:
        """Accept a proposal."""
        return await self._post(Appointment, f"/v1/appointments/{appointment_id}/accept", key=key)

    async def cancel_appointment(
        self, appointment_id: UUID, *, key: UUID | None = None
    ) -> Appointment:
        """Call it off."""
        return await self._post(Appointment, f"/v1/appointments/{appointment_id}/cancel", key=key)

    async def report_no_show(self, appointment_id: UUID, *, key: UUID | None = None) -> Appointment:
        """Say that the other side did not come."""
        return await self._post(Appointment, f"/v1/appointments/{appointment_id}/no-show", key=key)

    async def contest_no_show(
        self, appointment_id: UUID, *, key: UUID | None = None
    ) -> Appointment:
        """Say that one did come, where the other side says otherwise."""
        return await self._post(Appointment, f"/v1/appointments/{appointment_id}/contest", key=key)


class TradeCalls(Calls):
    """``/v1/trades``. Actions take the ``version`` that was seen (H-rules of the market)."""

    async def reserve(self, form: TradeCreate, *, key: UUID | None = None) -> Trade:
        """Reserve one's own listing for the buyer of a room (T3)."""
        return await self._post(Trade, "/v1/trades", form, key=key)

    async def trades(
        self,
        *,
        role: Literal["seller", "buyer"] | None = None,
        state: TradeState | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> Page[Trade]:
        """One's own trades, newest first."""
        return await self._page(Trade, "/v1/trades", cursor, limit, role=role, state=state)

    async def trade(self, trade_id: UUID) -> Trade:
        """A trade in full."""
        return await self._get(Trade, f"/v1/trades/{trade_id}")

    async def confirm(self, trade_id: UUID, version: int, *, key: UUID | None = None) -> Trade:
        """Handed over, or received (T7, T8)."""
        return await self._move(
            trade_id, "confirm", fill(TradeAction, expected_version=version), key
        )

    async def undo(self, trade_id: UUID, version: int, *, key: UUID | None = None) -> Trade:
        """Take one's own confirmation back (T10)."""
        return await self._move(trade_id, "undo", fill(TradeAction, expected_version=version), key)

    async def cancel(
        self, trade_id: UUID, version: int, reason: str, *, key: UUID | None = None
    ) -> Trade:
        """Cancel a reserved trade (T6)."""
        body = fill(TradeCancel, expected_version=version, reason=reason)
        return await self._move(trade_id, "cancel", body, key)

    async def ship(
        self,
        trade_id: UUID,
        version: int,
        carrier: str,
        tracking_number: str,
        *,
        key: UUID | None = None,
    ) -> Trade:
        """Say how it was sent (P1)."""
        body = fill(
            TradeShip, expected_version=version, carrier=carrier, tracking_number=tracking_number
        )
        return await self._move(trade_id, "ship", body, key)

    async def report_problem(
        self, trade_id: UUID, version: int, reason: str, detail: str, *, key: UUID | None = None
    ) -> Trade:
        """Stop the clock and say what is wrong (T11)."""
        body = fill(TradeProblem, expected_version=version, reason=reason, detail=detail)
        return await self._move(trade_id, "problem", body, key)

    async def withdraw_problem(
        self, trade_id: UUID, version: int, *, key: UUID | None = None
    ) -> Trade:
        """Take one's own report back (T12)."""
        body = fill(TradeAction, expected_version=version)
        return await self._move(trade_id, "withdraw-problem", body, key)

    async def consent_to_cancel(
        self, trade_id: UUID, version: int, *, key: UUID | None = None
    ) -> Trade:
        """As buyer, agree that a shipped trade is cancelled."""
        body = fill(TradeAction, expected_version=version)
        return await self._move(trade_id, "consent-cancel", body, key)

    async def _move(
        self, trade_id: UUID, action: str, body: TradeAction, key: UUID | None
    ) -> Trade:
        return await self._post(Trade, f"/v1/trades/{trade_id}/{action}", body, key=key)

    async def review(
        self, trade_id: UUID, form: ReviewCreate, *, key: UUID | None = None
    ) -> Review:
        """Review the other side of a completed trade (rule 13)."""
        return await self._post(Review, f"/v1/trades/{trade_id}/review", form, key=key)

    async def answer_review(self, review_id: UUID, text: str, *, key: UUID | None = None) -> Review:
        """Answer a review about oneself, once."""
        return await self._post(
            Review, f"/v1/reviews/{review_id}/answer", fill(ReviewAnswer, text=text), key=key
        )

    async def report(self, form: ReportCreate, *, key: UUID | None = None) -> Report:
        """Report a person, listing or message (rule 15)."""
        return await self._post(Report, "/v1/reports", form, key=key)
