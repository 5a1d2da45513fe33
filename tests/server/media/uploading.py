"""Steps of an upload, for tests of what becomes of it."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import httpx

from server.media import api as media
from server.media.jobs import RUNNERS
from server.platform.context import Actor, Context
from server.platform.jobs import Worker
from server.platform.object_store import ObjectStore
from server.platform.unit_of_work import UnitOfWork, transact
from shared_models.media import Purpose
from tests.server.conftest import Person
from tests.server.media import pictures

PICTURE = pictures.jpeg()


def declared(
    data: bytes = PICTURE, content_type: str = "image/jpeg", **fields: Any
) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    return {
        "name": "photo.jpg",
        "content_type": content_type,
        "size": len(data),
        "sha256": digest,
    } | fields


async def ask(person: Person, *files: dict[str, Any], purpose: str = "listing") -> Any:
    answer = await person.post("/v1/uploads", {"purpose": purpose, "files": list(files)})
    assert answer.status_code == 201, answer.text
    return answer.json()["uploads"]


async def put(person: Person, upload: dict[str, Any], data: bytes = PICTURE) -> httpx.Response:
    put = upload["put"]
    return await person.client.put(put["url"], headers=put["headers"], content=data)


async def run_jobs(context: Context) -> None:
    await Worker(context, RUNNERS).run_due()


async def make_photo(
    person: Person,
    context: Context,
    data: bytes = PICTURE,
    purpose: str = "listing",
    content_type: str = "image/jpeg",
) -> Any:
    """Upload one picture all the way; the upload as it stands at the end."""
    [upload] = await ask(person, declared(data, content_type), purpose=purpose)
    assert (await put(person, upload, data)).status_code == 200
    assert (await person.post(f"/v1/uploads/{upload['id']}/complete")).status_code == 200
    await run_jobs(context)
    return (await person.get(f"/v1/uploads/{upload['id']}")).json()


async def act(
    context: Context, person: Person, action: Callable[[UnitOfWork], Awaitable[Any]]
) -> Any:
    return await transact(context, Actor(person.id, person.session_id), action)


async def attach(
    context: Context,
    person: Person,
    ids: Sequence[str],
    object_id: UUID,
    kind: Purpose = Purpose.LISTING,
) -> Any:
    photo_ids = [UUID(text) for text in ids]
    return await act(
        context,
        person,
        lambda work: media.attach(work, person.id, photo_ids, kind=kind, object_id=object_id),
    )


async def objects_of(context: Context, upload_id: str) -> set[str]:
    keys = (
        f"originals/{upload_id}",
        f"photos/{upload_id}/thumb.jpg",
        f"photos/{upload_id}/full.jpg",
    )
    store = context.wiring.port(ObjectStore)
    return {key.rpartition("/")[2] for key in keys if await store.head(key) is not None}


class Sights:
    """Stands in for the rooms above: which objects are visible to whom."""

    def __init__(self) -> None:
        self.visible: set[tuple[str, UUID, UUID]] = set()

    async def listing(self, work: UnitOfWork, object_id: UUID) -> bool:
        return ("listing", object_id, work.actor.account_id) in self.visible

    async def message(self, work: UnitOfWork, object_id: UUID) -> bool:
        return ("message", object_id, work.actor.account_id) in self.visible

    async def avatar(self, work: UnitOfWork, object_id: UUID) -> bool:
        return ("avatar", object_id, work.actor.account_id) in self.visible
