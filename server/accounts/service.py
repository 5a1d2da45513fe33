"""The rules of one's own account: sign up, sign in, change, delete."""

import re
import unicodedata
from datetime import timedelta
from typing import Any
from uuid import UUID

from server.accounts import repository
from server.accounts.common_passwords import is_common
from server.accounts.events import AccountChanged, AccountDeleted
from server.accounts.people import GONE, START_SCORE, all_switches, open_trade
from server.accounts.ports import OpenTrades
from server.accounts.sessions import end_all_sessions, start_session
from server.media import api as media
from server.platform import jobs, streams
from server.platform.context import Actor, Context
from server.platform.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from server.platform.unit_of_work import UnitOfWork, reading, transact
from shared_models.accounts import (
    Account,
    AccountPatch,
    PasswordChange,
    SignedIn,
    SignIn,
    SignUp,
)
from shared_models.bounds import CONSENTS_MAX
from shared_models.media import Purpose
from shared_models.notifications import NotificationKind

GRACE = timedelta(days=14)
"""How long a deleted account's own data is kept before it is erased (rule 20)."""

ERASE = "accounts.erase"
"""The job that erases it."""

_HANDLE = re.compile(r"[a-z0-9_]{3,20}", re.ASCII)
_CONSENT = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_ALWAYS_ON = (NotificationKind.TRADE, NotificationKind.SYSTEM)


async def sign_up(context: Context, body: SignUp) -> SignedIn:
    """A new account and its first session; 409 ``handle_taken``, 422 ``password_common``."""
    _check_password(body.password, body.handle)
    password_hash = await context.passwords.hash(_normal(body.password))

    async def create(work: UnitOfWork) -> SignedIn:
        if await repository.handle_taken(work, body.handle):
            raise Conflict("handle_taken", f"The handle {body.handle} is taken.")
        account_id = work.new_id()
        await repository.insert_account(work, _new_account(account_id, body, password_hash))
        await streams.create(work, account_id)
        return await _signed_in(work, account_id, body.device)

    return await transact(context, None, create)


async def sign_in(context: Context, body: SignIn) -> SignedIn:
    """A new session; 401 ``bad_credentials``, in the same time whether the handle exists or not.

    The password is checked before the transaction begins, so that it holds no lock meanwhile. Then
    the account is held: a password that is changed at this very moment was either changed before,
    or ends this session too.
    """
    handle = body.handle.strip().lower()
    found = None
    if _HANDLE.fullmatch(handle):
        async with reading(context) as work:
            found = await repository.credentials_of_handle(work, handle)
    stored = found.password_hash if found else None
    right = await context.passwords.verify(stored, _normal(body.password))
    if found is None or not right:
        raise _bad_credentials()

    async def start(work: UnitOfWork) -> SignedIn:
        await repository.lock_account(work, found.id)
        if await repository.password_hash(work, found.id) != stored:
            raise _bad_credentials()
        return await _signed_in(work, found.id, body.device)

    return await transact(context, None, start)


async def change_password(context: Context, actor: Actor, body: PasswordChange) -> None:
    """Change the password and end all other sessions; 403 ``wrong_password``."""
    async with reading(context) as work:
        me = await own_account(work, actor.account_id)
        stored = await repository.password_hash(work, actor.account_id)
    if not await context.passwords.verify(stored, _normal(body.current_password)):
        raise Forbidden("wrong_password", "The current password is not right.")
    _check_password(body.new_password, me.handle, field="new_password")
    new_hash = await context.passwords.hash(_normal(body.new_password))

    async def change(work: UnitOfWork) -> None:
        replaced = stored is not None and await repository.replace_password(
            work, actor.account_id, stored, new_hash
        )
        if not replaced:
            raise Conflict("stale", "The password has just been changed elsewhere.")
        await end_all_sessions(work, actor.account_id, all_but=actor.session_id)

    await transact(context, actor, change)


async def own_account(work: UnitOfWork, account_id: UUID) -> Account:
    """An account as it sees itself; :class:`NotFound` when it is gone."""
    row = await repository.own_account(work, account_id)
    if row is None:
        raise NotFound("account")
    return Account(
        id=row.id,
        handle=row.handle,
        display_name=row.display_name,
        place=row.place,
        avatar=row.avatar,
        locale=row.locale,
        consents=row.consents,
        notification_switches=all_switches(row.notification_switches),
        manner_score=row.manner_score,
        review_count=row.review_count,
        sales=row.sales,
        purchases=row.purchases,
        created_at=row.created_at,
    )


async def change_account(work: UnitOfWork, body: AccountPatch) -> Account:
    """Change one's own account. What is left out stays; null clears place, avatar and locale."""
    account_id = work.actor.account_id
    await repository.lock_account(work, account_id)
    before = await own_account(work, account_id)
    changes = await _changes(work, before, body)
    if changes:
        await repository.update_account(work, account_id, changes)
        work.announce(AccountChanged(account_id))
    return await own_account(work, account_id)


async def delete_account(work: UnitOfWork) -> None:
    """Delete one's own account (rule 20): 409 ``open_trade`` while a trade is open (H10).

    It is gone for everybody at once; its name and text are erased after 14 days.
    """
    account_id = work.actor.account_id
    await repository.lock_account(work, account_id)
    if await work.context.wiring.port(OpenTrades).of(work, account_id):
        raise Conflict(
            "open_trade",
            "Finish or cancel your open trades first.",
            current=await open_trade(work),
        )
    await repository.update_account(work, account_id, {"deleted_at": work.now})
    await end_all_sessions(work, account_id)
    work.announce(AccountDeleted(account_id))
    await jobs.enqueue(
        work,
        ERASE,
        {"account_id": str(account_id)},
        run_at=work.now + GRACE,
        key=f"{ERASE}:{account_id}",
    )


async def erase_account(work: UnitOfWork, account_id: UUID) -> None:
    """Erase the name and text of an account whose 14 days are over; the handle is free again.

    Its avatar leaves the store, and how its devices and files were called is forgotten.
    """
    erased: dict[str, Any] = {
        "handle": f"~{account_id.hex[-19:]}",
        "display_name": GONE,
        "password_hash": "",
        "place": None,
        "avatar": None,
        "locale": None,
        "consents": {},
    }
    if await repository.erase_account(work, account_id, erased, work.now - GRACE):
        await repository.clear_devices(work, account_id)
        await media.forget_owner(work, account_id)


async def _changes(work: UnitOfWork, before: Account, body: AccountPatch) -> dict[str, Any]:
    sent = body.model_fields_set
    changes: dict[str, Any] = {
        name: getattr(body, name) for name in ("place", "locale") if name in sent
    }
    if body.display_name is not None:
        changes["display_name"] = body.display_name
    if "avatar" in sent:
        photos = await media.replace(
            work,
            before.id,
            [body.avatar] if body.avatar else [],
            kind=Purpose.AVATAR,
            object_id=before.id,
        )
        changes["avatar"] = photos[0] if photos else None
    if body.consents is not None:
        changes["consents"] = _merged_consents(before.consents, body.consents)
    if body.notification_switches is not None:
        changes["notification_switches"] = _merged_switches(
            before.notification_switches, body.notification_switches
        )
    return changes


def _merged_consents(before: dict[str, bool], sent: dict[str, bool]) -> dict[str, bool]:
    for name in sent:
        if not _CONSENT.fullmatch(name):
            raise Invalid.field("consents", "consent_invalid", "Consents have snake_case names.")
    merged = before | sent
    if len(merged) > CONSENTS_MAX:
        raise Invalid.field("consents", "too_long", f"At most {CONSENTS_MAX} consents.")
    return merged


def _merged_switches(before: dict[str, bool], sent: dict[str, bool]) -> dict[str, bool]:
    for name, on in sent.items():
        if name not in list(NotificationKind):
            raise Invalid.field(
                "notification_switches", "unknown_kind", "There is no such kind of notice."
            )
        if name in _ALWAYS_ON and not on:
            raise Invalid.field(
                "notification_switches",
                "always_on",
                f"Notices about {name} cannot be switched off.",
            )
    return before | sent


async def _signed_in(work: UnitOfWork, account_id: UUID, device: str | None) -> SignedIn:
    token, session = await start_session(work, account_id, device)
    account = await own_account(work, account_id)
    return SignedIn(token=token, session=session, account=account)


def _new_account(account_id: UUID, body: SignUp, password_hash: str) -> dict[str, Any]:
    return {
        "id": account_id,
        "handle": body.handle,
        "display_name": body.display_name,
        "password_hash": password_hash,
        "place": body.place,
        "locale": body.locale,
        "consents": {},
        "notification_switches": {},
        "manner_score": START_SCORE,
    }


def _check_password(password: str, handle: str, field: str = "password") -> None:
    if is_common(password) or password.lower() == handle:
        raise Invalid.field(
            field, "password_common", "This password is too easy to guess. Choose another."
        )


def _normal(password: str) -> str:
    """One form for the same characters, whichever way a keyboard composes them."""
    return unicodedata.normalize("NFC", password)


def _bad_credentials() -> Unauthenticated:
    return Unauthenticated("The handle or the password is wrong.", code="bad_credentials")
