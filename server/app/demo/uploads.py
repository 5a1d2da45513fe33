"""Pictures go to the market as any client's do: presigned PUT, complete, and the real pipeline."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.app.demo.pictures import Picture
from server.app.demo.visitor import SeedingFailed, Visitor
from server.media.jobs import RUNNERS
from server.platform.context import Context
from server.platform.jobs import Bell, Worker
from shared_models.media import Purpose

_PUTS_AT_ONCE = 6
_WORKERS = 3
_BELL_S = 0.05

Draw = Callable[[], list[Picture]]


@dataclass(slots=True)
class Album:
    """Pictures to be drawn for one object; `photo_ids` once they are uploaded."""

    owner: Visitor
    purpose: Purpose
    count: int
    draw: Draw
    photo_ids: list[str] = field(default_factory=list)


async def upload_all(context: Context, albums: Sequence[Album], done: Callable[[], None]) -> None:
    """Draw, upload and process every picture, several at once; `done()` after each."""
    finished = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(_WORKERS):
            group.create_task(_develop(context, finished))
        await _send_all(context, albums, done)
        finished.set()
    await _check_ready(albums)


async def _develop(context: Context, finished: asyncio.Event) -> None:
    """Run the jobs of the pictures until all are sent and none is left."""
    worker = Worker(context, RUNNERS)
    bell = context.wiring.port(Bell)
    while True:
        last_look = finished.is_set()
        if not await worker.run_due() and last_look:
            return
        if not last_look:
            await bell.wait(_BELL_S)


async def _send_all(context: Context, albums: Sequence[Album], done: Callable[[], None]) -> None:
    slots = asyncio.Semaphore(_PUTS_AT_ONCE)
    async with asyncio.TaskGroup() as group:
        for batch in _batches(albums, context.limits.upload_files_max):
            drawn = [album.draw() for album in batch]
            pictures = [picture for pictures in drawn for picture in pictures]
            owner, purpose = batch[0].owner, batch[0].purpose
            answer = await owner.post(
                "/uploads", purpose=purpose, files=[_file(picture) for picture in pictures]
            )
            uploads = iter(answer["uploads"])
            for album in batch:
                album.photo_ids = [next(uploads)["id"] for _ in range(album.count)]
            for picture, upload in zip(pictures, answer["uploads"], strict=True):
                group.create_task(_send(slots, owner, picture, upload, done))


async def _send(
    slots: asyncio.Semaphore,
    owner: Visitor,
    picture: Picture,
    upload: dict[str, Any],
    done: Callable[[], None],
) -> None:
    async with slots:
        put = upload["put"]
        answer = await owner.client.put(put["url"], content=picture.data, headers=put["headers"])
        if answer.is_error:
            raise SeedingFailed(f"PUT {picture.name}: {answer.status_code} {answer.text}")
        await owner.post(f"/uploads/{upload['id']}/complete")
        done()


async def _check_ready(albums: Sequence[Album]) -> None:
    """Ask after the last picture of each album; a failed one fails the seeding."""
    for album in albums:
        upload = await album.owner.get(f"/uploads/{album.photo_ids[-1]}")
        if upload["state"] != "ready":
            raise SeedingFailed(f"picture {upload['id']} is {upload['state']}: {upload}")


def _batches(albums: Sequence[Album], most: int) -> Iterator[list[Album]]:
    """Albums of one owner and purpose together, at most `most` pictures in one request."""
    batch: list[Album] = []
    for album in albums:
        same = batch and (batch[0].owner, batch[0].purpose) == (album.owner, album.purpose)
        if not same or sum(one.count for one in batch) + album.count > most:
            if batch:
                yield batch
            batch = []
        batch.append(album)
    if batch:
        yield batch


def _file(picture: Picture) -> dict[str, object]:
    return {
        "name": picture.name,
        "content_type": picture.content_type,
        "size": len(picture.data),
        "sha256": hashlib.sha256(picture.data).hexdigest(),
    }
