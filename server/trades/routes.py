"""Offers, appointments, trades, reviews and reports over HTTP."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from server.platform.http import (
    CursorText,
    Limit,
    Writer,
    Writing,
    created,
    model_response,
    reading_after,
)
from server.platform.rates import Rate
from server.platform.unit_of_work import UnitOfWork, reading_perhaps_behind
from server.trades import appointments, no_shows, offers, reports, reserving, reviews, service
from server.trades.settling import settle_account
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
)

router = APIRouter(prefix="/v1", tags=["Trades"])

_MOVES = Rate("trade_moves", burst=30, per_second=1)

AccountId = Annotated[UUID, Path(description="The account.")]
RoomId = Annotated[UUID, Path(description="The chatroom.")]
OfferId = Annotated[UUID, Path(description="The offer.")]
AppointmentId = Annotated[UUID, Path(description="The appointment.")]
TradeId = Annotated[UUID, Path(description="The trade.")]
Role = Annotated[
    Literal["seller", "buyer"] | None, Query(description="Only trades in which one is this.")
]
State = Annotated[
    Literal["reserved", "shipped", "handed_over", "disputed", "completed", "canceled", "open"]
    | None,
    Query(description="Only trades in this state; `open` for all that are not final."),
]


async def settled(request: Request) -> AsyncIterator[UnitOfWork]:
    """A reading unit of work for whoever the token says, once that account's timers have run."""
    async with reading_after(
        request, lambda context, actor: settle_account(context, actor.account_id)
    ) as work:
        yield work


async def subject_settled(request: Request, account_id: AccountId) -> AsyncIterator[UnitOfWork]:
    """The same, once the timers of the account in the path have run."""
    async with reading_after(
        request, lambda context, _: settle_account(context, account_id), reading_perhaps_behind
    ) as work:
        yield work


Settled = Annotated[UnitOfWork, Depends(settled, scope="function")]
SubjectSettled = Annotated[UnitOfWork, Depends(subject_settled, scope="function")]


async def settled_writer(write: Writing) -> Writer:
    """A writer, once the account's timers have run.

    A timer that runs within the action is rolled back with it when it is refused; what the refusal
    shows would then be nowhere (H5).
    """
    await settle_account(write.context, write.actor.account_id)
    return write


Moving = Annotated[Writer, Depends(settled_writer)]


@router.post("/chatrooms/{room_id}/offers", status_code=201, response_model=Offer)
async def make_offer(room_id: RoomId, body: OfferCreate, write: Moving) -> Response:
    """As buyer, offer a price. 409 `offer_pending` while one's own offer waits."""
    write.limit(_MOVES)
    return await write(created(lambda work: offers.make(work, room_id, body)))


@router.post("/offers/{offer_id}/counter", status_code=201, response_model=Offer)
async def counter_offer(offer_id: OfferId, body: OfferCreate, write: Moving) -> Response:
    """Answer the other side's offer with another amount; it replaces that offer."""
    write.limit(_MOVES)
    return await write(created(lambda work: offers.counter(work, offer_id, body)))


@router.post("/offers/{offer_id}/accept", response_model=Offer)
async def accept_offer(
    offer_id: OfferId, write: Moving, body: OfferAccept | None = None
) -> Response:
    """Accept the other side's offer; the listing is reserved at that price in the same step.

    `method` says how it changes hands where the listing is for both; the body may be left out.
    422 `not_offered`.
    """
    write.limit(_MOVES)
    return await write(lambda work: offers.accept(work, offer_id, body or OfferAccept()))


@router.post("/offers/{offer_id}/decline", response_model=Offer)
async def decline_offer(offer_id: OfferId, write: Moving) -> Response:
    """Decline the other side's offer."""
    write.limit(_MOVES)
    return await write(lambda work: offers.decline(work, offer_id))


@router.post("/offers/{offer_id}/withdraw", response_model=Offer)
async def withdraw_offer(offer_id: OfferId, write: Moving) -> Response:
    """Take one's own offer back."""
    write.limit(_MOVES)
    return await write(lambda work: offers.withdraw(work, offer_id))


@router.post("/chatrooms/{room_id}/appointments", status_code=201, response_model=Appointment)
async def propose_appointment(room_id: RoomId, body: AppointmentCreate, write: Moving) -> Response:
    """Propose a time and place; it replaces the room's present appointment.

    409 `by_post` for what is reserved to go by post, `already_reserved` and `not_selling`.
    """
    write.limit(_MOVES)
    return await write(created(lambda work: appointments.propose(work, room_id, body)))


@router.post("/appointments/{appointment_id}/accept", response_model=Appointment)
async def accept_appointment(appointment_id: AppointmentId, write: Moving) -> Response:
    """Accept the other side's proposal."""
    write.limit(_MOVES)
    return await write(lambda work: appointments.accept(work, appointment_id))


@router.post("/appointments/{appointment_id}/cancel", response_model=Appointment)
async def cancel_appointment(appointment_id: AppointmentId, write: Moving) -> Response:
    """Take the appointment off."""
    write.limit(_MOVES)
    return await write(lambda work: appointments.cancel(work, appointment_id))


@router.post("/appointments/{appointment_id}/no-show", response_model=Appointment)
async def report_no_show(appointment_id: AppointmentId, write: Moving) -> Response:
    """Say that the other side did not come; from 15 minutes after the time on.

    It counts after 72 h, unless the other side contests it.
    """
    write.limit(_MOVES)
    return await write(lambda work: no_shows.report(work, appointment_id))


@router.post("/appointments/{appointment_id}/contest", response_model=Appointment)
async def contest_no_show(appointment_id: AppointmentId, write: Moving) -> Response:
    """As who is reported, say that one did come: the report never counts. For 72 h.

    403 `wrong_role` for who reported; 409 `not_reported` and `contest_closed`.
    """
    write.limit(_MOVES)
    return await write(lambda work: no_shows.contest(work, appointment_id))


@router.post("/trades", status_code=201, response_model=Trade)
async def reserve(body: TradeCreate, write: Moving) -> Response:
    """As seller, reserve the listing for the buyer of a room, at the price one sees."""
    write.limit(_MOVES)
    return await write(created(lambda work: reserving.reserve(work, body)))


@router.get("/trades", response_model=Page[Trade])
async def trades(
    work: Settled,
    role: Role = None,
    state: State = None,
    limit: Limit = 20,
    cursor: CursorText = None,
) -> Response:
    """One's own trades, newest first."""
    return model_response(
        await service.page(work, role=role, state=state, limit=limit, cursor=cursor)
    )


@router.get("/trades/{trade_id}", response_model=Trade)
async def trade(trade_id: TradeId, work: Settled) -> Response:
    """One of one's own trades."""
    return model_response(await service.get(work, trade_id))


@router.post("/trades/{trade_id}/confirm", response_model=Trade)
async def confirm(trade_id: TradeId, body: TradeAction, write: Moving) -> Response:
    """Say "handed over" or "received". Goes through whenever it is still allowed."""
    write.limit(_MOVES)
    return await write(lambda work: service.act(work, trade_id, "confirm", body))


@router.post("/trades/{trade_id}/undo", response_model=Trade)
async def undo(trade_id: TradeId, body: TradeAction, write: Moving) -> Response:
    """Take one's own confirmation back, within 30 minutes; 403 `blocked` between blocked people."""
    write.limit(_MOVES)
    return await write(lambda work: service.act(work, trade_id, "undo", body))


@router.post("/trades/{trade_id}/cancel", response_model=Trade)
async def cancel(trade_id: TradeId, body: TradeCancel, write: Moving) -> Response:
    """Cancel a reserved trade; as seller, a shipped one with the buyer's consent."""
    write.limit(_MOVES)
    return await write(lambda work: service.cancel(work, trade_id, body))


@router.post("/trades/{trade_id}/ship", response_model=Trade)
async def ship(trade_id: TradeId, body: TradeShip, write: Moving) -> Response:
    """As seller, say how it was sent."""
    write.limit(_MOVES)
    return await write(lambda work: service.ship(work, trade_id, body))


@router.post("/trades/{trade_id}/problem", response_model=Trade)
async def report_problem(trade_id: TradeId, body: TradeProblem, write: Moving) -> Response:
    """Stop the clock and say what is wrong."""
    write.limit(_MOVES)
    return await write(lambda work: service.report_problem(work, trade_id, body))


@router.post("/trades/{trade_id}/withdraw-problem", response_model=Trade)
async def withdraw_problem(trade_id: TradeId, body: TradeAction, write: Moving) -> Response:
    """Take one's own problem report back; the clock starts afresh."""
    write.limit(_MOVES)
    return await write(lambda work: service.act(work, trade_id, "withdraw_problem", body))


@router.post("/trades/{trade_id}/consent-cancel", response_model=Trade)
async def consent_to_cancel(trade_id: TradeId, body: TradeAction, write: Moving) -> Response:
    """As buyer of a shipped trade, let the seller cancel it."""
    write.limit(_MOVES)
    return await write(lambda work: service.act(work, trade_id, "consent_cancel", body))


@router.post("/trades/{trade_id}/review", status_code=201, response_model=Review)
async def review(trade_id: TradeId, body: ReviewCreate, write: Moving) -> Response:
    """Review the other side of a completed trade; unseen until both have, or for 14 days.

    Of a canceled one, who was let down may leave one star with the tag `no_show`: seen at once.
    """
    write.limit(_MOVES)
    return await write(created(lambda work: reviews.write(work, trade_id, body)))


@router.post("/reviews/{review_id}/answer", status_code=201, response_model=Review)
async def answer_review(
    review_id: Annotated[UUID, Path(description="The review.")],
    body: ReviewAnswer,
    write: Moving,
) -> Response:
    """Answer a published review about oneself, once."""
    write.limit(_MOVES)
    return await write(created(lambda work: reviews.answer(work, review_id, body)))


@router.get("/accounts/{account_id}/reviews", response_model=Page[Review])
async def reviews_of(
    account_id: AccountId,
    work: SubjectSettled,
    limit: Limit = 20,
    cursor: CursorText = None,
) -> Response:
    """Published reviews about an account, newest first."""
    return model_response(await reviews.page_about(work, account_id, limit=limit, cursor=cursor))


@router.post("/reports", status_code=201, response_model=Report)
async def report(body: ReportCreate, write: Moving) -> Response:
    """Report an account, a listing or a message. A second report while one is open is the first."""
    write.limit(_MOVES)
    return await write(created(lambda work: reports.report(work, body)))
