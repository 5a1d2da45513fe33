import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from client_tui.core.api import Api, Http
from client_tui.core.errors import BadFile, Refused, ServerUnreachable, UploadFailed
from client_tui.core.uploads import Phase, Progress, Uploader, check_file
from shared_models.media import Purpose

JPEG = b"\xff\xd8\xff\xe0" + b"j" * 200_000
STORE = "https://store.example"


class Impatient:
    """A clock whose waits are over at once, and are counted."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> Any:
        raise AssertionError("uploads know no wall clock")

    def monotonic(self) -> float:
        return sum(self.waits)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)


class FakeMarket:
    """Answers as the server and its store would, unless a test says otherwise."""

    def __init__(self) -> None:
        self.clock = Impatient()
        self.stored: dict[str, bytes] = {}
        self.headers: dict[str, httpx.Headers] = {}
        self.put_answers: list[int | Exception] = []
        self.states = ["processing", "ready"]
        self.reason: str | None = None
        self.presigned = 0
        self.under_way = self.most_at_once = 0
        self.hold_until = 1
        self.released = asyncio.Event()
        transport = httpx.MockTransport(self.answer)
        http = Http("https://market.example", "token", transport=transport, clock=self.clock)
        self.uploader = Uploader(Api(http), clock=self.clock, chance=lambda: 1.0)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "store.example":
            return await self._put(request)
        path = request.url.path
        if path == "/v1/uploads":
            return self._presign(json.loads(request.content))
        upload_id = path.split("/")[3]
        if path.endswith("/complete"):
            if upload_id not in self.stored:
                return self._problem(409, "not_uploaded")
            return httpx.Response(200, json={"id": upload_id, "state": "processing"})
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        answer: dict[str, Any] = {"id": upload_id, "state": state}
        if state == "ready":
            answer["photo"] = {
                "id": upload_id,
                "width": 4,
                "height": 3,
                "placeholder": "",
                "thumb_url": f"/v1/photos/{upload_id}/thumb",
                "full_url": f"/v1/photos/{upload_id}/full",
            }
        if state == "failed":
            answer["reason"] = self.reason
        return httpx.Response(200, json=answer)

    def _presign(self, body: dict[str, Any]) -> httpx.Response:
        uploads = []
        for file in body["files"]:
            self.presigned += 1
            upload_id = str(UUID(int=self.presigned))
            headers = {"content-type": file["content_type"], "content-length": str(file["size"])}
            put = {"url": f"{STORE}/{upload_id}?signature=1", "headers": headers}
            uploads.append({"id": upload_id, "state": "pending", "put": put})
        return httpx.Response(201, json={"uploads": uploads})

    async def _put(self, request: httpx.Request) -> httpx.Response:
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            content = await request.aread()
            if self.under_way >= self.hold_until:
                self.released.set()
            await self.released.wait()
            answer = self.put_answers.pop(0) if self.put_answers else 200
            if isinstance(answer, Exception):
                raise answer
            if answer < 300:
                upload_id = request.url.path.strip("/")
                self.stored[upload_id] = content
                self.headers[upload_id] = request.headers
            return httpx.Response(answer)
        finally:
            self.under_way -= 1

    @staticmethod
    def _problem(status: int, code: str) -> httpx.Response:
        body = {"title": "x", "status": status, "detail": "x", "code": code}
        return httpx.Response(status, json=body)


@pytest.fixture
def market() -> FakeMarket:
    return FakeMarket()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "chair.jpg"
    path.write_bytes(JPEG)
    return path


async def test_the_bytes_go_to_the_store_with_the_signed_headers_and_without_the_token(
    market: FakeMarket, picture: Path
) -> None:
    [photo] = await market.uploader.photos(Purpose.LISTING, [picture])
    [(upload_id, content)] = market.stored.items()
    assert (str(photo.id), content) == (upload_id, JPEG)
    headers = market.headers[upload_id]
    assert headers["content-length"] == str(len(JPEG))
    assert headers["content-type"] == "image/jpeg"
    assert "authorization" not in headers
    assert "transfer-encoding" not in headers


async def test_progress_rises_to_the_last_byte_and_ends_ready(
    market: FakeMarket, picture: Path
) -> None:
    heard: list[Progress] = []
    await market.uploader.upload(Purpose.LISTING, [picture], heard.append)
    sent = [progress.sent for progress in heard if progress.phase is Phase.SENDING]
    assert sent == sorted(sent)
    assert (sent[0], sent[-1]) == (0, len(JPEG))
    more_than_two_steps = 3
    assert len(sent) >= more_than_two_steps
    assert [heard[0].phase, heard[-2].phase, heard[-1].phase] == [
        Phase.CHECKING,
        Phase.PROCESSING,
        Phase.READY,
    ]


async def test_three_go_at_once_and_no_more(market: FakeMarket, picture: Path) -> None:
    market.states, market.hold_until = ["ready"], 3
    photos = await market.uploader.photos(Purpose.LISTING, [picture] * 7)
    assert len({photo.id for photo in photos}) == 7
    assert market.most_at_once == 3


async def test_a_broken_line_is_tried_four_times_with_growing_waits(
    market: FakeMarket, picture: Path
) -> None:
    market.put_answers = [httpx.ReadError("cut"), 503, httpx.WriteError("cut"), 200]
    await market.uploader.photos(Purpose.LISTING, [picture])
    assert market.clock.waits[:3] == [0.5, 1.0, 2.0]


async def test_after_four_tries_it_is_over_for_this_photo_only(
    market: FakeMarket, picture: Path
) -> None:
    market.put_answers = [503, 503, 503, 503]
    broken, *_ = await market.uploader.upload(Purpose.LISTING, [picture])
    assert isinstance(broken.error, ServerUnreachable)
    fine, missing = await market.uploader.upload(
        Purpose.LISTING, [picture, picture.with_name("missing.jpg")]
    )
    assert fine.photo is not None
    assert isinstance(missing.error, BadFile)


async def test_an_expired_place_is_asked_for_again(market: FakeMarket, picture: Path) -> None:
    market.put_answers = [403, 200]
    [photo] = await market.uploader.photos(Purpose.LISTING, [picture])
    asked_twice = 2
    assert market.presigned == asked_twice
    assert photo.id == UUID(int=2)


async def test_what_the_store_refuses_outright_is_not_tried_again(
    market: FakeMarket, picture: Path
) -> None:
    market.put_answers = [400]
    with pytest.raises(UploadFailed):
        await market.uploader.photos(Purpose.LISTING, [picture])
    assert market.clock.waits == []


async def test_a_picture_the_server_cannot_use_says_why(market: FakeMarket, picture: Path) -> None:
    market.states, market.reason = ["processing", "failed"], "truncated"
    heard: list[Progress] = []
    [outcome] = await market.uploader.upload(Purpose.LISTING, [picture], heard.append)
    assert isinstance(outcome.error, UploadFailed)
    assert outcome.error.reason == "truncated"
    assert heard[-1].phase is Phase.FAILED
    assert "cut off" in heard[-1].reason


async def test_a_picture_that_is_never_ready_is_given_up(market: FakeMarket, picture: Path) -> None:
    market.states = ["processing"]
    with pytest.raises(UploadFailed, match="too long"):
        await market.uploader.photos(Purpose.LISTING, [picture])


async def test_a_refusal_before_the_upload_is_handed_on(
    market: FakeMarket, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(market, "_presign", lambda _: market._problem(422, "too_many"))
    with pytest.raises(Refused) as refused:
        await market.uploader.photos(Purpose.LISTING, [picture])
    assert refused.value.code == "too_many"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.unlink(), "There is no file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"<svg/>"), "no JPEG, PNG or WebP"),
        (lambda path: (path.unlink(), path.mkdir()), "is a folder"),
        (lambda path: path.write_bytes(JPEG + b"j" * 200_000), "has 0.4 MB"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_before_anything_is_sent(
    picture: Path, make: Callable[[Path], object], says: str
) -> None:
    make(picture)
    with pytest.raises(BadFile, match=says):
        check_file(picture, bytes_max=300_000)


def test_a_checked_file_names_its_real_type_whatever_its_name(tmp_path: Path) -> None:
    webp = tmp_path / "photo.jpg"
    webp.write_bytes(b"RIFF\x00\x00\x00\x00WEBPVP8 ")
    checked = check_file(webp)
    assert checked.content_type == "image/webp"
    assert checked.sha256 == hashlib.sha256(webp.read_bytes()).hexdigest()


async def test_a_file_that_vanishes_while_it_is_sent_is_an_error_of_that_file(
    market: FakeMarket, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    presign = market._presign

    def vanish(body: dict[str, Any]) -> httpx.Response:
        picture.unlink()
        return presign(body)

    monkeypatch.setattr(market, "_presign", vanish)
    [outcome] = await market.uploader.upload(Purpose.MESSAGE, [picture])
    assert isinstance(outcome.error, BadFile)
    assert "cannot be read any more" in str(outcome.error)
