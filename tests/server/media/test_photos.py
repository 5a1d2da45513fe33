"""Who may see a photo, and what it hangs on, on both databases."""

import asyncio
import io
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from PIL import Image

from server.media import api as media
from server.platform.clock import MovableClock
from server.platform.context import Context
from shared_models.media import Purpose
from tests.server.conftest import Person, problem
from tests.server.media import pictures
from tests.server.media.uploading import (
    Sights,
    act,
    ask,
    attach,
    declared,
    make_photo,
    objects_of,
    run_jobs,
)


async def test_no_metadata_reaches_who_looks_at_the_photo(
    minsu: Person, context: Context, sights: Sights
) -> None:
    upload = await make_photo(minsu, context, pictures.with_private_data(orientation=6))
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
    upload = await make_photo(minsu, context)
    redirect = await minsu.get(f"/v1/photos/{upload['id']}/thumb")
    assert redirect.status_code == 302
    assert redirect.headers["cache-control"] == "private, no-store"
    location = redirect.headers["location"]
    seen = await minsu.client.get(location)
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    assert (await minsu.client.get(location.partition("?")[0])).status_code == 403
    original = location.replace(f"photos/{upload['id']}/thumb.jpg", f"originals/{upload['id']}")
    assert (await minsu.client.get(original)).status_code == 403
    clock.advance(timedelta(seconds=361))
    assert (await minsu.client.get(location)).status_code == 403


async def test_without_a_token_every_path_is_401(minsu: Person, context: Context) -> None:
    upload = await make_photo(minsu, context)
    for path in (
        f"/v1/uploads/{upload['id']}",
        f"/v1/photos/{upload['id']}/thumb",
        f"/v1/photos/{upload['id']}/full",
    ):
        problem(await minsu.client.get(path), 401, "unauthenticated")


async def test_a_stranger_sees_neither_upload_nor_unattached_photo(
    minsu: Person, jane: Person, context: Context, sights: Sights
) -> None:
    upload = await make_photo(minsu, context)
    [pending] = await ask(minsu, declared())
    for id_ in (upload["id"], pending["id"]):
        problem(await jane.get(f"/v1/uploads/{id_}"), 404, "not_found")
        problem(await jane.post(f"/v1/uploads/{id_}/complete"), 404, "not_found")
        problem(await jane.get(f"/v1/photos/{id_}/thumb"), 404, "not_found")
        problem(await jane.get(f"/v1/photos/{id_}/full"), 404, "not_found")


@pytest.mark.parametrize("kind", ["listing", "message", "avatar"])
async def test_who_sees_the_object_sees_its_photos(
    minsu: Person, jane: Person, context: Context, sights: Sights, kind: str
) -> None:
    upload = await make_photo(minsu, context, purpose=kind)
    object_id = uuid4()
    await attach(context, minsu, [upload["id"]], object_id, Purpose(kind))
    path = f"/v1/photos/{upload['id']}/thumb"
    problem(await jane.get(path), 404, "not_found")
    sights.visible.add((kind, object_id, jane.id))
    assert (await jane.get(path)).status_code == 302
    problem(await minsu.get(path), 404, "not_found")


async def test_photos_are_attached_in_the_order_given(minsu: Person, context: Context) -> None:
    ids = [(await make_photo(minsu, context))["id"] for _ in range(3)]
    listing = uuid4()
    wanted = [ids[2], ids[0], ids[1]]
    photos = await attach(context, minsu, wanted, listing)
    assert [photo["id"] for photo in photos] == wanted
    assert photos[0]["thumb_url"] == f"/v1/photos/{ids[2]}/thumb"
    again = await attach(context, minsu, wanted, listing)
    assert again == photos


async def test_a_photo_belongs_to_one_object(minsu: Person, context: Context) -> None:
    upload = await make_photo(minsu, context)
    await attach(context, minsu, [upload["id"]], uuid4())
    with pytest.raises(Exception, match="photo_in_use"):
        await attach(context, minsu, [upload["id"]], uuid4())


async def test_of_two_objects_that_want_a_photo_at_once_one_gets_it(
    minsu: Person, context: Context
) -> None:
    upload = await make_photo(minsu, context)
    attempts = await asyncio.gather(
        *(attach(context, minsu, [upload["id"]], uuid4()) for _ in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(attempt, list) for attempt in attempts) == 1
    assert sum("photo_in_use" in str(attempt) for attempt in attempts) == 7


async def test_what_may_not_be_attached_is_refused_and_nothing_is_attached(
    minsu: Person, jane: Person, context: Context, sights: Sights
) -> None:
    mine = (await make_photo(minsu, context))["id"]
    theirs = (await make_photo(jane, context))["id"]
    avatar = (await make_photo(minsu, context, purpose="avatar"))["id"]
    failed = (await make_photo(minsu, context, b"no picture"))["id"]
    [pending] = await ask(minsu, declared())
    for ids, code in (
        ([mine, theirs], "photo_unknown"),
        ([mine, str(uuid4())], "photo_unknown"),
        ([mine, avatar], "photo_wrong_purpose"),
        ([mine, failed], "photo_not_ready"),
        ([mine, pending["id"]], "photo_not_ready"),
        ([mine, mine], "photo_twice"),
    ):
        with pytest.raises(Exception, match=code):
            await attach(context, minsu, ids, uuid4())
    assert len(await attach(context, minsu, [mine], uuid4())) == 1


async def test_photos_that_are_replaced_leave_the_store(minsu: Person, context: Context) -> None:
    old, kept, new = [(await make_photo(minsu, context))["id"] for _ in range(3)]
    listing = uuid4()
    await attach(context, minsu, [old, kept], listing)
    photos = await act(
        context,
        minsu,
        lambda work: media.replace(
            work, minsu.id, [UUID(new), UUID(kept)], kind=Purpose.LISTING, object_id=listing
        ),
    )
    assert [photo["id"] for photo in photos] == [new, kept]
    await run_jobs(context)
    assert await objects_of(context, old) == set()
    assert await objects_of(context, kept) == {"thumb.jpg", "full.jpg"}
    problem(await minsu.get(f"/v1/uploads/{old}"), 404, "not_found")


async def test_photos_of_an_object_that_is_gone_leave_the_store(
    minsu: Person, context: Context
) -> None:
    upload = await make_photo(minsu, context, purpose="message")
    message = uuid4()
    await attach(context, minsu, [upload["id"]], message, Purpose.MESSAGE)
    await act(
        context,
        minsu,
        lambda work: media.release(work, kind=Purpose.MESSAGE, object_id=message),
    )
    await run_jobs(context)
    assert await objects_of(context, upload["id"]) == set()
