"""The websocket, the tickets for it, and the state to begin from."""

from fastapi import APIRouter, Response, WebSocket

from server.accounts import api as accounts
from server.platform.context import Context
from server.platform.http import Reading, Writing, model_response
from server.platform.rates import Rate
from server.realtime.bootstrap import bootstrap
from server.realtime.node import RealtimeNode
from shared_models.sync import Bootstrap, Ticket

router = APIRouter(prefix="/v1", tags=["Sync"])

_TICKETS = Rate("tickets", burst=30, per_second=1 / 2)


@router.websocket("/realtime")
async def realtime(socket: WebSocket) -> None:
    """The realtime protocol, subprotocol ``picky.v1.json``."""
    context: Context = socket.app.state.context
    await context.wiring.port(RealtimeNode).gateway.serve(socket)


@router.post("/realtime/tickets", status_code=201, response_model=Ticket)
async def create_ticket(write: Writing) -> Response:
    """A one-use ticket for `hello`, good for 30 s, for clients that cannot set headers."""
    write.limit(_TICKETS)
    return await write(accounts.create_ticket, status=201, secret=True)


@router.get("/sync/bootstrap", response_model=Bootstrap)
async def read_bootstrap(work: Reading) -> Response:
    """The account's state. `pos` is read before the data, so no event is missed."""
    return model_response(await bootstrap(work))
