"""Who may review a trade, and until when (rule 13, T16). Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from server.trades.machine import CANCELED
from server.trades.meetings import is_upheld
from server.trades.records import AppointmentRecord, TradeRecord
from shared_models.market import Limits


def window(
    trade: TradeRecord,
    account_id: UUID,
    reported: Sequence[AppointmentRecord],
    now: datetime,
    limits: Limits,
) -> datetime | None:
    """Until when a party may review the other; None when it never may.

    14 days from completion. Of a canceled trade only whoever the other side did not meet: 14 days
    from when both are so, that it is canceled and that the no-show is upheld. ``reported`` are the
    reported appointments of the trade's room.
    """
    if trade.state != CANCELED:
        return trade.review_until
    since = [
        max(one.no_show_until, trade.updated_at)
        for one in reported
        if one.no_show_until is not None
        and is_upheld(one, now)
        and one.no_show_by == trade.other(account_id)
        and was_missed(trade, one)
    ]
    return max(since) + timedelta(days=limits.review_days) if since else None


def was_missed(trade: TradeRecord, appointment: AppointmentRecord) -> bool:
    """Whether the two were to meet for this canceled trade: its time came while it was open.

    A room has one open trade at a time, so a meeting belongs to one at the most, whenever it was
    arranged; one whose time came before or after belongs to none.
    """
    here = appointment.chatroom_id == trade.chatroom_id
    return here and trade.created_at <= appointment.at <= trade.updated_at
