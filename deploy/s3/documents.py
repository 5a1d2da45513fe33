"""What a bucket of the market is told: who may do what, which pages, what is thrown away when."""

from collections.abc import Sequence
from typing import Any

ORIGINALS, COPIES, EXPORTS = "originals", "photos", "exports"
"""The folders of the keys: uploads as they came, photos as they are shown, people's archives."""

UPLOAD_KEPT_DAYS = 7
"""An upload is processed and deleted within minutes; what lies longer was left by accident."""
EXPORT_KEPT_DAYS = 2
"""An archive is deleted after a day by the worker; this is for the one that it missed."""

OLD_VERSION_KEPT_DAYS = 35
"""Where the bucket has versions, as long as RDS can go back: a database that does speaks of objects
that were deleted since."""


def bucket_policy(bucket: str, roles: Sequence[str]) -> dict[str, Any]:
    """The least that works: ``roles`` are the ARNs of who the market's processes are, those that
    use the bucket: api and worker.

    Clients act through presigned addresses, as one of them, and may write uploads only.
    """
    arn = f"arn:aws:s3:::{bucket}"
    folders = [f"{arn}/{folder}/*" for folder in (ORIGINALS, COPIES, EXPORTS)]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TheMarketKeepsObjects",
                "Effect": "Allow",
                "Principal": {"AWS": list(roles)},
                "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                "Resource": folders,
            },
            {
                # Without it an object that is not there is 403, as if it were forbidden.
                "Sid": "TheMarketSeesWhatIsMissing",
                "Effect": "Allow",
                "Principal": {"AWS": list(roles)},
                "Action": "s3:ListBucket",
                "Resource": arn,
            },
            _clients_write_uploads_only(arn),
            {
                "Sid": "NothingWithoutTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }


def _clients_write_uploads_only(arn: str) -> dict[str, Any]:
    return {
        "Sid": "ClientsWriteUploadsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:PutObject", "s3:DeleteObject"],
        "NotResource": f"{arn}/{ORIGINALS}/*",
        "Condition": {"StringEquals": {"s3:authType": "REST-QUERY-STRING"}},
    }


def cors(origins: Sequence[str]) -> dict[str, Any]:
    """Which pages may upload and show photos: those of ``PICKY_ALLOWED_ORIGINS``.

    Picky's own client is no page and needs none of it.
    """
    return {
        "CORSRules": [
            {
                "ID": "pages",
                "AllowedOrigins": list(origins),
                "AllowedMethods": ["GET", "PUT"],
                "AllowedHeaders": ["content-type", "x-amz-checksum-sha256"],
                "ExposeHeaders": ["ETag"],
                "MaxAgeSeconds": 3600,
            }
        ]
    }


def lifecycle() -> dict[str, Any]:
    """What goes by itself: uploads that nobody finished, and archives that were not deleted."""
    return {
        "Rules": [
            _expiry("unfinished-uploads", ORIGINALS, UPLOAD_KEPT_DAYS),
            _expiry("forgotten-archives", EXPORTS, EXPORT_KEPT_DAYS),
            {
                "ID": "broken-parts",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            },
            {
                "ID": "deleted-for-good",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "NoncurrentVersionExpiration": {"NoncurrentDays": OLD_VERSION_KEPT_DAYS},
                "Expiration": {"ExpiredObjectDeleteMarker": True},
            },
        ]
    }


def _expiry(name: str, folder: str, days: int) -> dict[str, Any]:
    return {
        "ID": name,
        "Status": "Enabled",
        "Filter": {"Prefix": f"{folder}/"},
        "Expiration": {"Days": days},
    }


def private() -> dict[str, bool]:
    """Nothing is ever public: photos are read through presigned addresses."""
    switches = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return dict.fromkeys(switches, True)
