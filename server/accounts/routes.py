"""Accounts over HTTP."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from server.accounts import archive_job, people, service, sessions
from server.accounts.ports import OpenTrades
from server.platform.http import (
    CursorText,
    Limit,
    Reading,
    Writing,
    address_of,
    context_of,
    model_response,
    reading_after,
    respond,
)
from server.platform.idempotency import Answer
from server.platform.rates import Rate
from server.platform.unit_of_work import UnitOfWork, reading_perhaps_behind
from shared_models.accounts import (
    Account,
    AccountPatch,
    ExportState,
    PasswordChange,
    Profile,
    ProfileCard,
    Session,
    SignedIn,
    SignIn,
    SignUp,
)
from shared_models.base import Page

router = APIRouter(prefix="/v1", tags=["Accounts"])

_SIGN_UP = Rate("sign_up", burst=10, per_second=1 / 60)
_SIGN_IN_ADDRESS = Rate("sign_in_address", burst=30, per_second=1 / 4)
_SIGN_IN_THERE = Rate("sign_in_handle_address", burst=10, per_second=1 / 30)
"""For one handle from one address."""
_SIGN_IN_HANDLE = Rate("sign_in_handle", burst=100, per_second=1 / 6)
"""For one handle from all addresses. No single address can use it up."""
_PASSWORD = Rate("password", burst=5, per_second=1 / 60)
_EXPORTS = Rate("exports", burst=5, per_second=1 / 600)
_BLOCKS = Rate("blocks_follows", burst=60, per_second=1)

AccountId = Annotated[UUID, Path(description="The account.")]


async def settled(request: Request, account_id: AccountId) -> AsyncIterator[UnitOfWork]:
    """A reading unit of work, once what is overdue of the account in the path is settled."""
    port = context_of(request).wiring.port(OpenTrades)
    async with reading_after(
        request, lambda context, _: port.settle(context, account_id), reading_perhaps_behind
    ) as work:
        yield work


Settled = Annotated[UnitOfWork, Depends(settled, scope="function")]


@router.post("/accounts", status_code=201, response_model=SignedIn)
async def sign_up(body: SignUp, request: Request) -> Response:
    """Open an account. The token is shown this once.

    There is no `Idempotency-Key`, as an answer with a token is never stored. When the answer is
    lost, 409 `handle_taken` on a second try may be one's own account: sign in.
    """
    context = context_of(request)
    context.rates.take(_SIGN_UP, address_of(request))
    return model_response(await service.sign_up(context, body), 201)


@router.post("/sessions", status_code=201, response_model=SignedIn)
async def sign_in(body: SignIn, request: Request) -> Response:
    """Sign a device in. The token is shown this once.

    There is no `Idempotency-Key`, as an answer with a token is never stored. Each call is a
    session of its own; one whose answer was lost is on the list of devices.
    """
    context = context_of(request)
    address, handle = address_of(request), body.handle.strip().lower()
    context.rates.take(_SIGN_IN_ADDRESS, address)
    context.rates.take(_SIGN_IN_THERE, f"{address} {handle}")
    context.rates.take(_SIGN_IN_HANDLE, handle)
    return model_response(await service.sign_in(context, body), 201)


@router.get("/sessions", response_model=Page[Session])
async def list_sessions(work: Reading, limit: Limit = 20, cursor: CursorText = None) -> Response:
    """The account's signed-in devices, newest first."""
    return model_response(await sessions.session_page(work, limit, cursor))


@router.delete("/sessions/{session_id}", status_code=204)
async def end_session(session_id: UUID | Literal["current"], write: Writing) -> Response:
    """Sign a device out; `current` is the one that asks."""
    ended = write.actor.session_id if session_id == "current" else session_id
    return await write(lambda work: sessions.end_session(work, ended))


@router.get("/me", response_model=Account)
async def read_me(work: Reading) -> Response:
    """One's own account."""
    return model_response(await service.own_account(work, work.actor.account_id))


@router.patch("/me", response_model=Account)
async def change_me(body: AccountPatch, write: Writing) -> Response:
    """Change one's own account. What is left out stays; null clears place, avatar and locale."""
    return await write(lambda work: service.change_account(work, body))


@router.delete("/me", status_code=204)
async def delete_me(write: Writing) -> Response:
    """Delete one's own account; 409 `open_trade` while a trade is open."""
    await write.context.wiring.port(OpenTrades).settle(write.context, write.actor.account_id)
    return await write(service.delete_account)


@router.put("/me/password", status_code=204)
async def change_password(body: PasswordChange, write: Writing) -> Response:
    """Change the password; ends all other sessions. 403 `wrong_password`."""
    write.limit(_PASSWORD)
    await service.change_password(write.context, write.actor, body)
    return respond(Answer(204, b""))


@router.post("/me/export", status_code=202, response_model=ExportState)
async def request_export(write: Writing) -> Response:
    """Ask for everything about the account as one zip archive; it is kept for 24 h."""
    write.limit(_EXPORTS)
    return await write(archive_job.request_export, status=202)


@router.get("/me/export", response_model=ExportState)
async def read_export(work: Reading) -> Response:
    """How far the archive is; once `ready`, `url` downloads it for five minutes."""
    return model_response(await archive_job.read_export(work))


@router.get("/me/blocks", response_model=Page[ProfileCard])
async def list_blocks(work: Reading, limit: Limit = 20, cursor: CursorText = None) -> Response:
    """Whom one blocks, newest block first. Who blocks oneself is never told.

    A deleted account is listed with its neutral card and can be unblocked.
    """
    return model_response(await people.blocked_page(work, limit, cursor))


@router.get("/accounts/{account_id}", response_model=Profile)
async def read_profile(account_id: AccountId, work: Settled) -> Response:
    """A public profile. A deleted account has a neutral one."""
    return model_response(await people.profile(work, account_id))


@router.put("/accounts/{account_id}/block", status_code=204)
async def block(
    account_id: AccountId,
    write: Writing,
    cancel_trade: Annotated[
        bool, Query(description="Cancel a trade that the two have reserved.")
    ] = False,
) -> Response:
    """Block an account. 409 `open_trade` while the two have a reserved trade."""
    write.limit(_BLOCKS)
    await write.context.wiring.port(OpenTrades).settle(write.context, write.actor.account_id)
    return await write(lambda work: people.block(work, account_id, cancel_trade=cancel_trade))


@router.delete("/accounts/{account_id}/block", status_code=204)
async def unblock(account_id: AccountId, write: Writing) -> Response:
    """Take a block back."""
    write.limit(_BLOCKS)
    return await write(lambda work: people.unblock(work, account_id))


@router.put("/accounts/{account_id}/follow", status_code=204)
async def follow(account_id: AccountId, write: Writing) -> Response:
    """Follow an account; at most 1,000."""
    write.limit(_BLOCKS)
    return await write(lambda work: people.follow(work, account_id))


@router.delete("/accounts/{account_id}/follow", status_code=204)
async def unfollow(account_id: AccountId, write: Writing) -> Response:
    """No longer follow an account."""
    write.limit(_BLOCKS)
    return await write(lambda work: people.unfollow(work, account_id))
