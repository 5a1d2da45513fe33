"""A store that takes connections and says nothing costs whoever needs it, and nobody else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy.pool import QueuePool

from server.platform.clock import SystemClock
from server.platform.context import Context
from server.platform.object_store import (
    ObjectStore,
    ObjectStoreError,
    S3ObjectStore,
    parse_s3_url,
    s3,
)
from tests.server.conftest import Person
from tests.server.media.uploading import Sights, make_photo
from tests.servers.mute import mute
from tests.servers.s3 import ACCESS_KEY, SECRET_KEY

TYPE = "image/jpeg"
AT_ONCE_S = 15.0
"""Less than a thread waits for a store that says nothing while it carries an object."""


@pytest.fixture
async def store(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[S3ObjectStore]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    with mute() as port:
        address = f"s3://photos?endpoint=http://127.0.0.1:{port}&region=us-east-1"
        store = S3ObjectStore(parse_s3_url(address), SystemClock())
        yield store
        await store.close()


async def sign(store: S3ObjectStore) -> None:
    await store.presign_get("copies/one.jpg", content_type=TYPE, expires_s=60)
    await store.presign_put(
        "originals/one", content_type=TYPE, length=1, sha256="0" * 64, expires_s=60
    )


async def test_signing_goes_on_and_what_is_asked_is_refused_soon(
    store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "ANSWERS_WITHIN_S", 0.3)
    await sign(store)  # the first one reads what the service is like, which takes a while
    carrying = [asyncio.ensure_future(store.get("copies/one.jpg")) for _ in range(2 * s3.THREADS)]
    async with asyncio.timeout(AT_ONCE_S):
        asking: list[Awaitable[Any]] = [store.head("originals/one") for _ in range(s3.THREADS)]
        asked = await asyncio.gather(*asking, store.check(), return_exceptions=True)
        assert {type(answer) for answer in asked} == {ObjectStoreError}
        await sign(store)
    for task in carrying:
        task.cancel()
    await asyncio.gather(*carrying, return_exceptions=True)


@pytest.fixture
def in_use_while_signing(context: Context, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many connections for reads are in use each time an address is signed."""
    store, pool, found = context.wiring.port(ObjectStore), context.database.reader.pool, list[int]()
    assert isinstance(pool, QueuePool)
    sign: Callable[..., Awaitable[str]] = store.presign_get

    async def noting(*args: Any, **options: Any) -> str:
        found.append(pool.checkedout())
        return await sign(*args, **options)

    monkeypatch.setattr(store, "presign_get", noting)
    return found


async def test_who_looks_at_a_photo_holds_no_connection_while_its_address_is_signed(
    minsu: Person, context: Context, sights: Sights, in_use_while_signing: list[int]
) -> None:
    photo = await make_photo(minsu, context)
    for copy in ("thumb", "full"):
        assert (await minsu.get(f"/v1/photos/{photo['id']}/{copy}")).status_code == 302
    assert in_use_while_signing == [0, 0]
