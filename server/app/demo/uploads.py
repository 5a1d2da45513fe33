"""Pictures go to the market as any client's do: presigned PUT, complete, and the real pipeline."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import httpx

from server.app.demo.pictures import Picture
from server.app.demo.visitor import SeedingFailed, Visitor
from server.media.jobs import RUNNERS
from server.platform.context import Context
from server.platform.jobs import Worker
from shared_models.media import Purpose

_SENT_AT_ONCE = 6
_DEVELOPED_AT_ONCE = 3
_ROUND = 36
_PAUSES_S = (0.1, 0.5, 2.0)


@dataclass(slots=True)
class Album:
    """Pictures of one object, drawn by now or soon; `photo_ids` once they are uploaded."""

    owner: Visitor
    purpose: Purpose
    count: int
    drawn: Future[list[Picture]]
    photo_ids: list[str] = field(default_factory=list)


async def upload_all(context: Context, albums: Sequence[Album], done: Callable[[], None]) -> None:
    """Upload and process every picture, several at once; `done()` after each.

    What gets an id is asked for one after the other, so that the ids are the same each time.
    """
    by_owner = sorted(albums, key=lambda album: (album.purpose, album.owner.id))
    batches = list(_batches(by_owner, context.limits.upload_files_max))
    while batches:
        asked: list[_Asked] = []
        while batches and len(asked) < _ROUND:
            asked += await _ask(batches.pop(0))
        slots = asyncio.Semaphore(_SENT_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for one in asked:
                group.create_task(_send(slots, one, done))
        await _develop(context)


async def _develop(context: Context) -> None:
    """Run the jobs that turn uploads into photos, a few at once."""
    workers = [Worker(context, RUNNERS) for _ in range(_DEVELOPED_AT_ONCE)]
    await asyncio.gather(*(worker.run_due() for worker in workers))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A picture, and where the market wants it."""

    owner: Visitor
    picture: Picture
    upload: dict[str, Any]


async def _ask(batch: Sequence[Album]) -> list[_Asked]:
    """Ask where to put the pictures of some albums of one owner."""
    pictures = [picture for album in batch for picture in await asyncio.wrap_future(album.drawn)]
    owner, purpose = batch[0].owner, batch[0].purpose
    files = [_file(picture) for picture in pictures]
    uploads = (await owner.post("/uploads", purpose=purpose, files=files))["uploads"]
    ids = iter(upload["id"] for upload in uploads)
    for album in batch:
        album.photo_ids = list(islice(ids, album.count))
    return [_Asked(owner, *pair) for pair in zip(pictures, uploads, strict=True)]


async def _send(slots: asyncio.Semaphore, asked: _Asked, done: Callable[[], None]) -> None:
    """Put one picture where it belongs, and say so."""
    async with slots:
        await put_picture(asked.owner.client, asked.picture, asked.upload["put"])
        await asked.owner.post(f"/uploads/{asked.upload['id']}/complete")
        done()


async def put_picture(client: httpx.AsyncClient, picture: Picture, put: dict[str, Any]) -> None:
    """Put a picture where a presigned URL says, again if the store fails in passing.

    Stores do: S3 says to repeat what it answers 5xx, and rclone answers so now and then when a
    folder is made by two at once. Raises :class:`SeedingFailed` if it goes on, or for a refusal.
    """
    for pause_s in (*_PAUSES_S, None):
        answer = await client.put(put["url"], content=picture.data, headers=put["headers"])
        if answer.is_success:
            return
        if not answer.is_server_error or pause_s is None:
            raise SeedingFailed(f"PUT {picture.name}: {answer.status_code} {answer.text}")
        await asyncio.sleep(pause_s)


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
