"""What the worker runs for media."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from server.media import repository
from server.media.attaching import remove_objects
from server.media.conversion import PhotoRefused, Request
from server.media.convert_pool import ConvertPool
from server.media.keys import COPY_TYPE, FULL, THUMB, all_keys, copy_key, original_key
from server.media.metrics import UPLOADS_FINISHED
from server.media.service import DROP_ORIGINALS, PROCESS, REMOVE, process_key, processing
from server.platform.context import Context
from server.platform.holding import objects_are_held
from server.platform.jobs import Periodic, Run, enqueue_unless_there
from server.platform.object_store import ObjectNotFound, ObjectStore
from server.platform.scratch import scratch
from server.platform.unit_of_work import UnitOfWork, reading, transact
from shared_models.media import UploadState
from shared_models.photo_failures import PhotoFailure

__all__ = ["PERIODIC", "RUNNERS", "ConvertPool"]

_SWEEP = "media.sweep"
_UNATTACHED_KEPT = timedelta(hours=24)
_STUCK_AFTER = timedelta(minutes=15)
_AT_ONCE = 200

log = structlog.get_logger("media")


async def _process(context: Context, payload: dict[str, Any]) -> None:
    """Turn an uploaded file into a photo, or say why not; then its original goes."""
    upload_id = UUID(payload["id"])
    try:
        values = await _convert(context, upload_id, payload)
    except PhotoRefused as refused:
        await _finish(context, upload_id, UploadState.FAILED, {"reason": refused.failure})
    else:
        await _finish(context, upload_id, UploadState.READY, values)
    if not await objects_are_held(context):  # else it goes when no URL takes it any more
        await context.wiring.port(ObjectStore).delete(original_key(upload_id))


async def _convert(
    context: Context, upload_id: UUID, declared: Mapping[str, Any]
) -> dict[str, Any]:
    store = context.wiring.port(ObjectStore)
    with scratch("picky-photo-") as directory:
        source, thumb, full = (directory / part for part in ("original", THUMB, FULL))
        try:
            await store.download(original_key(upload_id), source)
        except ObjectNotFound:
            raise PhotoRefused(PhotoFailure.MISSING) from None
        converted = await context.wiring.port(ConvertPool).convert(
            Request(
                source=str(source),
                content_type=declared["content_type"],
                size=declared["size"],
                sha256=declared["sha256"],
                max_pixels=context.limits.photo_pixels_max,
                thumb=str(thumb),
                full=str(full),
            )
        )
        await asyncio.gather(
            store.put(copy_key(upload_id, THUMB), thumb, content_type=COPY_TYPE),
            store.put(copy_key(upload_id, FULL), full, content_type=COPY_TYPE),
        )
    return asdict(converted)


async def _finish(
    context: Context, upload_id: UUID, state: UploadState, values: dict[str, Any]
) -> None:
    async def finish(work: UnitOfWork) -> bool:
        return await repository.finish_processing(work, upload_id, state, values)

    if await transact(context, None, finish):
        log.info("upload_finished", upload_id=str(upload_id), state=state.value)
        UPLOADS_FINISHED.labels(state.value).inc()
    elif state == UploadState.READY:
        await _delete_if_gone(context, upload_id)


async def _delete_if_gone(context: Context, upload_id: UUID) -> None:
    """The upload was deleted while it was processed: nobody else knows of its copies."""
    async with reading(context) as work:
        if await repository.is_live(work, upload_id):
            return
    await transact(context, None, lambda work: remove_objects(work, [upload_id]))


async def _drop_originals(context: Context, payload: dict[str, Any]) -> None:
    """Delete what was uploaded again after it had been processed, now that no URL takes it."""
    async with reading(context) as work:
        done = await repository.finished(work, [UUID(text) for text in payload["ids"]])
    for upload_id in done:
        await context.wiring.port(ObjectStore).delete(original_key(upload_id))


async def _remove(context: Context, payload: dict[str, Any]) -> None:
    """Delete everything that deleted uploads have in the store."""
    for text in payload["ids"]:
        for key in all_keys(UUID(text)):
            await context.wiring.port(ObjectStore).delete(key)


async def _sweep(context: Context, _payload: dict[str, Any]) -> None:
    """Delete uploads that nothing held for 24 h (rule 5), and revive ones whose job was lost."""

    async def sweep(work: UnitOfWork) -> None:
        dropped = await repository.drop_unattached(work, work.now - _UNATTACHED_KEPT, _AT_ONCE)
        await remove_objects(work, dropped)
        for row in await repository.stuck(work, work.now - _STUCK_AFTER, _AT_ONCE):
            await enqueue_unless_there(work, PROCESS, processing(row), key=process_key(row.id))

    await transact(context, None, sweep)


RUNNERS: dict[str, Run] = {
    PROCESS: _process,
    DROP_ORIGINALS: _drop_originals,
    REMOVE: _remove,
    _SWEEP: _sweep,
}
DELETING = frozenset({DROP_ORIGINALS, REMOVE})
"""What waits while objects are held for a backup."""

PERIODIC = (Periodic(_SWEEP, timedelta(minutes=10)),)
