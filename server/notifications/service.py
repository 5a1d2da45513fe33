"""The notification centre (rule 16): every notice is a row first, then a push."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from server.accounts import api as accounts
from server.notifications import repository
from server.notifications.events import NotificationCreated, NotificationsMarkedRead
from server.platform import streams
from server.platform.errors import NotFound
from server.platform.pages import read_page
from server.platform.unit_of_work import UnitOfWork
from shared_models.base import Page
from shared_models.notifications import (
    Notification,
    NotificationKind,
    NotificationsRead,
    NotificationsSeen,
)

MESSAGE_NEW = "message_new"
"""The event of a message's notice."""

MESSAGE_DELETED = "This message was deleted."
"""What the notice of a deleted message says."""

_TEXT_MAX = 300
_ABOVE_ALL_SEQS = 10**19 - 1
"""As a number and, which is how keys are sorted, as text."""
_ALWAYS_KEPT = frozenset({NotificationKind.TRADE, NotificationKind.SYSTEM})


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody is told; ``key`` names kind, subject and event and is told once to each."""

    kind: NotificationKind
    event: str
    text: str
    key: str
    data: dict[str, Any] = field(default_factory=dict)


async def notify(work: UnitOfWork, account_ids: Iterable[UUID], notice: Notice) -> None:
    """Write the notice for each account that has not had it and wants its kind.

    Trade and system cannot be switched off, only silenced: switched off, they are kept but silent.
    """
    wanted = sorted(set(account_ids))
    told = await repository.told_already(work, wanted, notice.key) if wanted else frozenset()
    untold = [account_id for account_id in wanted if account_id not in told]
    switches = await accounts.notification_switches(work, untold)
    rows = []
    for account_id in untold:
        on = switches[account_id][notice.kind]
        if on or notice.kind in _ALWAYS_KEPT:
            rows.append(_row(work, account_id, notice, silent=not on))
    if rows:
        await repository.add(work, rows)
    for row, shown in zip(rows, await shown_of(work, rows), strict=True):
        work.announce(NotificationCreated(shown, row["account_id"]))


def _row(work: UnitOfWork, account_id: UUID, notice: Notice, *, silent: bool) -> dict[str, Any]:
    return {
        "id": work.new_id(),
        "account_id": account_id,
        "kind": notice.kind.value,
        "event": notice.event,
        "text": notice.text[:_TEXT_MAX],
        "data": notice.data,
        "dedup_key": notice.key,
        "silent": silent,
        "read_at": None,
        "created_at": work.now,
        "updated_at": work.now,
    }


async def page(work: UnitOfWork, limit: int, cursor: str | None) -> Page[Notification]:
    """The actor's notices, newest first."""
    account_id = work.actor.account_id
    rows, next_cursor = await read_page(
        partial(repository.page, work, account_id),
        limit,
        cursor,
        secret=work.context.secret,
        scope=f"notifications:{account_id}",
        key=lambda row: (row.created_at, row.id),
    )
    items = await shown_of(work, [row._asdict() for row in rows])
    return Page[Notification](items=items, next_cursor=next_cursor)


async def shown_of(work: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> list[Notification]:
    """Notices on the wire. The text of one with a ``sender_id`` is what that one wrote, who is
    called as they are called now: an erased name stays nowhere (rule 20).
    """
    senders = {UUID(row["data"]["sender_id"]) for row in rows if "sender_id" in row["data"]}
    names = {
        str(id_): card.display_name for id_, card in (await accounts.cards(work, senders)).items()
    }
    return [_shown(row, names.get(row["data"].get("sender_id"))) for row in rows]


def _shown(row: Mapping[str, Any], sender: str | None) -> Notification:
    return Notification(
        id=row["id"],
        kind=NotificationKind(row["kind"]),
        event=row["event"],
        text=f"{sender}: {row['text']}" if sender else row["text"],
        data=row["data"],
        read=row["read_at"] is not None,
        silent=row["silent"],
        created_at=row["created_at"],
    )


async def forget_message(
    work: UnitOfWork, account_ids: Iterable[UUID], room_id: UUID, seq: int
) -> None:
    """Keep nothing of a message in its notice but that there was one (rule 15)."""
    about = message_data(room_id, seq)
    key = message_key(room_id, seq)
    await repository.rewrite(work, account_ids, key, MESSAGE_DELETED, about)


def message_key(room_id: UUID, seq: int) -> str:
    """The key of the notice of a message."""
    return f"chat:{room_id}:{seq}"


def message_data(room_id: UUID, seq: int) -> dict[str, Any]:
    """What the notice of a message is about."""
    return {"chatroom_id": str(room_id), "seq": seq}


async def mark_read(work: UnitOfWork, body: NotificationsRead) -> None:
    """Everything up to this notice is read, on every device; idempotent."""
    account_id = work.actor.account_id
    up_to = await repository.position_of(work, account_id, body.up_to_id)
    if up_to is None:
        raise NotFound("notification")
    if await repository.mark_read(work, account_id, up_to):
        await _tell_read(work, account_id, body.up_to_id, streams_held=[account_id])


async def mark_messages_read(
    work: UnitOfWork, account_id: UUID, room_id: UUID, seq: int, told: Sequence[UUID]
) -> None:
    """What was read in a chat up to ``seq`` is no news any more (rule 16).

    ``told`` are all whose streams this transaction appends to.
    """
    keys = message_key(room_id, 0), message_key(room_id, _ABOVE_ALL_SEQS)
    newest = await repository.mark_messages_read(work, account_id, keys, seq)
    if newest is not None:
        await _tell_read(work, account_id, newest, streams_held=told, room_id=room_id)


async def _tell_read(
    work: UnitOfWork,
    account_id: UUID,
    up_to_id: UUID,
    *,
    streams_held: Sequence[UUID],
    room_id: UUID | None = None,
) -> None:
    """Count what is left. Notices come before streams in the lock order (H15)."""
    await streams.hold(work, *streams_held)
    unread = await repository.unread_count(work, account_id)
    seen = NotificationsSeen(up_to_id=up_to_id, unread=unread, chatroom_id=room_id)
    work.announce(NotificationsMarkedRead(seen, account_id))


async def unread_count(work: UnitOfWork, account_id: UUID) -> int:
    """How many notices the account has not read."""
    return await repository.unread_count(work, account_id)


async def forget_old(work: UnitOfWork) -> int:
    """Delete the history that is over 90 days old; how many notices there were."""
    kept = timedelta(days=work.limits.notification_days)
    return await repository.forget_before(work, work.now - kept)
