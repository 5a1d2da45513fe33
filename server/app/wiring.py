"""Who hears what, and who stands behind which port. The only place that knows all rooms.

Each room has a function here; it is the whole list of what plugs that room into the others.
"""

from server.accounts import api as accounts
from server.platform.context import Context
from server.platform.http import Authenticator


def wire(context: Context) -> None:
    """Plug all rooms together."""
    _wire_accounts(context)


def _wire_accounts(context: Context) -> None:
    context.wiring.provide(Authenticator, Authenticator(accounts.authenticate))
