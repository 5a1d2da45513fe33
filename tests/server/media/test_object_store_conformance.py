"""One contract, several stores: the embedded one on a real socket, and real S3-compatible servers:
rclone's, and Ceph's where its Debian packages are installed.
"""

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from server.platform.clock import Clock, MovableClock, SystemClock
from server.platform.object_store import (
    MOUNT_PATH,
    EmbeddedFiles,
    EmbeddedObjectStore,
    ObjectNotFound,
    ObjectStore,
    ObjectStoreError,
    S3ObjectStore,
    SignedPut,
    parse_s3_url,
    s3,
)
from server.platform.object_store.embedded_app import EmbeddedStoreApp
from tests.servers.rgw import RGW_IS_INSTALLED
from tests.servers.s3 import S3Bucket

BODY = b"\xff\xd8\xff" + bytes(range(256)) * 40
TYPE = "image/jpeg"
CACHED = "public, max-age=60, immutable"
PATIENCE_S = 30
MakeStore = Callable[[Clock], ObjectStore]


@asynccontextmanager
async def _served(files: EmbeddedFiles) -> AsyncIterator[str]:
    app = Starlette(routes=[Mount(MOUNT_PATH, app=EmbeddedStoreApp(files, SystemClock()))])
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@pytest.fixture(params=["embedded", "s3_bucket", *(["rgw_bucket"] if RGW_IS_INSTALLED else [])])
async def make_store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MakeStore]:
    """Makes the store under test with a clock of its own to sign by."""
    if request.param == "embedded":
        files = EmbeddedFiles(tmp_path)
        async with _served(files) as base_url:
            yield lambda clock: EmbeddedObjectStore(files, base_url, clock)
        return
    bucket: S3Bucket = request.getfixturevalue(request.param)
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    made: list[S3ObjectStore] = []

    def make(clock: Clock) -> ObjectStore:
        made.append(S3ObjectStore(parse_s3_url(bucket.url), clock))
        return made[-1]

    yield make
    for store in made:
        await store.close()


@pytest.fixture
def store(make_store: MakeStore) -> ObjectStore:
    return make_store(SystemClock())


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        yield client


async def _presign(store: ObjectStore, key: str = "originals/one", body: bytes = BODY) -> SignedPut:
    return await store.presign_put(
        key,
        content_type=TYPE,
        length=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        expires_s=600,
    )


async def test_the_signed_upload_is_stored(store: ObjectStore, client: httpx.AsyncClient) -> None:
    put = await _presign(store)
    answer = await client.put(put.url, headers=put.headers, content=BODY)
    assert answer.status_code == 200, answer.text
    info = await store.head("originals/one")
    assert info is not None
    assert info.size == len(BODY)
    assert await store.get("originals/one") == BODY


async def _assert_refused(
    store: ObjectStore, client: httpx.AsyncClient, url: str, headers: dict[str, str], body: bytes
) -> None:
    answer = await client.put(url, headers=headers, content=body)
    assert answer.status_code in (400, 403), answer.text
    assert await store.head("originals/one") is None
    assert await store.head("originals/two") is None


async def test_a_changed_signature_is_refused(
    store: ObjectStore, client: httpx.AsyncClient
) -> None:
    put = await _presign(store)
    last = "0" if put.url[-1] != "0" else "1"
    await _assert_refused(store, client, put.url[:-1] + last, put.headers, BODY)


async def test_an_unsigned_request_is_refused(
    store: ObjectStore, client: httpx.AsyncClient
) -> None:
    put = await _presign(store)
    await _assert_refused(store, client, put.url.partition("?")[0], put.headers, BODY)


async def test_another_type_is_refused(store: ObjectStore, client: httpx.AsyncClient) -> None:
    put = await _presign(store)
    headers = {**put.headers, "Content-Type": "text/html"}
    await _assert_refused(store, client, put.url, headers, BODY)


@pytest.mark.parametrize("body", [BODY + b"!", BODY[:-1]], ids=["longer", "shorter"])
async def test_another_length_is_refused(
    store: ObjectStore, client: httpx.AsyncClient, body: bytes
) -> None:
    put = await _presign(store)
    headers = {**put.headers, "Content-Length": str(len(body))}
    await _assert_refused(store, client, put.url, headers, body)


async def test_a_body_without_a_declared_length_is_refused(
    store: ObjectStore, client: httpx.AsyncClient
) -> None:
    put = await _presign(store)

    async def chunks() -> AsyncIterator[bytes]:
        yield BODY
        yield BODY

    headers = {name: put.headers[name] for name in put.headers if name != "Content-Length"}
    answer = await client.put(put.url, headers=headers, content=chunks())
    assert answer.status_code in (400, 403, 411), answer.text
    assert await store.head("originals/one") is None


async def test_another_key_is_refused(store: ObjectStore, client: httpx.AsyncClient) -> None:
    put = await _presign(store)
    url = put.url.replace("originals/one", "originals/two")
    await _assert_refused(store, client, url, put.headers, BODY)


async def test_a_late_upload_is_refused(
    make_store: MakeStore, store: ObjectStore, client: httpx.AsyncClient
) -> None:
    past = MovableClock(SystemClock().now() - timedelta(seconds=601))
    put = await _presign(make_store(past))
    await _assert_refused(store, client, put.url, put.headers, BODY)


async def test_a_longer_expiry_than_the_signed_one_is_refused(
    make_store: MakeStore, store: ObjectStore, client: httpx.AsyncClient
) -> None:
    past = MovableClock(SystemClock().now() - timedelta(seconds=601))
    put = await _presign(make_store(past))
    url = put.url.replace("X-Amz-Expires=600", "X-Amz-Expires=6000")
    await _assert_refused(store, client, url, put.headers, BODY)


@pytest.mark.parametrize("make_store", ["embedded", "s3_bucket"], indirect=True)
async def test_an_x_amz_header_that_was_not_signed_is_refused(
    store: ObjectStore, client: httpx.AsyncClient
) -> None:
    """Ceph takes it: there the bucket's policy has to refuse what is not private."""
    put = await _presign(store)
    headers = {**put.headers, "x-amz-acl": "public-read"}
    await _assert_refused(store, client, put.url, headers, BODY)


async def test_an_upload_may_be_repeated(store: ObjectStore, client: httpx.AsyncClient) -> None:
    put = await _presign(store)
    for _ in range(2):
        answer = await client.put(put.url, headers=put.headers, content=BODY)
        assert answer.status_code == 200


async def test_a_signed_get_reads_the_object_as_the_signed_type(
    store: ObjectStore, client: httpx.AsyncClient
) -> None:
    await store.put("copies/one.jpg", BODY, content_type=TYPE)
    answer = await client.get(
        await store.presign_get(
            "copies/one.jpg", content_type=TYPE, expires_s=60, cache_control=CACHED
        )
    )
    assert answer.status_code == 200
    assert answer.content == BODY
    assert answer.headers["content-type"] == TYPE
    assert answer.headers["cache-control"] == CACHED


async def test_what_is_signed_in_the_same_minute_is_the_same_url(make_store: MakeStore) -> None:
    clock = MovableClock(SystemClock().now().replace(second=0))
    store = make_store(clock)
    urls = set()
    for seconds in (0, 59, 1):
        clock.advance(timedelta(seconds=seconds))
        urls.add(await store.presign_get("copies/one.jpg", content_type=TYPE, expires_s=60))
    assert len(urls) == 2


async def test_a_late_get_is_refused(make_store: MakeStore, client: httpx.AsyncClient) -> None:
    store = make_store(MovableClock(SystemClock().now() - timedelta(seconds=121)))
    await store.put("copies/one.jpg", BODY, content_type=TYPE)
    answer = await client.get(
        await store.presign_get("copies/one.jpg", content_type=TYPE, expires_s=60)
    )
    assert answer.status_code in (400, 403)
    assert BODY not in answer.content


async def test_a_get_url_neither_reads_another_key_nor_writes(
    store: ObjectStore, client: httpx.AsyncClient
) -> None:
    await store.put("copies/one.jpg", BODY, content_type=TYPE)
    await store.put("copies/two.jpg", BODY, content_type=TYPE)
    url = await store.presign_get("copies/one.jpg", content_type=TYPE, expires_s=60)
    assert (await client.get(url.replace("one", "two"))).status_code == 403
    assert (await client.put(url, content=b"other")).status_code == 403
    assert (await client.delete(url)).status_code in (403, 405)
    assert await store.get("copies/one.jpg") == BODY


async def test_an_object_that_is_not_there_is_404(
    store: ObjectStore, client: httpx.AsyncClient
) -> None:
    url = await store.presign_get("copies/none.jpg", content_type=TYPE, expires_s=60)
    assert (await client.get(url)).status_code == 404


async def test_the_server_can_put_get_download_and_delete(
    store: ObjectStore, tmp_path: Path
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(BODY)
    await store.put("copies/one.jpg", source, content_type=TYPE)
    await store.download("copies/one.jpg", target)
    assert target.read_bytes() == BODY
    await store.delete("copies/one.jpg")
    await store.delete("copies/one.jpg")
    assert await store.head("copies/one.jpg") is None
    with pytest.raises(ObjectNotFound):
        await store.get("copies/one.jpg")
    with pytest.raises(ObjectNotFound):
        await store.download("copies/one.jpg", target)


async def test_every_key_is_listed(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PAGE_KEYS", 4)
    assert [key async for key in store.list_keys()] == []
    keys = {f"photos/{number}/full.jpg" for number in range(10)}
    for key in keys:
        await store.put(key, b"", content_type=TYPE)
    await store.delete("photos/7/full.jpg")
    assert {key async for key in store.list_keys()} == keys - {"photos/7/full.jpg"}


async def test_a_store_that_is_there_passes_its_check(store: ObjectStore) -> None:
    await store.check()


async def test_a_bucket_that_is_not_there_fails_its_check(
    s3_bucket: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3_bucket.environment.items():
        monkeypatch.setenv(name, value)
    store = S3ObjectStore(parse_s3_url(s3_bucket.url.replace("s3://", "s3://no-")), SystemClock())
    with pytest.raises(ObjectStoreError):
        await store.check()
    await store.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://bucket",
        "s3://",
        "s3://bucket/folder",
        "s3://bucket?endpoint=ftp://host",
        "s3://bucket?style=path",
    ],
)
async def test_an_address_that_makes_no_sense_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="object store"):
        parse_s3_url(url)


async def test_an_address_names_bucket_endpoint_and_region() -> None:
    found = parse_s3_url("s3://photos?endpoint=http://127.0.0.1:9000/&region=eu-west-1")
    assert (found.bucket, found.endpoint, found.region) == (
        "photos",
        "http://127.0.0.1:9000",
        "eu-west-1",
    )
    assert parse_s3_url("s3://photos").endpoint is None
