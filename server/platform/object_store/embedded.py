"""The object store without settings: files below the data dir, uploads through the server itself.

URLs are signed exactly as for S3; :mod:`server.platform.object_store.embedded_app` verifies them
and writes the files. The server's own reads and writes go to the files directly.
"""

import asyncio
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from server.platform.clock import Clock
from server.platform.disk import sync
from server.platform.object_store.port import (
    OBJECT_KEY,
    UNCACHED,
    Credentials,
    ObjectInfo,
    ObjectNotFound,
    ObjectStoreError,
    SignedPut,
)
from server.platform.object_store.sigv4 import Signer, load_signing_code

MOUNT_PATH = "/object-store"
BUCKET = "picky"
REGION = "local"


class EmbeddedFiles:
    """The directory that holds the objects; every write is whole or not there at all."""

    def __init__(self, root: Path) -> None:
        self._objects = root / "objects"
        self._incoming = root / "incoming"
        for directory in (self._objects, self._incoming):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.credentials = _load_credentials(root / "credentials.json")

    def drop_unfinished(self) -> None:
        """Remove what a server that is gone was receiving; only the server that starts knows so."""
        for half in self._incoming.iterdir():
            half.unlink(missing_ok=True)

    def keys(self) -> Iterator[str]:
        """The key of every object."""
        for folder, _, names in os.walk(self._objects):
            for name in names:
                yield Path(folder, name).relative_to(self._objects).as_posix()

    def path(self, key: str) -> Path:
        """Where an object is. Raises ValueError for a key that the server would not make."""
        if not OBJECT_KEY.fullmatch(key):
            raise ValueError("not an object key")
        return self._objects / key

    @contextmanager
    def replacing(self, key: str) -> Iterator[BinaryIO]:
        """A file that becomes the object, on disk, when the block ends without an exception."""
        target = self.path(key)
        descriptor, name = tempfile.mkstemp(dir=self._incoming)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            Path(name).replace(target)
            sync(target.parent)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def check(self) -> None:
        """Raise OSError when files cannot be written here."""
        with tempfile.TemporaryFile(dir=self._incoming):
            return


class EmbeddedObjectStore:
    """The files of :class:`EmbeddedFiles`; presigned URLs lead to ``base_url`` + ``/object-store``.

    ``base_url`` is the server's own address as clients see it, such as ``http://127.0.0.1:8000``.
    """

    def __init__(self, files: EmbeddedFiles, base_url: str, clock: Clock) -> None:
        self._files = files
        self._signer = Signer(f"{base_url.rstrip('/')}{MOUNT_PATH}", BUCKET, REGION, clock)

    async def presign_put(
        self, key: str, *, content_type: str, length: int, sha256: str, expires_s: int
    ) -> SignedPut:
        await load_signing_code()
        return self._signer.put(
            self._files.credentials,
            key,
            content_type=content_type,
            length=length,
            sha256=sha256,
            expires_s=expires_s,
        )

    async def presign_get(
        self, key: str, *, content_type: str, expires_s: int, cache_control: str = UNCACHED
    ) -> str:
        await load_signing_code()
        return self._signer.get(
            self._files.credentials,
            key,
            content_type=content_type,
            cache_control=cache_control,
            expires_s=expires_s,
        )

    async def head(self, key: str) -> ObjectInfo | None:
        try:
            return ObjectInfo(size=self._files.path(key).stat().st_size)
        except FileNotFoundError:
            return None

    async def download(self, key: str, target: Path) -> None:
        with _translated_errors():
            await asyncio.to_thread(shutil.copyfile, self._files.path(key), target)

    async def get(self, key: str) -> bytes:
        with _translated_errors():
            return await asyncio.to_thread(self._files.path(key).read_bytes)

    async def put(self, key: str, source: Path | bytes, *, content_type: str) -> None:
        def put() -> None:
            with self._files.replacing(key) as file:
                if isinstance(source, bytes):
                    file.write(source)
                else:
                    with source.open("rb") as read:
                        shutil.copyfileobj(read, file)

        with _translated_errors():
            await asyncio.to_thread(put)

    async def delete(self, key: str) -> None:
        with _translated_errors():
            self._files.path(key).unlink(missing_ok=True)

    async def list_keys(self) -> AsyncIterator[str]:
        for key in await asyncio.to_thread(lambda: list(self._files.keys())):
            yield key

    async def check(self) -> None:
        with _translated_errors():
            await asyncio.to_thread(self._files.check)

    async def close(self) -> None:
        return


def _load_credentials(path: Path) -> Credentials:
    """The store's own random key pair, made once and readable by its owner only."""
    if not path.exists():
        pair = {
            "access_key": f"PICKY{secrets.token_hex(8)}",
            "secret_key": secrets.token_urlsafe(32),
        }
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w") as file:
            json.dump(pair, file)
        Path(name).replace(path)
    found = json.loads(path.read_text())
    return Credentials(found["access_key"], found["secret_key"])


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectNotFound("no such object") from error
    except OSError as error:
        raise ObjectStoreError(f"the object store failed: {error.strerror}") from error
