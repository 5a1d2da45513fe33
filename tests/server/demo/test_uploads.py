"""The store may fail in passing, and the pictures of the demo arrive all the same."""

import httpx
import pytest

from server.app.demo import uploads
from server.app.demo.pictures import Picture
from server.app.demo.uploads import put_picture
from server.app.demo.visitor import SeedingFailed

PICTURE = Picture("guitar-1.jpg", "image/jpeg", b"a guitar")
PUT = {"url": "http://store/guitar", "headers": {"Content-Type": "image/jpeg"}}


class Store:
    """Answers each PUT with the next of some statuses, the last one for ever."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.bodies: list[bytes] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(await request.aread())
        left = self._statuses
        return httpx.Response(left.pop(0) if len(left) > 1 else left[0])

    async def put(self) -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(self)) as client:
            await put_picture(client, PICTURE, PUT)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_PAUSES_S", (0, 0, 0))


async def test_what_failed_in_passing_is_put_again() -> None:
    store = Store(500, 503, 200)
    await store.put()
    assert store.bodies == [PICTURE.data] * 3


async def test_a_store_that_goes_on_failing_ends_the_seeding() -> None:
    store = Store(500)
    with pytest.raises(SeedingFailed, match=r"PUT guitar-1\.jpg: 500"):
        await store.put()
    assert len(store.bodies) == 4


async def test_a_refusal_is_not_repeated() -> None:
    store = Store(403)
    with pytest.raises(SeedingFailed, match="403"):
        await store.put()
    assert len(store.bodies) == 1
