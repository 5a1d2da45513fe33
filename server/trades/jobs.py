"""What the worker runs for trades. Each decides inside its transaction whether it is time."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from server.platform.context import Context
from server.platform.jobs import Periodic, Run
from server.platform.unit_of_work import transact
from server.trades import manner, no_shows, offers, reviews, service, timers

FADE = "trades.fade"
"""Lets the scores that are kept follow their fading bad points."""


async def _trade_timer(context: Context, payload: dict[str, Any]) -> None:
    trade_id = UUID(payload["trade_id"])
    await transact(context, None, lambda work: service.run_timer(work, trade_id))


async def _trade_reminder(context: Context, payload: dict[str, Any]) -> None:
    trade_id, version, about = UUID(payload["trade_id"]), payload["version"], payload["about"]
    await transact(
        context, None, lambda work: timers.run_trade_reminder(work, trade_id, version, about)
    )


async def _offer_timer(context: Context, payload: dict[str, Any]) -> None:
    offer_id = UUID(payload["offer_id"])
    await transact(context, None, lambda work: offers.run_expiry(work, offer_id))


async def _appointment_reminder(context: Context, payload: dict[str, Any]) -> None:
    appointment_id, minutes = UUID(payload["appointment_id"]), payload["minutes"]
    await transact(
        context, None, lambda work: timers.run_appointment_reminder(work, appointment_id, minutes)
    )


async def _review_timer(context: Context, payload: dict[str, Any]) -> None:
    trade_id = UUID(payload["trade_id"])
    await transact(context, None, lambda work: reviews.run_publishing(work, trade_id))


async def _no_show_timer(context: Context, payload: dict[str, Any]) -> None:
    appointment_id = UUID(payload["appointment_id"])
    await transact(context, None, lambda work: no_shows.run_counting(work, appointment_id))


async def _fade(context: Context, _payload: dict[str, Any]) -> None:
    last: UUID | None = None
    while True:
        last = await transact(context, None, partial(manner.fade, after=last))
        if last is None:
            return


RUNNERS: dict[str, Run] = {
    timers.TRADE_TIMER: _trade_timer,
    timers.TRADE_REMINDER: _trade_reminder,
    timers.OFFER_TIMER: _offer_timer,
    timers.APPOINTMENT_REMINDER: _appointment_reminder,
    timers.REVIEW_TIMER: _review_timer,
    timers.NO_SHOW_TIMER: _no_show_timer,
    FADE: _fade,
}
PERIODIC = (Periodic(FADE, timedelta(days=1)),)
