"""The same way of an upload, with the bytes in a real S3-compatible store."""

from pathlib import Path

import httpx
import pytest

from server.app.settings import Environment, Settings
from server.platform.clock import MovableClock, SystemClock
from server.platform.context import Context
from server.platform.object_store import ObjectStore
from tests.server.conftest import Person
from tests.server.media.uploading import PICTURE, Sights, ask, declared, objects_of, run_jobs
from tests.servers.s3 import S3Bucket


@pytest.fixture
def clock() -> MovableClock:
    """The present: the store has a clock of its own."""
    return MovableClock(SystemClock().now())


@pytest.fixture
def settings(
    sqlite_url: str, s3_bucket: S3Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    for name, value in s3_bucket.environment.items():
        monkeypatch.setenv(name, value)
    return Settings(
        environment=Environment.TEST,
        data_dir=tmp_path / "data",
        database_url=sqlite_url,
        object_store_url=s3_bucket.url,
        rate_limits=False,
    )


async def test_a_photo_goes_straight_to_the_store_and_is_read_from_there(
    minsu: Person, context: Context, sights: Sights
) -> None:
    [upload] = await ask(minsu, declared())
    path = f"/v1/uploads/{upload['id']}"
    async with httpx.AsyncClient(timeout=30) as web:
        assert (await minsu.post(f"{path}/complete")).json()["code"] == "not_uploaded"
        put = upload["put"]
        stored = await web.put(put["url"], headers=put["headers"], content=PICTURE)
        assert stored.status_code == 200, stored.text
        assert (await minsu.post(f"{path}/complete")).json()["state"] == "processing"
        await run_jobs(context)
        assert (await minsu.get(path)).json()["state"] == "ready"
        assert await objects_of(context, upload["id"]) == {"thumb.jpg", "full.jpg"}
        redirect = await minsu.get(f"/v1/photos/{upload['id']}/full")
        seen = await web.get(redirect.headers["location"])
        assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")


async def test_other_content_than_declared_is_found_while_processing(
    minsu: Person, context: Context
) -> None:
    """Not every S3-compatible server holds an upload to its checksum."""
    [upload] = await ask(minsu, declared())
    store = context.wiring.port(ObjectStore)
    other = bytearray(PICTURE)
    other[-20] ^= 1
    await store.put(f"originals/{upload['id']}", bytes(other), content_type="image/jpeg")
    await minsu.post(f"/v1/uploads/{upload['id']}/complete")
    await run_jobs(context)
    failed = (await minsu.get(f"/v1/uploads/{upload['id']}")).json()
    assert (failed["state"], failed["reason"]) == ("failed", "checksum_mismatch")
