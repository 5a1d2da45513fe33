"""The façade of accounts: who somebody is, who blocks whom, and the counters others move."""

from server.accounts.archive_job import stored_keys
from server.accounts.people import (
    START_SCORE,
    Standing,
    blocked_with,
    cards,
    cards_in,
    count_no_show,
    count_trade,
    hold,
    is_blocked,
    notification_switches,
    set_manner,
    shows_avatar,
    standing,
)
from server.accounts.ports import (
    Dealings,
    ExportParts,
    ExportRow,
    OpenTrades,
    ResponseFigures,
    Responsiveness,
)
from server.accounts.repository import cards_subquery, holder_subquery
from server.accounts.service import own_account, sign_up
from server.accounts.sessions import (
    authenticate,
    create_ticket,
    live_sessions,
    note_write,
    redeem_ticket,
    touch_session,
)

__all__ = [
    "START_SCORE",
    "Dealings",
    "ExportParts",
    "ExportRow",
    "OpenTrades",
    "ResponseFigures",
    "Responsiveness",
    "Standing",
    "authenticate",
    "blocked_with",
    "cards",
    "cards_in",
    "cards_subquery",
    "count_no_show",
    "count_trade",
    "create_ticket",
    "hold",
    "holder_subquery",
    "is_blocked",
    "live_sessions",
    "note_write",
    "notification_switches",
    "own_account",
    "redeem_ticket",
    "set_manner",
    "shows_avatar",
    "sign_up",
    "standing",
    "stored_keys",
    "touch_session",
]
