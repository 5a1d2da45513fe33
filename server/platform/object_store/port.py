"""The object store as the rest of the server sees it: an S3 bucket, whichever server holds it."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

OBJECT_KEY = re.compile(
    r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}){0,9}"
)
"""What a key of the server's looks like; as a relative path it stays below its folder."""
UNCACHED = "private, no-store"


class ObjectStoreError(Exception):
    """The store did not do what was asked; trying again later may help."""


class ObjectNotFound(ObjectStoreError):
    """There is no object under that key."""


@dataclass(frozen=True)
class Credentials:
    """A key pair that signs requests; ``token`` goes with temporary keys."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class SignedPut:
    """A presigned upload: PUT the bytes to ``url`` with exactly these ``headers``."""

    url: str = field(repr=False)
    headers: dict[str, str]


@dataclass(frozen=True)
class ObjectInfo:
    """What the store knows of an object; ``size`` is in bytes."""

    size: int


class ObjectStore(Protocol):
    """A bucket. Keys are made by the server: ``[A-Za-z0-9._-]`` segments joined by ``/``.

    Every method raises :class:`ObjectStoreError` when the store is not reachable or refuses.
    """

    async def presign_put(
        self, key: str, *, content_type: str, length: int, sha256: str, expires_s: int
    ) -> SignedPut:
        """A URL that accepts this key with this type, length in bytes and digest (in hex)."""
        ...

    async def presign_get(
        self, key: str, *, content_type: str, expires_s: int, cache_control: str = UNCACHED
    ) -> str:
        """A URL that reads the object for ``expires_s`` seconds and up to a minute more.

        It is answered as ``content_type``, with that ``Cache-Control``. All that are made in the
        same minute are equal, so that a cache has what somebody else has read.
        """
        ...

    async def head(self, key: str) -> ObjectInfo | None:
        """The object's size, or None when there is none."""
        ...

    async def download(self, key: str, target: Path) -> None:
        """Write the object to a file. Raises :class:`ObjectNotFound`."""
        ...

    async def get(self, key: str) -> bytes:
        """A small object's bytes. Raises :class:`ObjectNotFound`."""
        ...

    async def put(self, key: str, source: Path | bytes, *, content_type: str) -> None:
        """Store a file or bytes under ``key``, replacing what was there."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the object; nothing happens when there is none."""
        ...

    def list_keys(self) -> AsyncIterator[str]:
        """Every key there is, in no order; what comes or goes meanwhile may be among them."""
        ...

    async def check(self) -> None:
        """Return when the bucket can be used (for ``/readyz``)."""
        ...

    async def close(self) -> None:
        """Give back connections and threads."""
        ...
