"""What the embedded store does beyond the common contract."""

import asyncio
import base64
import hashlib
import stat
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from server.app.asgi import create_app
from server.app.settings import Settings
from server.platform.clock import MovableClock, SystemClock
from server.platform.context import Context
from server.platform.object_store import (
    MOUNT_PATH,
    EmbeddedFiles,
    EmbeddedObjectStore,
    SignedPut,
)
from server.platform.object_store.embedded_app import EmbeddedStoreApp
from server.platform.object_store.sigv4 import Signer

BODY = bytes(range(256)) * 40
BASE_URL = "http://picky.test"


class Embedded:
    """The store, its HTTP side without a socket, and a clock that both share."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = MovableClock(SystemClock().now())
        self.files = EmbeddedFiles(root)
        self.store = EmbeddedObjectStore(self.files, BASE_URL, self.clock)
        self.app = EmbeddedStoreApp(self.files, self.clock)

    async def presign(self, key: str = "originals/one", body: bytes = BODY) -> SignedPut:
        digest = hashlib.sha256(body).hexdigest()
        return await self.store.presign_put(
            key, content_type="image/png", length=len(body), sha256=digest, expires_s=600
        )

    async def raw(
        self, put: SignedPut, messages: Iterable[dict[str, object]]
    ) -> list[dict[str, object]]:
        """Send ASGI messages that no HTTP server would let through."""
        url = httpx.URL(put.url)
        headers = [(name.lower().encode(), value.encode()) for name, value in put.headers.items()]
        path, _, query = url.raw_path.partition(b"?")
        scope = {
            "type": "http",
            "method": "PUT",
            "path": url.path,
            "root_path": MOUNT_PATH,
            "raw_path": path,
            "query_string": query,
            "headers": [(b"host", url.netloc), *headers],
        }
        waiting, sent = iter(messages), list[dict[str, object]]()

        async def receive() -> dict[str, object]:
            return next(waiting)

        async def send(message: object) -> None:
            assert isinstance(message, dict)
            sent.append(message)

        await self.app(scope, receive, send)
        return sent

    def stray_files(self) -> list[Path]:
        return list((self.root / "incoming").iterdir())


@pytest.fixture
def embedded(tmp_path: Path) -> Embedded:
    return Embedded(tmp_path)


@pytest.fixture
async def client(embedded: Embedded) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Mount(MOUNT_PATH, app=embedded.app)])
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport) as client:
        yield client


async def test_content_other_than_the_signed_digest_is_refused(
    embedded: Embedded, client: httpx.AsyncClient
) -> None:
    put = await embedded.presign()
    answer = await client.put(put.url, headers=put.headers, content=BODY[::-1])
    assert answer.status_code == 400
    assert "<Code>BadDigest</Code>" in answer.text
    assert await embedded.store.head("originals/one") is None
    assert embedded.stray_files() == []


async def test_a_body_longer_than_signed_stops_at_the_first_byte_too_many(
    embedded: Embedded,
) -> None:
    put = await embedded.presign()

    def body() -> Iterable[dict[str, object]]:
        yield {"type": "http.request", "body": BODY, "more_body": True}
        yield {"type": "http.request", "body": b"!", "more_body": True}
        raise AssertionError("read on after the signed length")

    sent = await embedded.raw(put, body())
    assert sent[0]["status"] == 400
    assert embedded.stray_files() == []


async def test_an_upload_that_breaks_off_leaves_nothing(embedded: Embedded) -> None:
    put = await embedded.presign()
    messages: list[dict[str, object]] = [
        {"type": "http.request", "body": BODY[:100], "more_body": True},
        {"type": "http.disconnect"},
    ]
    assert await embedded.raw(put, messages) == []
    assert await embedded.store.head("originals/one") is None
    assert embedded.stray_files() == []


async def test_an_upload_replaces_the_object_only_when_it_is_whole(
    embedded: Embedded, client: httpx.AsyncClient
) -> None:
    await embedded.store.put("originals/one", b"before", content_type="image/png")
    put = await embedded.presign()
    await client.put(put.url, headers=put.headers, content=BODY[::-1])
    assert await embedded.store.get("originals/one") == b"before"
    await client.put(put.url, headers=put.headers, content=BODY)
    assert await embedded.store.get("originals/one") == BODY


async def test_a_large_upload_is_stored_byte_for_byte(
    embedded: Embedded, client: httpx.AsyncClient
) -> None:
    body = BODY * 500
    put = await embedded.presign(body=body)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 60_000):
            yield body[start : start + 60_000]

    answer = await client.put(put.url, headers=put.headers, content=pieces())
    assert answer.status_code == 200
    assert await embedded.store.get("originals/one") == body


async def test_a_url_lives_as_long_as_it_says(
    embedded: Embedded, client: httpx.AsyncClient
) -> None:
    put = await embedded.presign()
    embedded.clock.advance(timedelta(seconds=599))
    assert (await client.put(put.url, headers=put.headers, content=BODY)).status_code == 200
    embedded.clock.advance(timedelta(seconds=2))
    late = await client.put(put.url, headers=put.headers, content=BODY)
    assert late.status_code == 403
    assert "expired" in late.text


async def test_a_url_signed_for_the_future_is_refused(
    embedded: Embedded, client: httpx.AsyncClient
) -> None:
    put = await embedded.presign()
    embedded.clock.advance(-timedelta(hours=1))
    assert (await client.put(put.url, headers=put.headers, content=BODY)).status_code == 403


async def test_an_upload_url_that_binds_no_length_is_refused(
    embedded: Embedded, client: httpx.AsyncClient
) -> None:
    signer = Signer(f"{BASE_URL}/object-store", "picky", "local", embedded.clock)
    now = embedded.clock.now()
    url = signer._sign(embedded.files.credentials, "PUT", "originals/one", {}, {}, now, 600)
    assert (await client.put(url, content=BODY)).status_code == 403


@pytest.mark.parametrize(
    "key", ["../credentials.json", "a/../../x", "/etc/passwd", ".hidden", "a//b", "", "a/b\0"]
)
async def test_no_key_leads_out_of_the_directory(embedded: Embedded, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        await embedded.store.head(key)


async def test_a_signed_url_with_a_key_that_climbs_is_refused(
    embedded: Embedded, client: httpx.AsyncClient
) -> None:
    url = await embedded.store.presign_get("../credentials.json", content_type="a/b", expires_s=60)
    answer = await client.get(url)
    assert answer.status_code in (400, 403, 404)
    assert embedded.files.credentials.secret_key not in answer.text


@pytest.mark.parametrize("host", ["[", "a b", "\u2100", ""])
async def test_a_host_that_is_none_is_refused(embedded: Embedded, host: str) -> None:
    put = await embedded.presign()
    put.headers["host"] = host
    sent = await embedded.raw(
        SignedPut(put.url, put.headers), [{"type": "http.request", "body": BODY}]
    )
    assert sent[0]["status"] in (400, 403)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Amz-Expires", "604801"),
        ("X-Amz-Expires", "0"),
        ("X-Amz-Expires", "00000000019999999999"),
        ("X-Amz-Expires", "-1"),
        ("X-Amz-Date", "yesterday"),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA1"),
        ("X-Amz-Credential", "somebody"),
        ("X-Amz-SignedHeaders", "content-length"),
        ("X-Amz-Signature", "%ff"),
    ],
)
async def test_a_changed_signing_parameter_is_refused(
    embedded: Embedded, client: httpx.AsyncClient, name: str, value: str
) -> None:
    put = await embedded.presign()
    parameters = dict(part.split("=", 1) for part in put.url.partition("?")[2].split("&"))
    parameters[name] = value
    query = "&".join(f"{key}={text}" for key, text in parameters.items())
    url = f"{put.url.partition('?')[0]}?{query}"
    answer = await client.put(url, headers=put.headers, content=BODY)
    assert answer.status_code == 403, answer.text


async def test_a_signed_get_can_read_a_part(embedded: Embedded, client: httpx.AsyncClient) -> None:
    await embedded.store.put("copies/one.jpg", BODY, content_type="image/jpeg")
    url = await embedded.store.presign_get(
        "copies/one.jpg", content_type="image/jpeg", expires_s=60
    )
    answer = await client.get(url, headers={"Range": "bytes=10-19"})
    assert answer.status_code == 206
    assert answer.content == BODY[10:20]


async def test_the_credentials_are_random_private_and_kept(tmp_path: Path) -> None:
    first = EmbeddedFiles(tmp_path / "a").credentials
    again = EmbeddedFiles(tmp_path / "a").credentials
    other = EmbeddedFiles(tmp_path / "b").credentials
    assert first == again
    assert first.secret_key != other.secret_key
    assert len(base64.urlsafe_b64decode(first.secret_key + "=")) == 32
    assert first.secret_key not in repr(first)
    assert stat.S_IMODE((tmp_path / "a" / "credentials.json").stat().st_mode) == 0o600


async def test_what_a_crash_left_half_written_is_gone_after_a_start(
    context: Context, settings: Settings
) -> None:
    """Only a server that starts may think so: a backup opens the same folder beside one."""
    root = settings.data_dir / "object-store"
    half = root / "incoming" / "half"
    half.write_bytes(b"half")
    EmbeddedFiles(root)
    assert half.exists()
    create_app(context, settings)
    assert not half.exists()


async def test_many_uploads_at_once_are_all_stored(
    embedded: Embedded, client: httpx.AsyncClient
) -> None:
    async def upload(number: int) -> None:
        body = BODY + bytes([number])
        put = await embedded.presign(f"originals/{number}", body)
        answer = await client.put(put.url, headers=put.headers, content=body)
        assert answer.status_code == 200
        assert await embedded.store.get(f"originals/{number}") == body

    await asyncio.gather(*(upload(number) for number in range(20)))
