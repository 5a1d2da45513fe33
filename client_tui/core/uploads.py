"""Photos from a path to an attachable id: checked here, sent to the store, completed, waited for.

The bytes go to the object store and nowhere else (rule 5): three at once, four tries each.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

import httpx

from client_tui.core.api import Api
from client_tui.core.clock import Chance, Clock, SystemClock, chance, full_jitter
from client_tui.core.errors import (
    TOO_SLOW,
    BadFile,
    ClientError,
    Refused,
    ServerUnreachable,
    UploadFailed,
)
from shared_models import bounds
from shared_models.media import Photo, Purpose, Upload, UploadFile, UploadRequest, UploadState
from shared_models.photo_failures import failure_text

AT_ONCE: Final = 3
TRIES: Final = 4
READY_WITHIN_S: Final = 120.0
_CHUNK: Final = 64 * 1024
_HEAD: Final = 16


class Phase(StrEnum):
    """Where a photo is."""

    CHECKING = "checking"
    SENDING = "sending"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far photo ``index`` of an upload is; ``reason`` (for people) when it failed."""

    index: int
    path: Path
    phase: Phase
    sent: int = 0
    size: int = 0
    reason: str = ""

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1; the server's part is the last tenth."""
        if self.phase is Phase.SENDING:
            return 0.9 * self.sent / max(1, self.size)
        return {Phase.PROCESSING: 0.95, Phase.READY: 1.0}.get(self.phase, 0.0)


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that the server will take, as far as one can see from here."""

    path: Path
    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: a photo or an error, never both."""

    path: Path
    photo: Photo | None = None
    error: ClientError | None = None


OnProgress = Callable[[Progress], None]


def check_file(path: Path, *, bytes_max: int = bounds.PHOTO_BYTES_MAX) -> CheckedFile:
    """Look at a file before anything is sent; raises :class:`BadFile` with what is wrong.

    Reads the whole file: call it off the loop.
    """
    try:
        if path.is_dir():
            raise BadFile(f"{path.name} is a folder, not a picture.")
        size = path.stat().st_size
        if size > bytes_max:
            raise BadFile(
                f"{path.name} has {size / 1e6:.1f} MB; a picture may have {bytes_max / 1e6:.0f} MB."
            )
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise BadFile(f"There is no file {path}.") from error
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.") from error
    if not content:
        raise BadFile(f"{path.name} is empty.")
    content_type = _content_type(content[:_HEAD])
    if content_type is None:
        raise BadFile(f"{path.name} is no JPEG, PNG or WebP picture.")
    return CheckedFile(path, content_type, len(content), hashlib.sha256(content).hexdigest())


def _content_type(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return None


class Uploader:
    """Uploads files for one account."""

    def __init__(
        self,
        api: Api,
        *,
        clock: Clock | None = None,
        chance: Chance = chance,
        bytes_max: int = bounds.PHOTO_BYTES_MAX,
    ) -> None:
        self._api = api
        self._clock = clock or SystemClock()
        self._chance = chance
        self._bytes_max = bytes_max
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def photos(
        self, purpose: Purpose, paths: Sequence[Path], on_progress: OnProgress | None = None
    ) -> list[Photo]:
        """All of them or the first error; files already up stay unattached and go by themselves."""
        photos = []
        for outcome in await self.upload(purpose, paths, on_progress):
            if outcome.error is not None:
                raise outcome.error
            assert outcome.photo is not None
            photos.append(outcome.photo)
        return photos

    async def upload(
        self, purpose: Purpose, paths: Sequence[Path], on_progress: OnProgress | None = None
    ) -> list[Outcome]:
        """Each file's outcome, in the order of ``paths``; one that fails stops no other."""
        tell = on_progress or _ignore
        return list(
            await asyncio.gather(
                *(self._one(purpose, index, path, tell) for index, path in enumerate(paths))
            )
        )

    async def _one(self, purpose: Purpose, index: int, path: Path, tell: OnProgress) -> Outcome:
        progress = Progress(index, path, Phase.CHECKING)
        try:
            async with self._slots:
                tell(progress)
                file = await asyncio.to_thread(check_file, path, bytes_max=self._bytes_max)
                progress = replace(progress, phase=Phase.SENDING, size=file.size)
                sending = progress
                upload = await self._send(
                    purpose, file, lambda sent: tell(replace(sending, sent=sent))
                )
            progress = replace(progress, phase=Phase.PROCESSING, sent=file.size)
            tell(progress)
            photo = await self._ready(upload)
        except ClientError as error:
            tell(replace(progress, phase=Phase.FAILED, reason=str(error)))
            return Outcome(path, error=error)
        tell(replace(progress, phase=Phase.READY))
        return Outcome(path, photo=photo)

    async def _send(
        self, purpose: Purpose, file: CheckedFile, sent: Callable[[int], None]
    ) -> Upload:
        """Presign, put and complete; a place that has expired or got lost is asked for again."""
        upload = await self._presign(purpose, file)
        for attempt in range(TRIES):
            sent(0)
            try:
                await self._put(upload, file, sent)
                return await self._api.complete_upload(upload.id)
            except _Expired:
                upload = await self._presign(purpose, file)
            except ServerUnreachable:
                if attempt == TRIES - 1:
                    raise
            except Refused as error:
                if attempt == TRIES - 1 or not (error.retryable or error.code == "not_uploaded"):
                    raise
            await self._clock.sleep(full_jitter(attempt, first=0.5, most=8.0, chance=self._chance))
        raise UploadFailed("refused", "The store refused the picture again and again.")

    async def _presign(self, purpose: Purpose, file: CheckedFile) -> Upload:
        wanted = UploadFile.model_validate(
            {
                "name": file.path.name[: bounds.UPLOAD_NAME_MAX],
                "content_type": file.content_type,
                "size": file.size,
                "sha256": file.sha256,
            }
        )
        answer = await self._api.create_uploads(UploadRequest(purpose=purpose, files=[wanted]))
        return answer.uploads[0]

    async def _put(self, upload: Upload, file: CheckedFile, sent: Callable[[int], None]) -> None:
        assert upload.put is not None
        try:
            response = await self._api.http.store.put(
                upload.put.url, headers=upload.put.headers, content=_stream(file, sent)
            )
        except httpx.HTTPError as error:
            raise ServerUnreachable("The photo store", "the connection broke") from error
        if response.status_code == 403:
            raise _Expired
        if response.status_code >= 500 or response.status_code in (408, 429):
            raise ServerUnreachable("The photo store", f"it answered {response.status_code}")
        if response.status_code >= 300:
            raise UploadFailed("refused", f"The photo store refused {file.path.name}.")

    async def _ready(self, upload: Upload) -> Photo:
        """Wait until the server has made its copies."""
        until = self._clock.monotonic() + READY_WITHIN_S
        pause = 0.05
        while upload.state in (UploadState.PENDING, UploadState.PROCESSING):
            if self._clock.monotonic() >= until:
                told = "The server took too long with this picture; try it again."
                raise UploadFailed(TOO_SLOW, told)
            await self._clock.sleep(pause)
            pause = min(1.0, pause * 1.5)
            upload = await self._api.upload(upload.id)
        if upload.photo is None:
            reason = upload.reason or "failed"
            raise UploadFailed(reason, failure_text(reason))
        return upload.photo


class _Expired(ClientError):
    """The presigned URL is no longer good."""


def _ignore(_: Progress) -> None:
    """Nobody watches."""


async def _stream(file: CheckedFile, sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    """The file piece by piece, never more than was promised to the store."""
    left = file.size
    with await asyncio.to_thread(_opened, file.path) as source:
        while left > 0:
            piece = await asyncio.to_thread(source.read, min(_CHUNK, left))
            if not piece:
                raise BadFile(f"{file.path.name} was changed while it was being sent.")
            yield piece
            left -= len(piece)
            sent(file.size - left)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise BadFile(f"{path} cannot be read any more: {error.strerror}.") from error
