"""Every SQL statement of media."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, insert, select, update

from server.media.metrics import UPLOADS
from server.media.tables import Upload
from server.platform.columns import live
from server.platform.state_gauges import set_states
from server.platform.unit_of_work import UnitOfWork
from shared_models.media import UploadState

_A_DAY = timedelta(days=1)
_OWN = (
    Upload.id,
    Upload.state,
    Upload.reason,
    Upload.width,
    Upload.height,
    Upload.placeholder,
)
_TO_PROCESS = (Upload.id, Upload.content_type, Upload.size, Upload.sha256)
_PHOTO = (Upload.id, Upload.width, Upload.height, Upload.placeholder)


async def insert_uploads(work: UnitOfWork, uploads: Sequence[Mapping[str, Any]]) -> None:
    """New pending uploads of the actor."""
    born = {
        "owner_id": work.actor.account_id,
        "state": UploadState.PENDING,
        "created_at": work.now,
        "updated_at": work.now,
    }
    await work.execute(insert(Upload), [{**upload, **born} for upload in uploads])


async def latest_moments(work: UnitOfWork, since: datetime, limit: int) -> list[datetime]:
    """When the actor asked for its last uploads, newest first, deleted ones included."""
    rows = await work.rows(
        select(Upload.created_at)
        .where(Upload.owner_id == work.actor.account_id, Upload.created_at > since)
        .order_by(Upload.created_at.desc())
        .limit(limit)
    )
    return [row.created_at for row in rows]


async def own_upload(work: UnitOfWork, upload_id: UUID) -> Row[Any] | None:
    """An upload of the actor."""
    return await work.first(
        select(*_OWN).where(
            Upload.id == upload_id, Upload.owner_id == work.actor.account_id, live(Upload)
        )
    )


async def begin_processing(work: UnitOfWork, upload_id: UUID) -> Row[Any] | None:
    """What the worker must know of the actor's upload, if it was pending and now is processing."""
    begun = await work.execute(
        update(Upload)
        .where(
            Upload.id == upload_id,
            Upload.owner_id == work.actor.account_id,
            Upload.state == UploadState.PENDING,
            live(Upload),
        )
        .values(state=UploadState.PROCESSING, updated_at=work.now)
        .returning(*_TO_PROCESS)
    )
    return begun.first()


async def is_live(work: UnitOfWork, upload_id: UUID) -> bool:
    """Whether the upload was not deleted meanwhile; asked by the worker, who acts for nobody."""
    return (
        await work.first(select(Upload.id).where(Upload.id == upload_id, live(Upload))) is not None
    )


async def finish_processing(
    work: UnitOfWork, upload_id: UUID, state: UploadState, values: Mapping[str, Any]
) -> bool:
    """Whether the upload was processing, and now is ready or failed."""
    hit = await work.changed(
        update(Upload)
        .where(Upload.id == upload_id, Upload.state == UploadState.PROCESSING, live(Upload))
        .values(state=state, updated_at=work.now, **values)
    )
    return hit == 1


async def photo(work: UnitOfWork, photo_id: UUID) -> Row[Any] | None:
    """Whose a ready photo is and what it is attached to."""
    return await work.first(
        select(Upload.owner_id, Upload.attached_kind, Upload.attached_id).where(
            Upload.id == photo_id, Upload.state == UploadState.READY, live(Upload)
        )
    )


async def attach(
    work: UnitOfWork, owner_id: UUID, photo_ids: Sequence[UUID], kind: str, object_id: UUID
) -> Sequence[Row[Any]]:
    """Attach those of the photos that may be; the attached ones, in no order."""
    free = Upload.attached_id.is_(None) | (
        (Upload.attached_kind == kind) & (Upload.attached_id == object_id)
    )
    order = {photo_id: place for place, photo_id in enumerate(photo_ids)}
    attached = await work.execute(
        update(Upload)
        .where(
            Upload.id.in_(photo_ids),
            Upload.owner_id == owner_id,
            Upload.purpose == kind,
            Upload.state == UploadState.READY,
            live(Upload),
            free,
        )
        .values(
            attached_kind=kind,
            attached_id=object_id,
            position=case(order, value=Upload.id),
            updated_at=work.now,
        )
        .returning(*_PHOTO)
    )
    return attached.all()


async def why_not_attached(
    work: UnitOfWork, owner_id: UUID, photo_ids: Sequence[UUID]
) -> dict[UUID, Row[Any]]:
    """What stands against attaching, by the ids that the owner has."""
    rows = await work.rows(
        select(*_OWN, Upload.purpose, Upload.attached_id).where(
            Upload.id.in_(photo_ids), Upload.owner_id == owner_id, live(Upload)
        )
    )
    return {row.id: row for row in rows}


async def drop_attached(
    work: UnitOfWork, kind: str, object_id: UUID, but: Iterable[UUID]
) -> Sequence[UUID]:
    """Delete the photos of an object, all ``but`` some; their ids."""
    dropped = await work.execute(
        update(Upload)
        .where(
            Upload.attached_kind == kind,
            Upload.attached_id == object_id,
            Upload.id.not_in(list(but)),
            live(Upload),
        )
        .values(deleted_at=work.now, updated_at=work.now)
        .returning(Upload.id)
    )
    return dropped.scalars().all()


async def drop_unattached(work: UnitOfWork, created_before: datetime, limit: int) -> Sequence[UUID]:
    """Delete up to ``limit`` old uploads that nothing holds; their ids."""
    old = (
        select(Upload.id)
        .where(Upload.attached_id.is_(None), Upload.created_at < created_before, live(Upload))
        .order_by(Upload.created_at)
        .limit(limit)
    )
    dropped = await work.execute(
        update(Upload)
        .where(Upload.id.in_(old.scalar_subquery()), Upload.attached_id.is_(None), live(Upload))
        .values(deleted_at=work.now, updated_at=work.now)
        .returning(Upload.id)
    )
    return dropped.scalars().all()


async def stuck(work: UnitOfWork, since_before: datetime, limit: int) -> Sequence[Row[Any]]:
    """Uploads that have been processing for long: their job was lost or gave up."""
    return await work.rows(
        select(*_TO_PROCESS)
        .where(
            Upload.state == UploadState.PROCESSING,
            Upload.attached_id.is_(None),
            Upload.updated_at < since_before,
            live(Upload),
        )
        .limit(limit)
    )


async def measure(work: UnitOfWork) -> None:
    """Set the gauges of the uploads that nothing holds; read along their index."""
    newest = (
        select(Upload.state)
        .where(Upload.attached_id.is_(None), Upload.created_at > work.now - _A_DAY, live(Upload))
        .order_by(Upload.created_at.desc())
    )
    await set_states(work, UPLOADS, UploadState, newest)


async def finished(work: UnitOfWork, upload_ids: Sequence[UUID]) -> Sequence[UUID]:
    """Those of the uploads whose original is no longer needed."""
    done = Upload.state.in_((UploadState.READY, UploadState.FAILED)) | Upload.deleted_at.is_not(
        None
    )
    rows = await work.rows(select(Upload.id).where(Upload.id.in_(upload_ids), done))
    return [row.id for row in rows]


async def clear_names(work: UnitOfWork, owner_id: UUID) -> None:
    """Forget how the account's files were called on its devices, deleted ones included."""
    await work.execute(
        update(Upload).where(Upload.owner_id == owner_id).values(name="", updated_at=work.now)
    )


async def with_objects(work: UnitOfWork, after: UUID | None, limit: int) -> Sequence[Row[Any]]:
    """Everybody's uploads that the store has objects of, by id; for a backup."""
    statement = select(Upload.id, Upload.state).where(
        Upload.state.in_((UploadState.READY, UploadState.PROCESSING)), live(Upload)
    )
    if after is not None:
        statement = statement.where(Upload.id > after)
    return await work.rows(statement.order_by(Upload.id).limit(limit))


async def photos_of(work: UnitOfWork, owner_id: UUID) -> Sequence[Row[Any]]:
    """Every photo of an account, for its archive."""
    return await work.rows(
        select(
            *(Upload.id, Upload.name, Upload.purpose, Upload.width, Upload.height),
            Upload.attached_id,
            Upload.created_at,
        )
        .where(Upload.owner_id == owner_id, Upload.state == UploadState.READY, live(Upload))
        .order_by(Upload.created_at, Upload.id)
    )
