"""The contract as methods: one short call per endpoint, shared models in and out.

Errors are those of :mod:`client_tui.core.errors`. Every POST that creates or moves carries an
Idempotency-Key; pass ``key`` to make a repeat after a lost answer harmless.
"""

from client_tui.core.endpoints.accounts import AccountCalls
from client_tui.core.endpoints.calls import every
from client_tui.core.endpoints.chat import ChatCalls, NotificationCalls, SyncCalls
from client_tui.core.endpoints.listings import ListingCalls, UploadCalls
from client_tui.core.endpoints.trades import OfferCalls, TradeCalls
from client_tui.core.http import Http

__all__ = ["Api", "Http", "every"]


class Api(
    AccountCalls,
    ListingCalls,
    UploadCalls,
    ChatCalls,
    OfferCalls,
    TradeCalls,
    NotificationCalls,
    SyncCalls,
):
    """All calls of one server for one account: ``Api(Http(server, token))``."""

    async def __aenter__(self) -> "Api":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self.http.aclose()
