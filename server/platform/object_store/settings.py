"""Reading ``PICKY_OBJECT_STORE_URL``."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

EXPECTED = "s3://bucket?endpoint=URL&region=R"


@dataclass(frozen=True)
class S3Address:
    """Which bucket; ``endpoint`` and ``region`` None mean what the AWS settings say."""

    bucket: str
    endpoint: str | None
    region: str | None


def parse_s3_url(url: str) -> S3Address:
    """Read ``s3://bucket?endpoint=URL&region=R``; both parameters may be left out.

    Raises ValueError that says what is wrong.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc or parts.path.strip("/"):
        raise ValueError(f"the object store's URL must look like {EXPECTED}")
    query = parse_qs(parts.query, keep_blank_values=True)
    unknown = sorted(set(query) - {"endpoint", "region"})
    if unknown:
        raise ValueError(f"the object store's URL has unknown parameters: {', '.join(unknown)}")
    endpoint = query.get("endpoint", [""])[-1].rstrip("/") or None
    if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
        raise ValueError("the object store's endpoint must be an http or https URL")
    return S3Address(parts.netloc, endpoint, query.get("region", [""])[-1] or None)
