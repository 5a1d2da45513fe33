"""What the worker runs for listings."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from server.listings import service, trading
from server.platform.context import Context
from server.platform.jobs import Periodic, Run
from server.platform.unit_of_work import UnitOfWork, transact

_TIDY = "listings.tidy"


async def _back_on_sale(context: Context, payload: dict[str, Any]) -> None:
    listing_id, version = UUID(payload["listing_id"]), payload["version"]

    async def tell(work: UnitOfWork) -> None:
        await trading.tell_back_on_sale(work, listing_id, version)

    await transact(context, None, tell)


async def _tidy(context: Context, _payload: dict[str, Any]) -> None:
    while await transact(context, None, service.delete_idle_drafts):
        pass
    await transact(context, None, service.forget_old_views)


RUNNERS: dict[str, Run] = {trading.BACK_ON_SALE: _back_on_sale, _TIDY: _tidy}
PERIODIC = (Periodic(_TIDY, timedelta(hours=6)),)
