"""Where photos and archives are kept: an S3 bucket, or files behind the same presigned URLs."""

from server.platform.object_store.embedded import (
    MOUNT_PATH,
    EmbeddedFiles,
    EmbeddedObjectStore,
)
from server.platform.object_store.port import (
    OBJECT_KEY,
    Credentials,
    ObjectInfo,
    ObjectNotFound,
    ObjectStore,
    ObjectStoreError,
    SignedPut,
)
from server.platform.object_store.s3 import S3ObjectStore
from server.platform.object_store.settings import S3Address, parse_s3_url

__all__ = [
    "MOUNT_PATH",
    "OBJECT_KEY",
    "Credentials",
    "EmbeddedFiles",
    "EmbeddedObjectStore",
    "ObjectInfo",
    "ObjectNotFound",
    "ObjectStore",
    "ObjectStoreError",
    "S3Address",
    "S3ObjectStore",
    "SignedPut",
    "parse_s3_url",
]
