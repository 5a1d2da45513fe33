"""A delivery whose line and uploads are led by the test."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

from client_tui.core.delivery import Delivery, DeliveryListener
from client_tui.core.outbox import Outbox, OutboxMessage, OutboxState
from client_tui.core.session import Session
from client_tui.core.uploads import OnProgress, Outcome, Phase, Progress, Uploader
from shared_models.media import Photo, Purpose
from shared_models.realtime import Err, Ok
from tests.client.core.fakes import START, Ears, FakeClock, meanwhile

QUIET_ROOM = UUID(int=99)
Answer = Callable[[dict[str, Any]], Ok | Err | Exception]


def accepted(sent: dict[str, Any]) -> Ok:
    return Ok(
        id="1",
        chatroom_id=sent["room"],
        cid=sent["cid"],
        seq=1,
        message_id=uuid4(),
        created_at=START,
        duplicate=False,
    )


def refused(code: str, *, retry_ms: int | None = None) -> Answer:
    return lambda sent: Err(
        code=code, retryable=retry_ms is not None, retry_ms=retry_ms, detail=f"Told: {code}."
    )


class FakeSession:
    """A line that takes messages and answers as a test wants."""

    def __init__(self) -> None:
        self.online = asyncio.Event()
        self.online.set()
        self.sent: list[dict[str, Any]] = []
        self.answers: list[Answer] = []

    async def wait_online(self) -> None:
        await self.online.wait()

    async def send(
        self,
        room: UUID,
        cid: UUID,
        text: str,
        photo_ids: Sequence[UUID] = (),
        *,
        confirmed: bool = False,
    ) -> Ok | Err:
        sent = {
            "room": room,
            "cid": cid,
            "text": text,
            "photos": list(photo_ids),
            "confirmed": confirmed,
        }
        self.sent.append(sent)
        answer = (self.answers.pop(0) if self.answers else accepted)(sent)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def texts(self) -> list[str]:
        return [str(sent["text"]) for sent in self.sent]


class FakeUploader:
    """Uploads everything, except what a test has given an error."""

    def __init__(self) -> None:
        self.asked: list[list[Path]] = []
        self.errors: dict[str, Exception] = {}

    async def upload(
        self, purpose: Purpose, paths: Sequence[Path], on_progress: OnProgress
    ) -> list[Outcome]:
        assert purpose is Purpose.MESSAGE
        self.asked.append(list(paths))
        outcomes = []
        for index, path in enumerate(paths):
            error: Any = self.errors.pop(path.name, None)
            on_progress(Progress(index, path, Phase.FAILED if error else Phase.READY))
            photo = Photo(id=uuid4(), width=1, height=1, placeholder="", thumb_url="", full_url="")
            outcomes.append(Outcome(path, None if error else photo, error))
        return outcomes


class Heard(Ears, DeliveryListener):
    def __init__(self) -> None:
        super().__init__()
        self.done: list[OutboxMessage] = []
        self.states: list[OutboxState] = []
        self.photos: list[Progress] = []
        self.stumbles: list[Exception] = []

    def sent(self, message: OutboxMessage, ok: Ok) -> None:
        self.done.append(message)
        self.hear()

    def altered(self, message: OutboxMessage) -> None:
        self.states.append(message.state)
        self.hear()

    def progressed(self, message: OutboxMessage, progress: Progress) -> None:
        self.photos.append(progress)

    def stumbled(self, error: Exception) -> None:
        self.stumbles.append(error)
        self.hear()


class World:
    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.session = FakeSession()
        self.uploader = FakeUploader()
        self.clock = FakeClock()
        self.heard = Heard()
        self.delivery = Delivery(
            outbox,
            cast(Session, self.session),
            cast(Uploader, self.uploader),
            listener=self.heard,
            clock=self.clock,
            chance=lambda: 1.0,
        )

    def running(self) -> AbstractAsyncContextManager[None]:
        return meanwhile(self.delivery.run())

    async def until_sent(self, count: int) -> None:
        await self.heard.until(lambda: len(self.heard.done) >= count)


@asynccontextmanager
async def delivering(folder: Path) -> AsyncIterator[World]:
    """A world with an outbox of its own."""
    outbox = await Outbox(folder / "outbox.db").open()
    yield World(outbox)
    await outbox.close()
