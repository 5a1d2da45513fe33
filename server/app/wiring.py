"""Who hears what, and who stands behind which port. The only place that knows all rooms.

Each room has a function here; it is the whole list of what plugs that room into the others.
"""

from server.accounts import api as accounts
from server.accounts.events import AccountBlocked, AccountDeleted, AccountUnblocked
from server.chat import api as chat
from server.chat.events import MessageDeleted, MessagePosted, RoomLeft, RoomRead
from server.listings import api as listings
from server.listings.events import (
    ListingBackOnSale,
    ListingChanged,
    ListingDeleted,
    ListingOnSaleAgain,
    ListingPriceChanged,
    ListingPriceDropped,
    ListingSoldElsewhere,
    ListingTaken,
)
from server.media import api as media
from server.notifications import api as notifications
from server.platform.context import Context
from server.platform.http import Authenticator
from server.platform.unit_of_work import UnitOfWork
from server.realtime.feed import append_events
from server.realtime.forgetting import forget_message
from server.trades import api as trades
from server.trades.events import (
    AppointmentChanged,
    OfferChanged,
    ReminderDue,
    ReviewAnswered,
    ReviewPublished,
    TradeChanged,
)


def wire(context: Context, *, watched: bool = True) -> None:
    """Plug all rooms together. Unwatched, the accounts' streams stay empty: nobody is there yet."""
    _wire_accounts(context)
    _wire_listings(context)
    _wire_chat(context)
    _wire_trades(context)
    _wire_notifications(context)
    if watched:
        _wire_realtime(context)


def _wire_accounts(context: Context) -> None:
    context.wiring.provide(media.Uploaders, media.Uploaders(hold=accounts.hold))
    context.wiring.provide(Authenticator, Authenticator(accounts.authenticate, accounts.note_write))
    rooms_above = (listings, chat, trades, notifications)
    parts = tuple(room.export_rows for room in rooms_above)
    context.wiring.provide(accounts.ExportParts, accounts.ExportParts(parts))


def _wire_listings(context: Context) -> None:
    async def gone(work: UnitOfWork, event: AccountDeleted) -> None:
        await listings.delete_all_of(work, event.account_id)

    context.wiring.on(AccountDeleted, gone)


def _wire_chat(context: Context) -> None:
    wiring = context.wiring
    wiring.provide(chat.SendLine, chat.SendLine(context))
    wiring.provide(accounts.Dealings, accounts.Dealings(hold=chat.hold_listings_between))
    wiring.provide(accounts.Responsiveness, accounts.Responsiveness(of=chat.response_figures))
    wiring.provide(
        media.PhotoViewers,
        media.PhotoViewers(
            listing=listings.may_see, message=chat.may_see_photo, avatar=accounts.shows_avatar
        ),
    )
    wiring.on(ListingDeleted, chat.on_listing_deleted)
    wiring.on(ListingTaken, chat.on_listing_taken)
    wiring.on(ListingSoldElsewhere, chat.on_sold_elsewhere)
    wiring.on(ListingOnSaleAgain, chat.on_sale_again)
    wiring.on(AccountDeleted, chat.on_account_deleted)
    wiring.on(AccountBlocked, chat.on_account_blocked)
    wiring.on(AccountUnblocked, chat.on_account_unblocked)


def _wire_trades(context: Context) -> None:
    wiring = context.wiring
    wiring.provide(
        accounts.OpenTrades,
        accounts.OpenTrades(
            between=trades.open_between,
            of=trades.has_open,
            settle=trades.settle_account,
            shown=trades.open_trades,
        ),
    )
    wiring.provide(
        listings.ListingNeighbours,
        listings.ListingNeighbours(
            is_trade_party=trades.is_party,
            room_of=chat.room_of,
            settle=trades.settle_listing,
            settle_due=trades.settle_due,
        ),
    )
    wiring.provide(
        chat.RoomExtras,
        chat.RoomExtras(
            load=trades.load_room_extra,
            settle=trades.settle_room,
            settle_due=trades.settle_due,
        ),
    )
    wiring.on(ListingPriceChanged, trades.on_price_changed)
    wiring.on(ListingChanged, trades.on_listing_changed)
    wiring.on(AccountBlocked, trades.on_account_blocked)
    wiring.on(AccountUnblocked, trades.on_account_unblocked)
    wiring.on(AccountDeleted, trades.on_account_deleted)


def _wire_notifications(context: Context) -> None:
    wiring = context.wiring
    wiring.on(TradeChanged, notifications.on_trade)
    wiring.on(OfferChanged, notifications.on_offer)
    wiring.on(AppointmentChanged, notifications.on_appointment)
    wiring.on(ReminderDue, notifications.on_reminder)
    wiring.on(ReviewPublished, notifications.on_review_published)
    wiring.on(ReviewAnswered, notifications.on_review_answered)
    wiring.on(MessagePosted, notifications.on_message)
    wiring.on(MessageDeleted, notifications.on_message_deleted)
    wiring.on(RoomRead, notifications.on_room_read)
    wiring.on(RoomLeft, notifications.on_room_left)
    wiring.on(ListingPriceDropped, notifications.on_price_dropped)
    wiring.on(ListingBackOnSale, notifications.on_back_on_sale)


def _wire_realtime(context: Context) -> None:
    context.wiring.on(MessageDeleted, forget_message)
    context.wiring.at_end(append_events)
