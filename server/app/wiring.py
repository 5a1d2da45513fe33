"""Who hears what, and who stands behind which port. The only place that knows all rooms.

Each room has a function here; it is the whole list of what plugs that room into the others.
"""

from server.accounts import api as accounts
from server.accounts.events import AccountDeleted
from server.listings import api as listings
from server.platform.context import Context
from server.platform.http import Authenticator
from server.platform.unit_of_work import UnitOfWork


def wire(context: Context) -> None:
    """Plug all rooms together."""
    _wire_accounts(context)
    _wire_listings(context)


def _wire_accounts(context: Context) -> None:
    context.wiring.provide(Authenticator, Authenticator(accounts.authenticate))


def _wire_listings(context: Context) -> None:
    async def gone(work: UnitOfWork, event: AccountDeleted) -> None:
        await listings.delete_all_of(work, event.account_id)

    context.wiring.on(AccountDeleted, gone)
