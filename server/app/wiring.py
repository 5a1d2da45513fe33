"""Who hears what, and who stands behind which port. The only place that knows all rooms.

Each room has a function here; it is the whole list of what plugs that room into the others.
"""

from server.accounts import api as accounts
from server.accounts.events import AccountBlocked, AccountDeleted, AccountUnblocked
from server.chat import api as chat
from server.listings import api as listings
from server.listings.events import ListingDeleted
from server.media import api as media
from server.platform.context import Context
from server.platform.http import Authenticator
from server.platform.unit_of_work import UnitOfWork


def wire(context: Context) -> None:
    """Plug all rooms together."""
    _wire_accounts(context)
    _wire_listings(context)
    _wire_chat(context)


def _wire_accounts(context: Context) -> None:
    context.wiring.provide(Authenticator, Authenticator(accounts.authenticate))


def _wire_listings(context: Context) -> None:
    async def gone(work: UnitOfWork, event: AccountDeleted) -> None:
        await listings.delete_all_of(work, event.account_id)

    context.wiring.on(AccountDeleted, gone)


def _wire_chat(context: Context) -> None:
    wiring = context.wiring
    wiring.provide(accounts.Responsiveness, accounts.Responsiveness(of=chat.response_figures))
    wiring.provide(
        media.PhotoViewers,
        media.PhotoViewers(listing=listings.may_see, message=chat.may_see_photo),
    )
    wiring.on(ListingDeleted, chat.on_listing_deleted)
    wiring.on(AccountDeleted, chat.on_account_deleted)
    wiring.on(AccountBlocked, chat.on_account_blocked)
    wiring.on(AccountUnblocked, chat.on_account_unblocked)
