"""From the outbox to the server: photos first, then the message, in order within each room."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from client_tui.core.clock import Chance, Clock, SystemClock, chance, full_jitter
from client_tui.core.errors import (
    TOO_SLOW,
    ClientError,
    Disconnected,
    Refused,
    StorageFailed,
    UploadFailed,
    in_passing,
)
from client_tui.core.outbox import Outbox, OutboxMessage, OutboxState
from client_tui.core.pause import Pause
from client_tui.core.session import Session
from client_tui.core.uploads import OnProgress, Outcome, Progress, Uploader
from shared_models.media import Purpose
from shared_models.realtime import Err, Ok

_log = logging.getLogger(__name__)

_DEAD_PHOTO: Final = {"photo_unknown", "photo_in_use", "photo_not_ready"}
"""An upload is gone, as the server drops what is not sent within a day, or is no good."""
SLOW_TRIES: Final = 3
"""How often in a run a message's photos are uploaded for a server that gets them ready too late."""
_FIRST_S: Final = 0.5
_MOST_S: Final = 30.0


class DeliveryListener:
    """Hears what becomes of each message, on the loop; override what is wanted."""

    def sent(self, message: OutboxMessage, ok: Ok) -> None:
        """The server has it; its own event comes before or after this (R3)."""

    def altered(self, message: OutboxMessage) -> None:
        """It is in another state (sending, failed, queued again) or a photo of it is up."""

    def progressed(self, message: OutboxMessage, progress: Progress) -> None:
        """A photo of it is on its way."""

    def stumbled(self, error: Exception) -> None:
        """Something on this machine failed, such as its disk; it is tried again by itself."""


class Delivery:
    """Drains an outbox while its session is online. ``await delivery.run()`` until cancelled."""

    def __init__(
        self,
        outbox: Outbox,
        session: Session,
        uploader: Uploader,
        *,
        listener: DeliveryListener | None = None,
        clock: Clock | None = None,
        chance: Chance = chance,
    ) -> None:
        self.listener = listener or DeliveryListener()
        self._outbox = outbox
        self._session = session
        self._uploader = uploader
        self._pauses = Pause(clock or SystemClock())
        self._chance = chance
        self._wake = asyncio.Event()
        self._uploaded_again: set[UUID] = set()
        self._too_slow: Counter[UUID] = Counter()
        """How often the server was too slow with the photos of each message."""

    def wake(self) -> None:
        """Something was put into the outbox or is to be tried again."""
        self._wake.set()

    def retry_now(self) -> None:
        """Do not wait any longer for the next try of what stumbles."""
        self._pauses.cut_short()

    async def run(self) -> None:
        """One worker for each room with something to send, all at once."""
        at_work: dict[UUID, asyncio.Task[None]] = {}
        try:
            while True:
                for room_id in await self._rooms():
                    worker = at_work.get(room_id)
                    if worker is None or worker.done():
                        at_work[room_id] = asyncio.create_task(self._drain(room_id))
                        at_work[room_id].add_done_callback(self._drained)
                await self._wake.wait()
        finally:
            for worker in at_work.values():
                worker.cancel()
            await asyncio.gather(*at_work.values(), return_exceptions=True)

    async def _rooms(self) -> list[UUID]:
        """The rooms with something to send, however often it takes to read them."""
        attempt = 0
        while True:
            self._wake.clear()
            try:
                return await self._outbox.rooms()
            except Exception as error:  # noqa: BLE001 - it is told, and what waits must still go
                self._stumble(error, again=attempt > 0)
            await self._pause(attempt, _FIRST_S)
            attempt += 1

    def _drained(self, worker: asyncio.Task[None]) -> None:
        """Look again: something may have been written between the last look and the end."""
        if not worker.cancelled():
            self._wake.set()

    async def _drain(self, room_id: UUID) -> None:
        attempt, stumbled = 0, False
        while True:
            await self._session.wait_online()
            try:
                message = await self._outbox.next(room_id)
                if message is None:
                    return
                wait_s = await self._deliver(message)
            except Exception as error:  # noqa: BLE001 - it is told, and what waits must still go
                self._stumble(error, again=stumbled)
                stumbled, wait_s = True, _FIRST_S
            if wait_s is None:
                attempt, stumbled = 0, False
                continue
            await self._pause(attempt, wait_s)
            attempt += 1

    async def _pause(self, attempt: int, wait_s: float) -> None:
        jitter = full_jitter(attempt, first=_FIRST_S, most=_MOST_S, chance=self._chance)
        await self._pauses.wait(max(wait_s, jitter))

    def _stumble(self, error: Exception, *, again: bool) -> None:
        """Nothing that fails here may end the delivery. It is told once, and logged each time."""
        _log.error("a message could not be delivered yet", exc_info=error)
        if not again:
            self.listener.stumbled(error)

    async def _deliver(self, message: OutboxMessage) -> float | None:
        """Try once. None: go on. Seconds: nothing was lost, try again after at least these."""
        tried_before = message.state is OutboxState.SENDING
        try:
            await self._upload_photos(message)
            leaving = await self._outbox.sending(message.cid)
            if leaving is None:
                return None
            message = leaving
            self.listener.altered(message)
            answer = await self._session.send(
                message.room_id,
                message.cid,
                message.text,
                [photo.upload_id for photo in message.photos if photo.upload_id],
                confirmed=message.confirmed,
            )
        except Disconnected:
            return 0.0
        except StorageFailed:
            raise
        except ClientError as error:
            return await self._trouble(message, error)
        if isinstance(answer, Ok):
            await self._outbox.done(message.cid)
            self._uploaded_again.discard(message.cid)
            self._too_slow.pop(message.cid, None)
            self.listener.sent(message, answer)
            return None
        return await self._refused(message, answer, tried_before=tried_before)

    async def _refused(
        self, message: OutboxMessage, answer: Err, *, tried_before: bool
    ) -> float | None:
        if answer.retryable:
            # This try was not stored. One whose answer was lost may have been.
            if not tried_before:
                queued = await self._outbox.not_stored(message.cid)
                if queued is not None:
                    self.listener.altered(queued)
            return (answer.retry_ms or 0) / 1000
        if answer.code in _DEAD_PHOTO:
            await self._outbox.forget_uploads(message.cid, message.photos)
            if message.cid not in self._uploaded_again:
                self._uploaded_again.add(message.cid)
                return 0.0
            self._uploaded_again.discard(message.cid)
        await self._fail(message, answer.code, answer.detail)
        return None

    async def _trouble(self, message: OutboxMessage, error: ClientError) -> float | None:
        """Something about the photos, or only about the way to the server."""
        if in_passing(error):
            wait_s = error.retry_after_s if isinstance(error, Refused) else None
            return wait_s or _FIRST_S
        code = error.code if isinstance(error, Refused) else "photo_failed"
        await self._fail(message, code, str(error))
        return None

    async def _fail(self, message: OutboxMessage, code: str, reason: str) -> None:
        failed = await self._outbox.failed(message.cid, code, reason)
        if failed is not None:
            self.listener.altered(failed)

    async def _upload_photos(self, message: OutboxMessage) -> None:
        """Upload what is not up yet and remember it; raises the first photo's error."""
        missing = [i for i, photo in enumerate(message.photos) if photo.upload_id is None]
        if not missing:
            return
        outcomes = await self._uploader.upload(
            Purpose.MESSAGE,
            [message.photos[i].path for i in missing],
            self._progress_of(message, missing),
        )
        await self._remember(message, missing, self._given_up(message.cid, outcomes))

    def _given_up(self, cid: UUID, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """The outcomes, where a server that is too slow each time is so for good.

        Each try sends the whole file anew, of which the server takes so many an hour, and the rest
        of the room waits behind it.
        """
        if not any(_is_slow(outcome.error) for outcome in outcomes):
            return outcomes
        self._too_slow[cid] += 1
        if self._too_slow[cid] < SLOW_TRIES:
            return outcomes
        del self._too_slow[cid]  # who sends it again by hand begins anew
        return [
            replace(outcome, error=UploadFailed("given_up", str(outcome.error)))
            if _is_slow(outcome.error)
            else outcome
            for outcome in outcomes
        ]

    async def _remember(
        self, message: OutboxMessage, missing: Sequence[int], outcomes: Sequence[Outcome]
    ) -> None:
        photos = list(message.photos)
        for i, outcome in zip(missing, outcomes, strict=True):
            photos[i] = replace(
                photos[i],
                upload_id=outcome.photo.id if outcome.photo else None,
                failure=_failure(outcome.error),
            )
        now = await self._outbox.uploaded(message.cid, photos)
        still_to_go = (
            {photo.origin for photo in now.photos if not photo.upload_id} if now else set()
        )
        for i, outcome in zip(missing, outcomes, strict=True):
            if outcome.error is not None and photos[i].origin in still_to_go:
                raise outcome.error

    def _progress_of(self, message: OutboxMessage, missing: Sequence[int]) -> OnProgress:
        """Progress counted by the photo's place in the message."""

        def tell(progress: Progress) -> None:
            self.listener.progressed(message, replace(progress, index=missing[progress.index]))

        return tell


def _failure(error: ClientError | None) -> str | None:
    """Why a photo did not come through, where it is the photo's fault."""
    return None if error is None or in_passing(error) else str(error)


def _is_slow(error: ClientError | None) -> bool:
    """Whether an upload got no photo in time."""
    return isinstance(error, UploadFailed) and error.reason == TOO_SLOW
