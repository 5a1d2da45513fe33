"""The object store in deployment: S3, or anything that speaks it, through boto3 in threads."""

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from server.platform.clock import Clock
from server.platform.object_store.port import (
    UNCACHED,
    Credentials,
    ObjectInfo,
    ObjectNotFound,
    ObjectStoreError,
    SignedPut,
)
from server.platform.object_store.settings import S3Address
from server.platform.object_store.sigv4 import Signer

THREADS = 8
"""That carry objects, for as long as it takes."""
ASKING_THREADS = 4
SIGNING_THREADS = 2
"""One may fetch new credentials while those that there are still sign."""
ANSWERS_WITHIN_S = 5.0
"""Somebody waits for what is only asked, and does not wait longer for a store that hangs."""
CHUNK_BYTES = 1024 * 1024
PAGE_KEYS = 1000
DEFAULT_REGION = "us-east-1"
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})

Result = TypeVar("Result")


class S3ObjectStore:
    """One bucket of an S3-compatible server; credentials are found the AWS way.

    ``public_url`` is a cache in front of the bucket, for reads: it asks the bucket under the
    endpoint's own host, with the path below the bucket and the whole query, by which it also keeps
    what it got. So nobody reads there what was not signed for somebody.
    """

    def __init__(self, address: S3Address, clock: Clock, public_url: str | None = None) -> None:
        self._bucket = address.bucket
        self._endpoint = address.endpoint
        self._region = address.region
        self._public_url = public_url and public_url.rstrip("/")
        self._clock = clock
        self._setup = threading.Lock()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="object-store")
        # Apart, so that what carries objects and what hangs keep nobody from being answered.
        self._asking = ThreadPoolExecutor(ASKING_THREADS, thread_name_prefix="object-store-ask")
        self._signing = ThreadPoolExecutor(SIGNING_THREADS, thread_name_prefix="object-store-sign")

    async def presign_put(
        self, key: str, *, content_type: str, length: int, sha256: str, expires_s: int
    ) -> SignedPut:
        def sign() -> SignedPut:
            return self._signer.put(
                self._credentials(),
                key,
                content_type=content_type,
                length=length,
                sha256=sha256,
                expires_s=expires_s,
            )

        return await self._run(sign, self._signing)

    async def presign_get(
        self, key: str, *, content_type: str, expires_s: int, cache_control: str = UNCACHED
    ) -> str:
        def sign() -> str:
            url = self._signer.get(
                self._credentials(),
                key,
                content_type=content_type,
                cache_control=cache_control,
                expires_s=expires_s,
            )
            return self._public(url)

        return await self._run(sign, self._signing)

    async def head(self, key: str) -> ObjectInfo | None:
        def head() -> ObjectInfo:
            answer = self._soon.head_object(Bucket=self._bucket, Key=key)
            return ObjectInfo(size=answer["ContentLength"])

        try:
            return await self._ask(head)
        except ObjectNotFound:
            return None

    async def download(self, key: str, target: Path) -> None:
        def download() -> None:
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
            with target.open("wb") as file:
                for chunk in body.iter_chunks(CHUNK_BYTES):
                    file.write(chunk)

        await self._run(download)

    async def get(self, key: str) -> bytes:
        def get() -> bytes:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            return bytes(answer["Body"].read())

        return await self._run(get)

    async def put(self, key: str, source: Path | bytes, *, content_type: str) -> None:
        def put() -> None:
            with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as body:
                self._client.put_object(
                    Bucket=self._bucket, Key=key, Body=body, ContentType=content_type
                )

        await self._run(put)

    async def delete(self, key: str) -> None:
        def delete() -> None:
            self._client.delete_object(Bucket=self._bucket, Key=key)

        try:
            await self._run(delete)
        except ObjectNotFound:
            return

    async def list_keys(self) -> AsyncIterator[str]:
        following: dict[str, str] | None = {}
        while following is not None:
            page = await self._run(partial(self._list, following))
            for entry in page.get("Contents", ()):
                yield entry["Key"]
            token = page.get("NextContinuationToken")
            following = {"ContinuationToken": token} if token else None

    def _list(self, following: dict[str, str]) -> Any:
        return self._client.list_objects_v2(Bucket=self._bucket, MaxKeys=PAGE_KEYS, **following)

    async def check(self) -> None:
        await self._ask(lambda: self._soon.head_bucket(Bucket=self._bucket))

    async def close(self) -> None:
        for client in ("_client", "_soon"):
            if client in self.__dict__:
                self.__dict__[client].close()
        for threads in (self._threads, self._asking, self._signing):
            threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, call: Callable[[], Result]) -> Result:
        """Run what somebody waits for."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                return await self._run(call, self._asking)
        except TimeoutError as error:
            raise ObjectStoreError("the object store does not answer") from error

    async def _run(
        self, call: Callable[[], Result], threads: ThreadPoolExecutor | None = None
    ) -> Result:
        """Run a blocking call in a thread. Signing too: finding credentials may use the network."""

        def guarded() -> Result:
            with self._setup:
                _ = self._signer, self._soon
            with _translated_errors():
                return call()

        return await asyncio.get_running_loop().run_in_executor(threads or self._threads, guarded)

    def _public(self, url: str) -> str:
        """The same at the CDN, which asks the bucket with the path and the query it was asked."""
        if self._public_url is None:
            return url
        return self._public_url + url.removeprefix(f"{self._signer.endpoint}/{self._bucket}")

    @cached_property
    def _session(self) -> Any:
        import boto3

        session = boto3.Session()
        region = self._region or session.region_name or DEFAULT_REGION
        return boto3.Session(region_name=region)

    @cached_property
    def _client(self) -> Any:
        return self._connect(connect_s=3, read_s=20, tries=3, connections=THREADS)

    @cached_property
    def _soon(self) -> Any:
        """A client that asks once, and is told soon or not at all."""
        return self._connect(connect_s=2, read_s=3, tries=1, connections=ASKING_THREADS)

    def _connect(self, *, connect_s: int, read_s: int, tries: int, connections: int) -> Any:
        from botocore.config import Config

        return self._session.client(
            "s3",
            endpoint_url=self._endpoint,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=connect_s,
                read_timeout=read_s,
                max_pool_connections=connections,
                retries={"mode": "standard", "total_max_attempts": tries},
            ),
        )

    @cached_property
    def _signer(self) -> Signer:
        meta = self._client.meta
        return Signer(meta.endpoint_url.rstrip("/"), self._bucket, meta.region_name, self._clock)

    def _credentials(self) -> Credentials:
        found = self._session.get_credentials()
        if found is None:
            raise ObjectStoreError(
                "no credentials for the object store: set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or give the machine a role"
            )
        frozen = found.get_frozen_credentials()
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)


@contextmanager
def _translated_errors() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _MISSING:
            raise ObjectNotFound("no such object") from error
        raise ObjectStoreError(f"the object store refused: {code}") from error
    except BotoCoreError as error:
        raise ObjectStoreError(f"the object store failed: {type(error).__name__}") from error
