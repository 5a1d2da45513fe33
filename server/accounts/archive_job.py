"""The archive of an account (rule 20): asked for, made by a job, kept for a day."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from server.accounts import repository
from server.accounts.archive import Archive
from server.accounts.export import export_rows
from server.accounts.ports import ExportParts, ExportRow
from server.media import api as media
from server.platform.context import Context
from server.platform.errors import NotFound, Unavailable
from server.platform.jobs import enqueue
from server.platform.object_store import ObjectStore, ObjectStoreError
from server.platform.scratch import scratch
from server.platform.secrets import new_token
from server.platform.unit_of_work import UnitOfWork, reading, transact
from shared_models.accounts import ExportState

MAKE = "accounts.make_export"
DROP = "accounts.drop_export"
KEPT = timedelta(hours=24)
GIVEN_UP_AFTER = timedelta(minutes=30)

_TYPE = "application/zip"
_URL_S = 300
_ROWS_AT_ONCE = 500


async def request_export(work: UnitOfWork) -> ExportState:
    """Have the archive made. While one is being made, asking again changes nothing."""
    account_id = work.actor.account_id
    await repository.lock_account(work, account_id)
    before = await repository.export_of(work, account_id)
    if before is not None:
        if _state(before, work.now) == "processing":
            return ExportState(state="processing")
        await enqueue(work, DROP, {"object_key": before.object_key})
    object_key = f"exports/{new_token()}/picky.zip"
    await repository.begin_export(work, account_id, object_key)
    await enqueue(work, MAKE, {"account_id": str(account_id), "object_key": object_key})
    await enqueue(work, DROP, {"object_key": object_key}, run_at=work.now + KEPT)
    return ExportState(state="processing")


async def read_export(work: UnitOfWork) -> ExportState:
    """How far the actor's archive is, with a URL for five minutes once it is ready.

    404 when none was asked for in the last 24 h. The connection is given back.
    """
    found = await repository.export_of(work, work.actor.account_id)
    if found is None:
        raise NotFound("export")
    state = _state(found, work.now)
    if state != "ready":
        return ExportState(state=state)
    await work.release_connection()
    store = work.context.wiring.port(ObjectStore)
    try:
        url = await store.presign_get(found.object_key, content_type=_TYPE, expires_s=_URL_S)
    except ObjectStoreError as error:
        raise Unavailable(
            "object_store_unavailable", "The archive cannot be reached now.", retryable=True
        ) from error
    return ExportState(state=state, url=url)


def _state(row: Any, now: datetime) -> str:
    if row.ready_at is not None:
        return "ready"
    return "failed" if now - row.requested_at > GIVEN_UP_AFTER else "processing"


async def make_export(context: Context, account_id: UUID, object_key: str) -> None:
    """Write the archive to the store, unless nobody wants it any more."""
    async with reading(context) as work:
        if not await repository.export_wanted(work, object_key):
            return
    store = context.wiring.port(ObjectStore)
    with scratch("picky-export-") as folder:
        path = folder / "picky.zip"
        with Archive(path, context.clock.now()) as archive:
            await _add_rows(context, account_id, archive)
            await _add_photos(context, account_id, archive, folder / "photo")
        await store.put(object_key, path, content_type=_TYPE)

    async def finish(work: UnitOfWork) -> bool:
        return await repository.finish_export(work, object_key)

    if not await transact(context, None, finish):
        await store.delete(object_key)


async def stored_keys(work: UnitOfWork) -> AsyncIterator[str]:
    """The keys of all archives in the store."""
    for key in await repository.ready_exports(work):
        yield key


async def drop_export(context: Context, object_key: str) -> None:
    """Delete an archive whose day is over, or that another one has replaced."""

    async def drop(work: UnitOfWork) -> None:
        await repository.drop_export(work, object_key)

    await transact(context, None, drop)
    await context.wiring.port(ObjectStore).delete(object_key)


async def _add_rows(context: Context, account_id: UUID, archive: Archive) -> None:
    for part in (export_rows, *context.wiring.port(ExportParts).parts):
        async with reading(context) as work, aclosing(_batches(part(work, account_id))) as batches:
            async for batch in batches:
                await asyncio.to_thread(archive.add, batch)


async def _batches(rows: AsyncIterator[ExportRow]) -> AsyncGenerator[list[ExportRow], None]:
    batch = []
    async for row in rows:
        batch.append(row)
        if len(batch) == _ROWS_AT_ONCE:
            yield batch
            batch = []
    yield batch


async def _add_photos(context: Context, account_id: UUID, archive: Archive, file: Path) -> None:
    async with reading(context) as work:
        photos = await media.photos_of(work, account_id)
    for photo in photos:
        if await media.download_photo(context, photo.id, file):
            await asyncio.to_thread(archive.add_file, f"photos/{photo.id}.jpg", file)
