"""From the presigned PUT to the photo on an object, on both databases."""

import asyncio
import hashlib
import io
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from PIL import Image
from sqlalchemy import select

from server.media import api as media
from server.media.jobs import PERIODIC, RUNNERS
from server.media.tables import Upload
from server.platform.clock import MovableClock
from server.platform.context import Actor, Context
from server.platform.jobs import Worker
from server.platform.object_store import ObjectStore, ObjectStoreError
from server.platform.unit_of_work import UnitOfWork, reading, transact
from shared_models.media import Purpose
from tests.server.conftest import Person, SignUpPerson, problem
from tests.server.media import pictures

PICTURE = pictures.jpeg()


def _file(data: bytes = PICTURE, content_type: str = "image/jpeg", **fields: Any) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    return {
        "name": "photo.jpg",
        "content_type": content_type,
        "size": len(data),
        "sha256": digest,
    } | fields


async def _request(person: Person, *files: dict[str, Any], purpose: str = "listing") -> Any:
    answer = await person.post("/v1/uploads", {"purpose": purpose, "files": list(files)})
    assert answer.status_code == 201, answer.text
    return answer.json()["uploads"]


async def _put(person: Person, upload: dict[str, Any], data: bytes = PICTURE) -> httpx.Response:
    put = upload["put"]
    return await person.client.put(put["url"], headers=put["headers"], content=data)


async def _run_jobs(context: Context) -> None:
    await Worker(context, RUNNERS).run_due()


async def _photo(
    person: Person,
    context: Context,
    data: bytes = PICTURE,
    purpose: str = "listing",
    content_type: str = "image/jpeg",
) -> Any:
    """Upload one picture all the way; the upload as it stands at the end."""
    [upload] = await _request(person, _file(data, content_type), purpose=purpose)
    assert (await _put(person, upload, data)).status_code == 200
    assert (await person.post(f"/v1/uploads/{upload['id']}/complete")).status_code == 200
    await _run_jobs(context)
    return (await person.get(f"/v1/uploads/{upload['id']}")).json()


async def _act(
    context: Context, person: Person, action: Callable[[UnitOfWork], Awaitable[Any]]
) -> Any:
    return await transact(context, Actor(person.id, person.session_id), action)


async def _attach(
    context: Context,
    person: Person,
    ids: Sequence[str],
    object_id: UUID,
    kind: Purpose = Purpose.LISTING,
) -> Any:
    photo_ids = [UUID(text) for text in ids]
    return await _act(
        context,
        person,
        lambda work: media.attach(work, person.id, photo_ids, kind=kind, object_id=object_id),
    )


async def _objects(context: Context, upload_id: str) -> set[str]:
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


@pytest.fixture
def sights(context: Context) -> Sights:
    sights = Sights()
    context.wiring.provide(media.PhotoViewers, media.PhotoViewers(sights.listing, sights.message))
    return sights


@pytest.fixture
async def minsu(sign_up: SignUpPerson) -> Person:
    return await sign_up("minsu")


@pytest.fixture
async def jane(sign_up: SignUpPerson) -> Person:
    return await sign_up("jane")


async def test_an_upload_goes_from_pending_to_a_photo(minsu: Person, context: Context) -> None:
    [upload] = await _request(minsu, _file())
    assert upload["state"] == "pending"
    assert (await _put(minsu, upload)).status_code == 200
    completed = await minsu.post(f"/v1/uploads/{upload['id']}/complete")
    assert completed.json()["state"] == "processing"
    await _run_jobs(context)
    ready = (await minsu.get(f"/v1/uploads/{upload['id']}")).json()
    assert ready["state"] == "ready"
    photo = ready["photo"]
    assert (photo["id"], photo["width"], photo["height"]) == (upload["id"], 400, 300)
    assert photo["placeholder"].startswith("8x6:")
    assert photo["thumb_url"] == f"/v1/photos/{upload['id']}/thumb"
    assert photo["full_url"] == f"/v1/photos/{upload['id']}/full"


async def test_the_put_binds_exactly_what_was_declared(minsu: Person) -> None:
    [upload] = await _request(minsu, _file())
    headers = upload["put"]["headers"]
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["Content-Length"] == str(len(PICTURE))
    assert (await _put(minsu, upload, PICTURE + b"!")).status_code in (400, 403)
    assert (await _put(minsu, upload, PICTURE[::-1])).status_code == 400


async def test_many_files_are_answered_in_their_order(minsu: Person, context: Context) -> None:
    data = [pictures.jpeg(100 + number, 100) for number in range(10)]
    uploads = await _request(minsu, *(_file(one) for one in data))
    await asyncio.gather(*(_put(minsu, *pair) for pair in zip(uploads, data, strict=True)))
    for upload in uploads:
        await minsu.post(f"/v1/uploads/{upload['id']}/complete")
    await _run_jobs(context)
    widths = [
        (await minsu.get(f"/v1/uploads/{upload['id']}")).json()["photo"]["width"]
        for upload in uploads
    ]
    assert widths == [100 + number for number in range(10)]


async def test_a_picture_of_many_megabytes_fits(minsu: Person, context: Context) -> None:
    noise = pictures.encoded(Image.effect_noise((3200, 3200), 200), "PNG")
    assert 5_000_000 < len(noise) < 10 * 1024 * 1024
    assert (await _photo(minsu, context, noise, content_type="image/png"))["state"] == "ready"


async def test_complete_before_the_bytes_are_there_is_refused(minsu: Person) -> None:
    [upload] = await _request(minsu, _file())
    answer = await minsu.post(f"/v1/uploads/{upload['id']}/complete")
    body = problem(answer, 409, "not_uploaded")
    assert body["current"]["state"] == "pending"
    assert (await minsu.get(f"/v1/uploads/{upload['id']}")).json()["state"] == "pending"


async def test_complete_may_be_repeated_at_any_time(minsu: Person, context: Context) -> None:
    [upload] = await _request(minsu, _file())
    await _put(minsu, upload)
    path = f"/v1/uploads/{upload['id']}/complete"
    answers = await asyncio.gather(*(minsu.post(path) for _ in range(5)))
    assert {answer.json()["state"] for answer in answers} == {"processing"}
    await _run_jobs(context)
    assert (await minsu.post(path)).json()["state"] == "ready"
    assert await _objects(context, upload["id"]) == {"thumb.jpg", "full.jpg"}


async def test_the_same_idempotency_key_makes_one_upload(minsu: Person, context: Context) -> None:
    body = {"purpose": "listing", "files": [_file()]}
    headers = {"Idempotency-Key": str(uuid4())}
    first = await minsu.post("/v1/uploads", body, headers=headers)
    again = await minsu.post("/v1/uploads", body, headers=headers)
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json() == first.json()
    async with reading(context) as work:
        assert len(await work.rows(select(Upload.id))) == 1


async def test_the_original_is_gone_after_processing(minsu: Person, context: Context) -> None:
    upload = await _photo(minsu, context)
    assert await _objects(context, upload["id"]) == {"thumb.jpg", "full.jpg"}


async def test_an_original_that_was_put_again_later_goes_when_its_url_is_dead(
    minsu: Person, context: Context, clock: MovableClock
) -> None:
    [upload] = await _request(minsu, _file())
    await _put(minsu, upload)
    await minsu.post(f"/v1/uploads/{upload['id']}/complete")
    await _run_jobs(context)
    assert (await _put(minsu, upload)).status_code == 200
    clock.advance(timedelta(minutes=17))
    await _run_jobs(context)
    assert await _objects(context, upload["id"]) == {"thumb.jpg", "full.jpg"}
    assert (await _put(minsu, upload)).status_code == 403


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(PICTURE[:-300], "truncated", id="truncated"),
        pytest.param(pictures.png(), "type_mismatch", id="png called jpeg"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_type", id="svg"),
        pytest.param(PICTURE + pictures.archive(), "polyglot", id="polyglot"),
        pytest.param(
            pictures.jpeg_claiming(10_000, 10_000), "too_many_pixels", id="100 megapixels"
        ),
        pytest.param(b"just words", "not_an_image", id="text"),
    ],
)
async def test_a_hostile_file_ends_as_failed_with_its_reason(
    minsu: Person, context: Context, data: bytes, reason: str
) -> None:
    upload = await _photo(minsu, context, data)
    assert (upload["state"], upload["reason"], upload.get("photo")) == ("failed", reason, None)
    assert await _objects(context, upload["id"]) == set()
    assert (await minsu.get(f"/v1/photos/{upload['id']}/thumb")).status_code == 404
    assert (await _photo(minsu, context))["state"] == "ready"


async def test_no_metadata_reaches_who_looks_at_the_photo(
    minsu: Person, context: Context, sights: Sights
) -> None:
    upload = await _photo(minsu, context, pictures.with_private_data(orientation=6))
    for copy in ("thumb", "full"):
        redirect = await minsu.get(f"/v1/photos/{upload['id']}/{copy}")
        seen = await minsu.client.get(redirect.headers["location"])
        assert b"Secret" not in seen.content
        assert b"Exif" not in seen.content
        with Image.open(io.BytesIO(seen.content)) as picture:
            assert picture.height > picture.width


async def test_a_photo_is_reached_only_through_the_redirect(
    minsu: Person, context: Context, sights: Sights, clock: MovableClock
) -> None:
    upload = await _photo(minsu, context)
    redirect = await minsu.get(f"/v1/photos/{upload['id']}/thumb")
    assert redirect.status_code == 302
    assert redirect.headers["cache-control"] == "private, no-store"
    location = redirect.headers["location"]
    seen = await minsu.client.get(location)
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    assert (await minsu.client.get(location.partition("?")[0])).status_code == 403
    original = location.replace(f"photos/{upload['id']}/thumb.jpg", f"originals/{upload['id']}")
    assert (await minsu.client.get(original)).status_code == 403
    clock.advance(timedelta(seconds=301))
    assert (await minsu.client.get(location)).status_code == 403


async def test_without_a_token_every_path_is_401(minsu: Person, context: Context) -> None:
    upload = await _photo(minsu, context)
    for path in (
        f"/v1/uploads/{upload['id']}",
        f"/v1/photos/{upload['id']}/thumb",
        f"/v1/photos/{upload['id']}/full",
    ):
        problem(await minsu.client.get(path), 401, "unauthenticated")


async def test_a_stranger_sees_neither_upload_nor_unattached_photo(
    minsu: Person, jane: Person, context: Context, sights: Sights
) -> None:
    upload = await _photo(minsu, context)
    [pending] = await _request(minsu, _file())
    for id_ in (upload["id"], pending["id"]):
        problem(await jane.get(f"/v1/uploads/{id_}"), 404, "not_found")
        problem(await jane.post(f"/v1/uploads/{id_}/complete"), 404, "not_found")
        problem(await jane.get(f"/v1/photos/{id_}/thumb"), 404, "not_found")
        problem(await jane.get(f"/v1/photos/{id_}/full"), 404, "not_found")


@pytest.mark.parametrize("kind", ["listing", "message"])
async def test_who_sees_the_object_sees_its_photos(
    minsu: Person, jane: Person, context: Context, sights: Sights, kind: str
) -> None:
    upload = await _photo(minsu, context, purpose=kind)
    object_id = uuid4()
    await _attach(context, minsu, [upload["id"]], object_id, Purpose(kind))
    path = f"/v1/photos/{upload['id']}/thumb"
    problem(await jane.get(path), 404, "not_found")
    sights.visible.add((kind, object_id, jane.id))
    assert (await jane.get(path)).status_code == 302
    problem(await minsu.get(path), 404, "not_found")


async def test_everybody_signed_in_sees_avatars(
    minsu: Person, jane: Person, context: Context, sights: Sights
) -> None:
    upload = await _photo(minsu, context, purpose="avatar")
    await _attach(context, minsu, [upload["id"]], minsu.id, Purpose.AVATAR)
    assert (await jane.get(f"/v1/photos/{upload['id']}/thumb")).status_code == 302


async def test_photos_are_attached_in_the_order_given(minsu: Person, context: Context) -> None:
    ids = [(await _photo(minsu, context))["id"] for _ in range(3)]
    listing = uuid4()
    wanted = [ids[2], ids[0], ids[1]]
    photos = await _attach(context, minsu, wanted, listing)
    assert [photo["id"] for photo in photos] == wanted
    assert photos[0]["thumb_url"] == f"/v1/photos/{ids[2]}/thumb"
    again = await _attach(context, minsu, wanted, listing)
    assert again == photos


async def test_a_photo_belongs_to_one_object(minsu: Person, context: Context) -> None:
    upload = await _photo(minsu, context)
    await _attach(context, minsu, [upload["id"]], uuid4())
    with pytest.raises(Exception, match="photo_in_use"):
        await _attach(context, minsu, [upload["id"]], uuid4())


async def test_of_two_objects_that_want_a_photo_at_once_one_gets_it(
    minsu: Person, context: Context
) -> None:
    upload = await _photo(minsu, context)
    attempts = await asyncio.gather(
        *(_attach(context, minsu, [upload["id"]], uuid4()) for _ in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(attempt, list) for attempt in attempts) == 1
    assert sum("photo_in_use" in str(attempt) for attempt in attempts) == 7


async def test_what_may_not_be_attached_is_refused_and_nothing_is_attached(
    minsu: Person, jane: Person, context: Context, sights: Sights
) -> None:
    mine = (await _photo(minsu, context))["id"]
    theirs = (await _photo(jane, context))["id"]
    avatar = (await _photo(minsu, context, purpose="avatar"))["id"]
    failed = (await _photo(minsu, context, b"no picture"))["id"]
    [pending] = await _request(minsu, _file())
    for ids, code in (
        ([mine, theirs], "photo_unknown"),
        ([mine, str(uuid4())], "photo_unknown"),
        ([mine, avatar], "photo_wrong_purpose"),
        ([mine, failed], "photo_not_ready"),
        ([mine, pending["id"]], "photo_not_ready"),
        ([mine, mine], "photo_twice"),
    ):
        with pytest.raises(Exception, match=code):
            await _attach(context, minsu, ids, uuid4())
    assert len(await _attach(context, minsu, [mine], uuid4())) == 1


async def test_photos_that_are_replaced_leave_the_store(minsu: Person, context: Context) -> None:
    old, kept, new = [(await _photo(minsu, context))["id"] for _ in range(3)]
    listing = uuid4()
    await _attach(context, minsu, [old, kept], listing)
    photos = await _act(
        context,
        minsu,
        lambda work: media.replace(
            work, minsu.id, [UUID(new), UUID(kept)], kind=Purpose.LISTING, object_id=listing
        ),
    )
    assert [photo["id"] for photo in photos] == [new, kept]
    await _run_jobs(context)
    assert await _objects(context, old) == set()
    assert await _objects(context, kept) == {"thumb.jpg", "full.jpg"}
    problem(await minsu.get(f"/v1/uploads/{old}"), 404, "not_found")


async def test_photos_of_an_object_that_is_gone_leave_the_store(
    minsu: Person, context: Context
) -> None:
    upload = await _photo(minsu, context, purpose="message")
    message = uuid4()
    await _attach(context, minsu, [upload["id"]], message, Purpose.MESSAGE)
    await _act(
        context,
        minsu,
        lambda work: media.release(work, kind=Purpose.MESSAGE, object_id=message),
    )
    await _run_jobs(context)
    assert await _objects(context, upload["id"]) == set()


async def test_what_nothing_holds_after_a_day_is_deleted(
    minsu: Person, context: Context, clock: MovableClock
) -> None:
    held, loose = [(await _photo(minsu, context))["id"] for _ in range(2)]
    [pending] = await _request(minsu, _file())
    await _put(minsu, pending)
    await _attach(context, minsu, [held], uuid4())
    clock.advance(timedelta(hours=23))
    await RUNNERS["media.sweep"](context, {})
    await _run_jobs(context)
    assert await _objects(context, loose) == {"thumb.jpg", "full.jpg"}
    clock.advance(timedelta(hours=1, seconds=1))
    await RUNNERS["media.sweep"](context, {})
    await _run_jobs(context)
    assert await _objects(context, loose) == set()
    assert await _objects(context, pending["id"]) == set()
    assert await _objects(context, held) == {"thumb.jpg", "full.jpg"}
    problem(await minsu.get(f"/v1/uploads/{loose}"), 404, "not_found")


async def test_the_sweep_starts_itself_again() -> None:
    assert "media.sweep" in {periodic.kind for periodic in PERIODIC}


async def test_a_processing_job_that_was_lost_is_revived(
    minsu: Person, context: Context, clock: MovableClock
) -> None:
    [upload] = await _request(minsu, _file())
    await _put(minsu, upload)
    await minsu.post(f"/v1/uploads/{upload['id']}/complete")

    async def lose(_context: Context, _payload: dict[str, Any]) -> None:
        return

    await Worker(context, {"media.process": lose}).run_due()
    clock.advance(timedelta(minutes=16))
    await RUNNERS["media.sweep"](context, {})
    await _run_jobs(context)
    assert (await minsu.get(f"/v1/uploads/{upload['id']}")).json()["state"] == "ready"


async def test_processing_twice_changes_nothing(minsu: Person, context: Context) -> None:
    upload = await _photo(minsu, context)
    await RUNNERS["media.process"](context, {"id": upload["id"]})
    assert (await minsu.get(f"/v1/uploads/{upload['id']}")).json() == upload


async def test_bytes_that_vanished_before_processing_are_a_failure(
    minsu: Person, context: Context
) -> None:
    [upload] = await _request(minsu, _file())
    await _put(minsu, upload)
    await minsu.post(f"/v1/uploads/{upload['id']}/complete")
    await context.wiring.port(ObjectStore).delete(f"originals/{upload['id']}")
    await _run_jobs(context)
    failed = (await minsu.get(f"/v1/uploads/{upload['id']}")).json()
    assert (failed["state"], failed["reason"]) == ("failed", "missing")


async def test_an_upload_deleted_while_it_is_processed_leaves_nothing(
    minsu: Person, context: Context, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    [upload] = await _request(minsu, _file())
    await _put(minsu, upload)
    await minsu.post(f"/v1/uploads/{upload['id']}/complete")
    store = context.wiring.port(ObjectStore)
    download = store.download

    async def sweep_then_download(key: str, target: Any) -> None:
        await download(key, target)
        clock.advance(timedelta(hours=25))
        await RUNNERS["media.sweep"](context, {})

    monkeypatch.setattr(store, "download", sweep_then_download)
    await RUNNERS["media.process"](context, {"id": upload["id"]})
    assert await _objects(context, upload["id"]) == set()


async def test_a_store_that_is_away_is_503_and_may_be_retried(
    minsu: Person, context: Context, sights: Sights, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await _photo(minsu, context)
    [pending] = await _request(minsu, _file())

    async def away(*_args: Any, **_options: Any) -> None:
        raise ObjectStoreError("away")

    store = context.wiring.port(ObjectStore)
    for name in ("presign_put", "presign_get", "head"):
        monkeypatch.setattr(store, name, away)
    for answer in (
        await minsu.post("/v1/uploads", {"purpose": "listing", "files": [_file()]}),
        await minsu.post(f"/v1/uploads/{pending['id']}/complete"),
        await minsu.get(f"/v1/photos/{upload['id']}/full"),
    ):
        assert problem(answer, 503, "object_store_unavailable")["retryable"] is True


async def test_sixty_uploads_an_hour_are_allowed(
    minsu: Person, jane: Person, context: Context, clock: MovableClock
) -> None:
    context.rates.enabled = True
    for _ in range(5):
        await _request(minsu, *[_file()] * 10)
    clock.advance(timedelta(minutes=20))
    await _request(minsu, *[_file()] * 9)
    refused = await minsu.post("/v1/uploads", {"purpose": "listing", "files": [_file()] * 2})
    body = problem(refused, 429, "rate_limited")
    assert body["retry_after_s"] == 40 * 60
    assert refused.headers["retry-after"] == str(40 * 60)
    await _request(minsu, _file())
    await _request(jane, _file())
    clock.advance(timedelta(minutes=40, seconds=1))
    await _request(minsu, *[_file()] * 10)


@pytest.mark.parametrize(
    "change",
    [
        {"content_type": "image/gif"},
        {"content_type": "image/svg+xml"},
        {"size": 0},
        {"size": 10 * 1024 * 1024 + 1},
        {"size": 1.5},
        {"sha256": "xyz"},
        {"sha256": "A" * 64},
        {"name": "n" * 256},
    ],
)
async def test_a_bad_declaration_is_refused(minsu: Person, change: dict[str, Any]) -> None:
    body = {"purpose": "listing", "files": [_file(**change)]}
    answer = await minsu.post("/v1/uploads", body)
    assert problem(answer, 422, "invalid")["errors"]


async def test_none_and_eleven_files_are_refused(minsu: Person) -> None:
    for count in (0, 11):
        body = {"purpose": "listing", "files": [_file()] * count}
        problem(await minsu.post("/v1/uploads", body), 422, "invalid")


async def test_asking_for_ten_uploads_costs_as_many_queries_as_for_one(
    minsu: Person, count_queries: Callable[[], Any]
) -> None:
    counts = []
    for files in (1, 10):
        with count_queries() as queries:
            await _request(minsu, *[_file()] * files)
        counts.append(queries.count)
    assert counts[0] == counts[1]
