"""Photos become part of an object: only ready ones of one's own, each of one object."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from server.media import repository
from server.media.service import REMOVE, to_photo, to_upload
from server.platform.errors import Conflict, Invalid
from server.platform.jobs import enqueue
from server.platform.unit_of_work import UnitOfWork
from shared_models.media import Purpose, UploadState


async def attach(
    work: UnitOfWork, owner_id: UUID, photo_ids: Sequence[UUID], *, kind: Purpose, object_id: UUID
) -> list[dict[str, Any]]:
    """Attach the owner's photos to an object, in this order; as they go on the wire (JSON).

    Photos that the object has already are accepted. 422 ``photo_unknown`` or
    ``photo_wrong_purpose`` or ``photo_twice``, 409 ``photo_not_ready`` or ``photo_in_use``.
    """
    if not photo_ids:
        return []
    if len(set(photo_ids)) != len(photo_ids):
        raise Invalid.field("photo_ids", "photo_twice", "The same photo is named twice.")
    rows = await repository.attach(work, owner_id, photo_ids, kind, object_id)
    if len(rows) != len(photo_ids):
        await _refuse(work, owner_id, photo_ids, kind, object_id)
    photos = {row.id: to_photo(row).model_dump(mode="json") for row in rows}
    return [photos[photo_id] for photo_id in photo_ids]


async def replace(
    work: UnitOfWork, owner_id: UUID, photo_ids: Sequence[UUID], *, kind: Purpose, object_id: UUID
) -> list[dict[str, Any]]:
    """Make these, in this order, all photos that the object has; refuses as :func:`attach` does.

    The ones it had and that are not named are deleted.
    """
    photos = await attach(work, owner_id, photo_ids, kind=kind, object_id=object_id)
    dropped = await repository.drop_attached(work, kind, object_id, photo_ids)
    await remove_objects(work, dropped)
    return photos


async def release(work: UnitOfWork, *, kind: Purpose, object_id: UUID) -> None:
    """Delete all photos of an object that is gone for good."""
    await remove_objects(work, await repository.drop_attached(work, kind, object_id, ()))


async def forget_owner(work: UnitOfWork, owner_id: UUID) -> None:
    """What an erased account leaves with its uploads: no avatar, and no name of a file."""
    await release(work, kind=Purpose.AVATAR, object_id=owner_id)
    await repository.clear_names(work, owner_id)


async def remove_objects(work: UnitOfWork, upload_ids: Sequence[UUID]) -> None:
    """Have everything that deleted uploads left in the store removed after the commit."""
    if upload_ids:
        await enqueue(work, REMOVE, {"ids": [str(upload_id) for upload_id in upload_ids]})


async def _refuse(
    work: UnitOfWork, owner_id: UUID, photo_ids: Sequence[UUID], kind: Purpose, object_id: UUID
) -> None:
    found = await repository.why_not_attached(work, owner_id, photo_ids)
    for photo_id in photo_ids:
        row = found.get(photo_id)
        if row is None:
            raise Invalid.field("photo_ids", "photo_unknown", f"You have no photo {photo_id}.")
        if row.purpose != kind:
            message = f"The photo {photo_id} was uploaded for another purpose: {row.purpose}."
            raise Invalid.field("photo_ids", "photo_wrong_purpose", message)
        if row.attached_id not in (None, object_id):
            raise Conflict(
                "photo_in_use", f"The photo {photo_id} is used already.", current=to_upload(row)
            )
        if row.state != UploadState.READY:
            raise Conflict(
                "photo_not_ready",
                f"The photo {photo_id} is not ready: {row.state}.",
                current=to_upload(row),
                retryable=row.state == UploadState.PROCESSING,
            )
    raise Conflict("busy", "Somebody else was faster. Look again.", retryable=True)
