"""The tickets for the websocket, and the state to begin from."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from server.accounts import api as accounts
from server.platform.http import Writing, model_response, reading_after
from server.platform.rates import Rate
from server.platform.unit_of_work import UnitOfWork, reading_one_moment
from server.realtime.bootstrap import bootstrap
from server.trades import api as trades
from shared_models.sync import Bootstrap, Ticket

router = APIRouter(prefix="/v1", tags=["Sync"])

_TICKETS = Rate("tickets", burst=30, per_second=1 / 2)


async def settled(request: Request) -> AsyncIterator[UnitOfWork]:
    """A reading unit of work of one moment, once what is overdue of the account is settled."""
    async with reading_after(
        request,
        lambda context, actor: trades.settle_account(context, actor.account_id),
        reading_one_moment,
    ) as work:
        yield work


Settled = Annotated[UnitOfWork, Depends(settled, scope="function")]


@router.post("/realtime/tickets", status_code=201, response_model=Ticket)
async def create_ticket(write: Writing) -> Response:
    """A one-use ticket for `hello`, good for 30 s, for clients that cannot set headers."""
    write.limit(_TICKETS)
    return await write(accounts.create_ticket, status=201, secret=True)


@router.get("/sync/bootstrap", response_model=Bootstrap)
async def read_bootstrap(work: Settled) -> Response:
    """The account's state at `pos`: the events after it go on from there."""
    return model_response(await bootstrap(work))
