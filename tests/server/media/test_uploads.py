"""From the presigned PUT to a photo, on both databases."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy import select

from server.media.jobs import PERIODIC, RUNNERS
from server.media.service import PROCESS
from server.media.tables import Upload
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.jobs import Worker
from server.platform.object_store import ObjectStore, ObjectStoreError
from server.platform.tables import Job
from server.platform.unit_of_work import reading
from tests.server.conftest import Person, problem
from tests.server.media import pictures
from tests.server.media.uploading import (
    PICTURE,
    Sights,
    ask,
    attach,
    declared,
    make_photo,
    objects_of,
    put,
    run_jobs,
)


async def test_an_upload_goes_from_pending_to_a_photo(minsu: Person, context: Context) -> None:
    [upload] = await ask(minsu, declared())
    assert upload["state"] == "pending"
    assert (await put(minsu, upload)).status_code == 200
    completed = await minsu.post(f"/v1/uploads/{upload['id']}/complete")
    assert completed.json()["state"] == "processing"
    await run_jobs(context)
    ready = (await minsu.get(f"/v1/uploads/{upload['id']}")).json()
    assert ready["state"] == "ready"
    photo = ready["photo"]
    assert (photo["id"], photo["width"], photo["height"]) == (upload["id"], 400, 300)
    assert photo["placeholder"].startswith("8x6:")
    assert photo["thumb_url"] == f"/v1/photos/{upload['id']}/thumb"
    assert photo["full_url"] == f"/v1/photos/{upload['id']}/full"


async def test_the_put_binds_exactly_what_was_declared(minsu: Person) -> None:
    [upload] = await ask(minsu, declared())
    headers = upload["put"]["headers"]
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["Content-Length"] == str(len(PICTURE))
    assert (await put(minsu, upload, PICTURE + b"!")).status_code in (400, 403)
    assert (await put(minsu, upload, PICTURE[::-1])).status_code == 400


async def test_many_files_are_answered_in_their_order(minsu: Person, context: Context) -> None:
    data = [pictures.jpeg(100 + number, 100) for number in range(10)]
    uploads = await ask(minsu, *(declared(one) for one in data))
    await asyncio.gather(*(put(minsu, *pair) for pair in zip(uploads, data, strict=True)))
    for upload in uploads:
        await minsu.post(f"/v1/uploads/{upload['id']}/complete")
    await run_jobs(context)
    widths = [
        (await minsu.get(f"/v1/uploads/{upload['id']}")).json()["photo"]["width"]
        for upload in uploads
    ]
    assert widths == [100 + number for number in range(10)]


async def test_a_picture_of_many_megabytes_fits(minsu: Person, context: Context) -> None:
    noise = pictures.encoded(Image.effect_noise((3200, 3200), 200), "PNG")
    assert 5_000_000 < len(noise) < 10 * 1024 * 1024
    assert (await make_photo(minsu, context, noise, content_type="image/png"))["state"] == "ready"


async def test_complete_before_the_bytes_are_there_is_refused(minsu: Person) -> None:
    [upload] = await ask(minsu, declared())
    answer = await minsu.post(f"/v1/uploads/{upload['id']}/complete")
    body = problem(answer, 409, "not_uploaded")
    assert body["current"]["state"] == "pending"
    assert (await minsu.get(f"/v1/uploads/{upload['id']}")).json()["state"] == "pending"


async def test_complete_may_be_repeated_at_any_time(minsu: Person, context: Context) -> None:
    [upload] = await ask(minsu, declared())
    await put(minsu, upload)
    path = f"/v1/uploads/{upload['id']}/complete"
    answers = await asyncio.gather(*(minsu.post(path) for _ in range(5)))
    assert {answer.json()["state"] for answer in answers} == {"processing"}
    await run_jobs(context)
    assert (await minsu.post(path)).json()["state"] == "ready"
    assert await objects_of(context, upload["id"]) == {"thumb.jpg", "full.jpg"}


async def test_the_same_idempotency_key_makes_one_upload(minsu: Person, context: Context) -> None:
    body = {"purpose": "listing", "files": [declared()]}
    headers = {"Idempotency-Key": str(uuid4())}
    first = await minsu.post("/v1/uploads", body, headers=headers)
    again = await minsu.post("/v1/uploads", body, headers=headers)
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json() == first.json()
    async with reading(context) as work:
        assert len(await work.rows(select(Upload.id))) == 1


async def test_the_original_is_gone_after_processing(minsu: Person, context: Context) -> None:
    upload = await make_photo(minsu, context)
    assert await objects_of(context, upload["id"]) == {"thumb.jpg", "full.jpg"}


async def test_an_original_that_was_put_again_later_goes_when_its_url_is_dead(
    minsu: Person, context: Context, clock: MovableClock
) -> None:
    [upload] = await ask(minsu, declared())
    await put(minsu, upload)
    await minsu.post(f"/v1/uploads/{upload['id']}/complete")
    await run_jobs(context)
    assert (await put(minsu, upload)).status_code == 200
    clock.advance(timedelta(minutes=17))
    await run_jobs(context)
    assert await objects_of(context, upload["id"]) == {"thumb.jpg", "full.jpg"}
    assert (await put(minsu, upload)).status_code == 403


async def test_hostile_files_end_as_failed_with_their_reasons(
    minsu: Person, context: Context
) -> None:
    hostile = {
        "truncated": PICTURE[:-300],
        "type_mismatch": pictures.png(),
        "unsupported_type": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "polyglot": PICTURE + pictures.archive(),
        "too_many_pixels": pictures.jpeg_claiming(10_000, 10_000),
        "not_an_image": b"just words",
    }
    for reason, data in hostile.items():
        upload = await make_photo(minsu, context, data)
        assert (upload["state"], upload["reason"], upload.get("photo")) == ("failed", reason, None)
        assert await objects_of(context, upload["id"]) == set()
        assert (await minsu.get(f"/v1/photos/{upload['id']}/thumb")).status_code == 404
    assert (await make_photo(minsu, context))["state"] == "ready"


async def test_what_nothing_holds_after_a_day_is_deleted(
    minsu: Person, context: Context, clock: MovableClock
) -> None:
    held, loose = [(await make_photo(minsu, context))["id"] for _ in range(2)]
    [pending] = await ask(minsu, declared())
    await put(minsu, pending)
    await attach(context, minsu, [held], uuid4())
    clock.advance(timedelta(hours=23))
    await RUNNERS["media.sweep"](context, {})
    await run_jobs(context)
    assert await objects_of(context, loose) == {"thumb.jpg", "full.jpg"}
    clock.advance(timedelta(hours=1, seconds=1))
    await RUNNERS["media.sweep"](context, {})
    await run_jobs(context)
    assert await objects_of(context, loose) == set()
    assert await objects_of(context, pending["id"]) == set()
    assert await objects_of(context, held) == {"thumb.jpg", "full.jpg"}
    problem(await minsu.get(f"/v1/uploads/{loose}"), 404, "not_found")


async def test_the_sweep_starts_itself_again() -> None:
    assert "media.sweep" in {periodic.kind for periodic in PERIODIC}


async def test_a_processing_job_that_was_lost_is_revived(
    minsu: Person, context: Context, clock: MovableClock
) -> None:
    [upload] = await ask(minsu, declared())
    await put(minsu, upload)
    await minsu.post(f"/v1/uploads/{upload['id']}/complete")

    async def lose(_context: Context, _payload: dict[str, Any]) -> None:
        return

    await Worker(context, {"media.process": lose}).run_due()
    clock.advance(timedelta(minutes=16))
    await RUNNERS["media.sweep"](context, {})
    await run_jobs(context)
    assert (await minsu.get(f"/v1/uploads/{upload['id']}")).json()["state"] == "ready"


async def test_a_processing_job_that_is_tried_again_gets_no_second_one_beside_it(
    minsu: Person, context: Context, clock: MovableClock
) -> None:
    """It may go on for two hours, each time with a longer pause."""
    [upload] = await ask(minsu, declared())
    await put(minsu, upload)
    await minsu.post(f"/v1/uploads/{upload['id']}/complete")

    async def fail(_context: Context, _payload: dict[str, Any]) -> None:
        raise RuntimeError("the store is away")

    for _ in range(2):
        assert await Worker(context, {PROCESS: fail}).run_due() == 1
        clock.advance(timedelta(minutes=16))
        await RUNNERS["media.sweep"](context, {})
    async with reading(context) as work:
        jobs = await work.rows(select(Job.attempts).where(Job.kind == PROCESS))
    assert [job.attempts for job in jobs] == [2]


async def test_processing_twice_changes_nothing(minsu: Person, context: Context) -> None:
    upload = await make_photo(minsu, context)
    await RUNNERS["media.process"](context, {"id": upload["id"], **declared()})
    assert (await minsu.get(f"/v1/uploads/{upload['id']}")).json() == upload


async def test_bytes_that_vanished_before_processing_are_a_failure(
    minsu: Person, context: Context
) -> None:
    [upload] = await ask(minsu, declared())
    await put(minsu, upload)
    await minsu.post(f"/v1/uploads/{upload['id']}/complete")
    await context.wiring.port(ObjectStore).delete(f"originals/{upload['id']}")
    await run_jobs(context)
    failed = (await minsu.get(f"/v1/uploads/{upload['id']}")).json()
    assert (failed["state"], failed["reason"]) == ("failed", "missing")


async def test_an_upload_deleted_while_it_is_processed_leaves_nothing(
    minsu: Person, context: Context, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    [upload] = await ask(minsu, declared())
    await put(minsu, upload)
    await minsu.post(f"/v1/uploads/{upload['id']}/complete")
    store = context.wiring.port(ObjectStore)
    download = store.download

    async def sweep_then_download(key: str, target: Any) -> None:
        await download(key, target)
        clock.advance(timedelta(hours=25))
        await RUNNERS["media.sweep"](context, {})

    monkeypatch.setattr(store, "download", sweep_then_download)
    await RUNNERS["media.process"](context, {"id": upload["id"], **declared()})
    await run_jobs(context)
    assert await objects_of(context, upload["id"]) == set()


async def test_a_store_that_is_away_is_503_and_may_be_retried(
    minsu: Person, context: Context, sights: Sights, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await make_photo(minsu, context)
    [pending] = await ask(minsu, declared())

    async def away(*_args: Any, **_options: Any) -> None:
        raise ObjectStoreError("away")

    store = context.wiring.port(ObjectStore)
    for name in ("presign_put", "presign_get", "head"):
        monkeypatch.setattr(store, name, away)
    for answer in (
        await minsu.post("/v1/uploads", {"purpose": "listing", "files": [declared()]}),
        await minsu.post(f"/v1/uploads/{pending['id']}/complete"),
        await minsu.get(f"/v1/photos/{upload['id']}/full"),
    ):
        assert problem(answer, 503, "object_store_unavailable")["retryable"] is True


async def test_sixty_uploads_an_hour_are_allowed(
    minsu: Person, jane: Person, context: Context, clock: MovableClock
) -> None:
    context.rates.enabled = True
    for _ in range(5):
        await ask(minsu, *[declared()] * 10)
    clock.advance(timedelta(minutes=20))
    await ask(minsu, *[declared()] * 9)
    refused = await minsu.post("/v1/uploads", {"purpose": "listing", "files": [declared()] * 2})
    body = problem(refused, 429, "rate_limited")
    assert body["retry_after_s"] == 40 * 60
    assert refused.headers["retry-after"] == str(40 * 60)
    await ask(minsu, declared())
    await ask(jane, declared())
    clock.advance(timedelta(minutes=40, seconds=1))
    await ask(minsu, *[declared()] * 10)


@pytest.mark.usefixtures("no_deadlocks")
async def test_sixty_uploads_an_hour_are_allowed_however_many_ask_at_once(
    minsu: Person, context: Context
) -> None:
    context.rates.enabled = True
    body = {"purpose": "listing", "files": [declared()] * 10}
    answers = await asyncio.gather(*(minsu.post("/v1/uploads", body) for _ in range(14)))
    assert sorted(answer.status_code for answer in answers) == [201] * 6 + [429] * 8


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
    body = {"purpose": "listing", "files": [declared(**change)]}
    answer = await minsu.post("/v1/uploads", body)
    assert problem(answer, 422, "invalid")["errors"]


async def test_none_and_eleven_files_are_refused(minsu: Person) -> None:
    for count in (0, 11):
        body = {"purpose": "listing", "files": [declared()] * count}
        problem(await minsu.post("/v1/uploads", body), 422, "invalid")


async def test_asking_for_ten_uploads_costs_as_many_queries_as_for_one(
    minsu: Person, count_queries: Callable[[], Any]
) -> None:
    counts = []
    for files in (1, 10):
        with count_queries() as queries:
            await ask(minsu, *[declared()] * files)
        counts.append(queries.count)
    assert counts[0] == counts[1]
