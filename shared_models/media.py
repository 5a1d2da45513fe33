"""Uploads and photos."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared_models import bounds
from shared_models.base import Body, Id, Time, Wire
from shared_models.text import Line


class Purpose(StrEnum):
    """What an upload is for; it can be attached to nothing else."""

    LISTING = "listing"
    MESSAGE = "message"
    AVATAR = "avatar"


class UploadState(StrEnum):
    """The life of an upload (rule 5)."""

    PENDING = "pending"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


class Photo(Wire):
    """A photo on any object. The URLs are stable paths of the API that redirect to the store.

    ``width`` and ``height`` are those of the full copy in pixels; ``placeholder`` is a tiny
    colour grid (see :mod:`shared_models.placeholder`).
    """

    id: Id
    width: int
    height: int
    placeholder: str
    thumb_url: str
    full_url: str


class UploadFile(Body):
    """One file as the client declares it; the store holds the client to it."""

    name: Annotated[str, Line(bounds.UPLOAD_NAME_MAX)] = "photo"
    content_type: Literal["image/jpeg", "image/png", "image/webp"]
    size: Annotated[int, Field(strict=True, gt=0, le=bounds.PHOTO_BYTES_MAX)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class UploadRequest(Body):
    """``POST /v1/uploads``."""

    purpose: Purpose
    files: Annotated[list[UploadFile], Field(min_length=1, max_length=bounds.UPLOAD_FILES_MAX)]


class PresignedPut(Wire):
    """Where and with exactly which headers the bytes go."""

    url: str
    headers: dict[str, str]


class Upload(Wire):
    """An upload. ``put`` and ``expires_at`` only while it is pending and just made."""

    id: Id
    state: UploadState
    reason: str | None = None
    photo: Photo | None = None
    put: PresignedPut | None = None
    expires_at: Time | None = None


class Uploads(Wire):
    """Answer to ``POST /v1/uploads``, in the order of the files."""

    uploads: list[Upload]
