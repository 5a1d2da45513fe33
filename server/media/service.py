"""The rules of uploads and photos (rule 5)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from server.media import repository
from server.media.keys import COPY_CACHE, COPY_TYPE, copy_key, original_key
from server.media.ports import PhotoViewers, Uploaders
from server.platform.context import Actor, Context
from server.platform.errors import Conflict, NotFound, Unavailable
from server.platform.jobs import enqueue
from server.platform.object_store import ObjectStore, ObjectStoreError, SignedPut
from server.platform.rates import refuse_beyond
from server.platform.unit_of_work import UnitOfWork, reading
from shared_models.media import (
    Photo,
    PresignedPut,
    Purpose,
    Upload,
    UploadFile,
    UploadRequest,
    Uploads,
    UploadState,
)

PROCESS = "media.process"
DROP_ORIGINALS = "media.drop_originals"
REMOVE = "media.remove"

_HOUR = timedelta(hours=1)
_AFTER_EXPIRY = timedelta(minutes=6)
"""How long after their expiry the store may still take an upload: its clock, and a slow body."""

_VIEW_S = 300


@dataclass(frozen=True, slots=True)
class Signed:
    """A file of a request, with the id and the signed PUT that it was given."""

    id: UUID
    file: UploadFile
    put: SignedPut


async def sign_uploads(context: Context, request: UploadRequest) -> list[Signed]:
    """Ids and presigned PUTs for the files, before any transaction: signing may use the network."""
    store, now = context.wiring.port(ObjectStore), context.clock.now()
    signed = []
    for file in request.files:
        upload_id = context.make_id(now)
        with _store_needed():
            put = await store.presign_put(
                original_key(upload_id),
                content_type=file.content_type,
                length=file.size,
                sha256=file.sha256,
                expires_s=context.limits.upload_expires_s,
            )
        signed.append(Signed(upload_id, file, put))
    return signed


async def request_uploads(work: UnitOfWork, purpose: Purpose, signed: Sequence[Signed]) -> Uploads:
    """Note the uploads as pending. At most 60 an hour for an account."""
    await _check_rate(work, len(signed))
    expires_at = work.now + timedelta(seconds=work.limits.upload_expires_s)
    await repository.insert_uploads(
        work,
        [
            {
                "id": one.id,
                "purpose": purpose,
                "name": one.file.name,
                "content_type": one.file.content_type,
                "size": one.file.size,
                "sha256": one.file.sha256,
                "object_key": original_key(one.id),
                "expires_at": expires_at,
            }
            for one in signed
        ],
    )
    ids = [str(one.id) for one in signed]
    await enqueue(work, DROP_ORIGINALS, {"ids": ids}, run_at=expires_at + _AFTER_EXPIRY)
    return Uploads(uploads=[_pending(one, expires_at) for one in signed])


async def check_uploaded(context: Context, actor: Actor, upload_id: UUID) -> None:
    """409 ``not_uploaded`` while a pending upload's bytes are not in the store."""
    with _store_needed():
        if await context.wiring.port(ObjectStore).head(original_key(upload_id)) is not None:
            return
    async with reading(context, actor) as work:
        upload = await read_upload(work, upload_id)
    if upload.state is UploadState.PENDING:
        raise Conflict(
            "not_uploaded", "The file has not been uploaded yet.", current=upload, retryable=True
        )


async def complete(work: UnitOfWork, upload_id: UUID) -> Upload:
    """Have an uploaded file processed; repeating it answers with the present state."""
    row = await repository.begin_processing(work, upload_id)
    if row is None:
        return await read_upload(work, upload_id)
    await enqueue(work, PROCESS, processing(row), key=process_key(upload_id))
    return Upload(id=upload_id, state=UploadState.PROCESSING)


def process_key(upload_id: UUID) -> str:
    """The key of the job that processes an upload: while it lives, nothing leaves another one."""
    return f"{PROCESS}:{upload_id}"


def processing(row: Any) -> dict[str, Any]:
    """What the job that processes an upload is told: what its owner declared it to be."""
    return {
        "id": str(row.id),
        "content_type": row.content_type,
        "size": row.size,
        "sha256": row.sha256,
    }


async def read_upload(work: UnitOfWork, upload_id: UUID) -> Upload:
    """An upload of one's own."""
    return to_upload(await _own(work, upload_id))


async def check_visible(work: UnitOfWork, photo_id: UUID) -> None:
    """404 unless the actor may see the photo: what it hangs on decides, else its owner."""
    row = await repository.photo(work, photo_id)
    if row is None or not await _may_see(work, row):
        raise NotFound("photo")


async def view_url(context: Context, photo_id: UUID, copy: str) -> str:
    """A URL that reads one copy of a photo for five minutes and a little more."""
    store = context.wiring.port(ObjectStore)
    with _store_needed():
        return await store.presign_get(
            copy_key(photo_id, copy),
            content_type=COPY_TYPE,
            cache_control=COPY_CACHE,
            expires_s=_VIEW_S,
        )


def to_photo(row: Any) -> Photo:
    """A ready upload as a photo on the wire."""
    return Photo(
        id=row.id,
        width=row.width,
        height=row.height,
        placeholder=row.placeholder,
        thumb_url=f"/v1/photos/{row.id}/thumb",
        full_url=f"/v1/photos/{row.id}/full",
    )


async def _may_see(work: UnitOfWork, row: Any) -> bool:
    viewers = work.context.wiring.port(PhotoViewers)
    match row.attached_kind:
        case None:
            return bool(row.owner_id == work.actor.account_id)
        case Purpose.LISTING:
            return await viewers.listing(work, row.attached_id)
        case Purpose.MESSAGE:
            return await viewers.message(work, row.attached_id)
        case _:
            return await viewers.avatar(work, row.attached_id)


async def _check_rate(work: UnitOfWork, count: int) -> None:
    limit = work.limits.uploads_per_hour
    if not work.context.rates.enabled:
        return
    await work.context.wiring.port(Uploaders).hold(work, work.actor.account_id)
    moments = await repository.latest_moments(work, work.now - _HOUR, limit)
    detail = f"At most {limit} uploads an hour."
    refuse_beyond(moments, limit, _HOUR, work.now, detail, more=count)


async def _own(work: UnitOfWork, upload_id: UUID) -> Any:
    row = await repository.own_upload(work, upload_id)
    if row is None:
        raise NotFound("upload")
    return row


def _pending(signed: Signed, expires_at: datetime) -> Upload:
    return Upload(
        id=signed.id,
        state=UploadState.PENDING,
        put=PresignedPut(url=signed.put.url, headers=signed.put.headers),
        expires_at=expires_at,
    )


def to_upload(row: Any) -> Upload:
    """An upload as its owner sees it."""
    ready = row.state == UploadState.READY
    return Upload(
        id=row.id,
        state=UploadState(row.state),
        reason=row.reason,
        photo=to_photo(row) if ready else None,
    )


@contextmanager
def _store_needed() -> Iterator[None]:
    try:
        yield
    except ObjectStoreError as error:
        raise Unavailable(
            "object_store_unavailable", "Photos cannot be reached for the moment.", retryable=True
        ) from error
