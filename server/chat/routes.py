"""The chat over HTTP."""

import re
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.routing import APIRoute

from server.chat import history, rooms, search, service
from server.chat.metrics import count_send
from server.chat.ports import RoomExtras
from server.listings import api as listings
from server.platform.errors import Refusal, TooMany
from server.platform.failures import DATABASE_FAILURES
from server.platform.http import (
    CursorText,
    Limit,
    Reading,
    Writing,
    bearer_token,
    context_of,
    created,
    model_response,
    reading_after,
    wire_response,
)
from server.platform.unit_of_work import UnitOfWork, reading
from shared_models.base import Page
from shared_models.bounds import PAGE_MAX
from shared_models.chat import (
    Chatroom,
    ChatroomDetail,
    Message,
    MessagePage,
    OpenRoom,
    ReadMark,
    ReadUpTo,
    SendMessage,
)
from shared_models.text import SearchText

router = APIRouter(prefix="/v1", tags=["Chat"])

_MOST_SEQ = 2**53
_LIMIT = 20
_PLAIN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLAIN = re.compile(r"(?:(?:before|after|around|limit)=[0-9]{1,15}(?:&|$))*")
RoomId = Annotated[UUID, Path(description="The chatroom.")]
SeqPath = Annotated[int, Path(ge=1, le=_MOST_SEQ, description="The message's `seq`.")]
SeqBound = Annotated[int | None, Query(ge=0, le=_MOST_SEQ)]


async def settled(request: Request, room_id: RoomId) -> AsyncIterator[UnitOfWork]:
    """A reading unit of work, once what is overdue in the room in the path is settled."""
    port = context_of(request).wiring.port(RoomExtras)
    async with reading_after(
        request, lambda context, actor: port.settle(context, room_id, actor.account_id)
    ) as work:
        yield work


async def all_settled(request: Request) -> AsyncIterator[UnitOfWork]:
    """A reading unit of work, once what is overdue in any room is settled."""
    port = context_of(request).wiring.port(RoomExtras)
    async with reading_after(request, lambda context, _: port.settle_due(context)) as work:
        yield work


async def caught_up(request: Request) -> AsyncIterator[UnitOfWork]:
    """A reading unit of work, once the actor's messages are in the search index."""
    async with reading_after(request, search.catch_up) as work:
        yield work


Settled = Annotated[UnitOfWork, Depends(settled, scope="function")]
AllSettled = Annotated[UnitOfWork, Depends(all_settled, scope="function")]
CaughtUp = Annotated[UnitOfWork, Depends(caught_up, scope="function")]


class HistoryRoute(APIRoute):
    """A page that is asked for plainly is read without FastAPI's machinery, which costs more than
    the page does. What it makes of anything else is answered as everywhere.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The short way, where it goes on."""
        by_fastapi = super().get_route_handler()

        async def handle(request: Request) -> Response:
            asked = _plainly_asked(request)
            if asked is None:
                return await by_fastapi(request)
            room_id = UUID(request.path_params["room_id"])
            token = bearer_token(request.headers.get("authorization"))
            async with reading(context_of(request)) as work:
                page = await history.page(work, room_id, token=token, **asked)
            return wire_response(page)

        return handle


def _plainly_asked(request: Request) -> dict[str, int] | None:
    """The bound, if any, and the limit as numbers; None unless all is as every client writes it."""
    query: str = request.scope["query_string"].decode("latin-1")
    if not (_PLAIN_ID.fullmatch(request.path_params["room_id"]) and _PLAIN.fullmatch(query)):
        return None
    pairs = [part.partition("=") for part in query.split("&") if part]
    asked = {"limit": _LIMIT, **{name: int(number) for name, _, number in pairs}}
    at_most_one_bound = len(asked) <= 2
    return asked if at_most_one_bound and 1 <= asked["limit"] <= PAGE_MAX else None


async def read_history(
    room_id: RoomId,
    work: Reading,
    before: SeqBound = None,
    after: SeqBound = None,
    around: SeqBound = None,
    limit: Limit = _LIMIT,
) -> Response:
    """A stretch of history in ascending `seq`; the newest messages without a bound.

    Use one of `before`, `after` and `around`. `profiles` has a card for everybody in the page.
    """
    page = await history.page(work, room_id, before=before, after=after, around=around, limit=limit)
    return wire_response(page)


# The busiest of all is the first that is tried.
router.add_api_route(
    "/chatrooms/{room_id}/messages",
    read_history,
    response_model=MessagePage,
    route_class_override=HistoryRoute,
)


@router.post(
    "/chatrooms",
    status_code=201,
    response_model=ChatroomDetail,
    responses={200: {"model": ChatroomDetail, "description": "The room that exists."}},
)
async def open_room(body: OpenRoom, write: Writing) -> Response:
    """Open the chat with a listing's seller; one room per listing and buyer.

    403 `own_listing`, `blocked` or `suspended`; 409 `not_selling` while it is reserved or sold;
    429 `too_many_rooms`.
    """
    port = write.context.wiring.port(listings.ListingNeighbours)
    await port.settle(write.context, body.listing_id)
    return await write(created(lambda work: rooms.open_room(work, body.listing_id)))


@router.get("/chatrooms", response_model=Page[Chatroom])
async def list_rooms(work: AllSettled, limit: Limit = 20, cursor: CursorText = None) -> Response:
    """One's rooms, newest activity first."""
    return model_response(await rooms.room_page(work, limit, cursor))


@router.get("/chatrooms/{room_id}", response_model=ChatroomDetail)
async def read_room(room_id: RoomId, work: Settled) -> Response:
    """A room with its trade, pending offer, appointment and what one may do."""
    return model_response(await rooms.room_detail(work, room_id))


@router.post(
    "/chatrooms/{room_id}/messages",
    status_code=201,
    response_model=Message,
    responses={200: {"model": Message, "description": "Sent before under this `cid`."}},
)
async def send(room_id: RoomId, body: SendMessage, write: Writing) -> Response:
    """Send a message. `cid` is made once per message: a repeat answers 200 with the first one.

    422 `cid_conflict` for another body under the same `cid`, 422 `message_blocked` with the
    reason, 409 `confirm_needed` (send again with `confirmed`), 409 `room_read_only`, 403 `blocked`.
    """

    async def send_and_count(work: UnitOfWork) -> tuple[Message, bool]:
        sent = await service.send(work, room_id, body)
        work.after_commit(lambda: count_send(sent))
        return sent.message, not sent.duplicate

    try:
        wait_s = service.send_wait_s(write.context, write.actor.account_id)
        if wait_s > 0:
            raise TooMany("You send too fast.", retry_after_s=wait_s)
        return await write(created(send_and_count))
    except (Refusal, *DATABASE_FAILURES) as error:
        count_send(error)
        raise


@router.get("/messages/search", response_model=Page[Message])
async def search_messages(
    work: CaughtUp,
    q: Annotated[SearchText, Query(description="Words in the text; `-word` excludes.")],
    chatroom_id: Annotated[UUID | None, Query(description="In this room only.")] = None,
    limit: Limit = 20,
    cursor: CursorText = None,
) -> Response:
    """What was said in one's own rooms, newest first; the last word may be unfinished.

    It finds what one can read there, and what people wrote only: no system messages. Nothing is
    found without a word to look for. A hit's surroundings are `around=<seq>` of its room's
    messages. 404 for a stranger's room.
    """
    return model_response(await search.page(work, q, chatroom_id, limit, cursor))


@router.delete("/chatrooms/{room_id}/messages/{seq}", status_code=204)
async def delete_message(room_id: RoomId, seq: SeqPath, write: Writing) -> Response:
    """Delete one's own message within five minutes; a tombstone keeps its place.

    403 `not_yours`, 409 `too_late`.
    """
    return await write(lambda work: service.delete_message(work, room_id, seq))


@router.put("/chatrooms/{room_id}/read", response_model=ReadMark)
async def mark_read(room_id: RoomId, body: ReadUpTo, write: Writing) -> Response:
    """Everything up to `seq` was seen; the mark only moves up. Answers where it stands."""
    return await write(lambda work: service.mark_read(work, room_id, body.seq))


@router.put("/chatrooms/{room_id}/mute", status_code=204)
async def mute(room_id: RoomId, write: Writing) -> Response:
    """No more notices from this room; it still counts as unread."""
    return await write(lambda work: rooms.set_muted(work, room_id, on=True))


@router.delete("/chatrooms/{room_id}/mute", status_code=204)
async def unmute(room_id: RoomId, write: Writing) -> Response:
    """Notices again."""
    return await write(lambda work: rooms.set_muted(work, room_id, on=False))


@router.post("/chatrooms/{room_id}/leave", status_code=204)
async def leave(room_id: RoomId, write: Writing) -> Response:
    """Take the room off one's list until a new message; hides its history so far.

    409 `open_trade` while a trade is open.
    """
    port = write.context.wiring.port(RoomExtras)
    await port.settle(write.context, room_id, write.actor.account_id)
    return await write(lambda work: rooms.leave(work, room_id))
