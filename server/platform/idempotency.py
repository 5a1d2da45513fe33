"""Stored answers: the same key and body gets the same answer, without a second effect."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, insert, select

from server.platform.errors import Invalid
from server.platform.tables import StoredAnswer
from server.platform.unit_of_work import UnitOfWork

KEPT = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer: status and JSON body."""

    status: int
    body: bytes


def fingerprint(method: str, path: str, body: bytes) -> str:
    """What makes two requests the same request."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest()


async def recall(work: UnitOfWork, key: UUID, print_: str) -> Answer | None:
    """The answer stored under this key within 48 h, or None.

    422 when the key was used for another request. An older answer makes room for a new one.
    """
    mine = (StoredAnswer.account_id == work.actor.account_id, StoredAnswer.key == key)
    row = await work.first(
        select(
            StoredAnswer.fingerprint,
            StoredAnswer.status,
            StoredAnswer.body,
            StoredAnswer.created_at,
        ).where(*mine)
    )
    if row is None:
        return None
    if row.created_at < work.now - KEPT:
        await work.execute(delete(StoredAnswer).where(*mine))
        return None
    if row.fingerprint != print_:
        raise Invalid("idempotency_mismatch", "This Idempotency-Key was used for another request.")
    return Answer(row.status, row.body)


async def remember(work: UnitOfWork, key: UUID, print_: str, answer: Answer) -> None:
    """Store the answer in the transaction of its effect. A lost race on the key is re-run."""
    await work.execute(
        insert(StoredAnswer).values(
            account_id=work.actor.account_id,
            key=key,
            fingerprint=print_,
            status=answer.status,
            body=answer.body,
            created_at=work.now,
        )
    )


async def forget_old(work: UnitOfWork) -> int:
    """Delete answers older than 48 h; how many there were."""
    return await work.changed(delete(StoredAnswer).where(StoredAnswer.created_at < work.now - KEPT))
