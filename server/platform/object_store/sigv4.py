"""SigV4 presigned URLs, made and verified with botocore's own signing code.

``botocore.auth`` is not a documented interface: its version is pinned, and the conformance tests
hold both directions against another S3 server. It takes 0.2 s of CPU to import, so it is imported
when the first URL is signed or verified, not when the server starts.
"""

import asyncio
import base64
import hmac
import importlib
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from server.platform.clock import Clock
from server.platform.object_store.port import Credentials, SignedPut

ALGORITHM = "AWS4-HMAC-SHA256"
LONGEST_EXPIRY_S = 7 * 24 * 3600
CLOCK_SKEW = timedelta(minutes=5)
CHECKSUM_HEADER = "x-amz-checksum-sha256"
_TIMESTAMP = "%Y%m%dT%H%M%SZ"
_QUERY_NAMES = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
)


class SignatureRefused(Exception):
    """A request that is not what was signed. ``code`` and the text are S3's own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


async def load_signing_code() -> None:
    """Have botocore imported, in a thread, so that the first signature does not stall the loop."""
    for module in ("botocore.auth", "botocore.awsrequest"):
        if module not in sys.modules:
            await asyncio.to_thread(importlib.import_module, module)


@dataclass(frozen=True)
class Signer:
    """Makes presigned URLs for one bucket, in path style, below ``endpoint``."""

    endpoint: str
    bucket: str
    region: str
    clock: Clock

    def put(
        self,
        credentials: Credentials,
        key: str,
        *,
        content_type: str,
        length: int,
        sha256: str,
        expires_s: int,
    ) -> SignedPut:
        """A PUT whose type, length in bytes and digest (in hex) are among the signed headers."""
        headers = {
            "Content-Type": content_type,
            "Content-Length": str(length),
            CHECKSUM_HEADER: base64.b64encode(bytes.fromhex(sha256)).decode(),
        }
        now = self.clock.now()
        url = self._sign(credentials, "PUT", key, headers, {}, now, expires_s)
        return SignedPut(url, headers)

    def get(
        self,
        credentials: Credentials,
        key: str,
        *,
        content_type: str,
        cache_control: str,
        expires_s: int,
    ) -> str:
        """A GET that answers with these headers whatever the store remembers, as of this minute."""
        query = {"response-cache-control": cache_control, "response-content-type": content_type}
        this_minute = self.clock.now().replace(second=0, microsecond=0)
        return self._sign(credentials, "GET", key, {}, query, this_minute, expires_s + 60)

    def _sign(
        self,
        credentials: Credentials,
        method: str,
        key: str,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        moment: datetime,
        expires_s: int,
    ) -> str:
        timestamp = moment.astimezone(UTC).strftime(_TIMESTAMP)
        url = f"{self.endpoint}/{self.bucket}/{quote(key)}"
        headers = {"host": urlsplit(url).netloc, **headers}
        scope = f"{timestamp[:8]}/{self.region}/s3/aws4_request"
        parameters = {
            **query,
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{credentials.access_key}/{scope}",
            "X-Amz-Date": timestamp,
            "X-Amz-Expires": str(expires_s),
            "X-Amz-SignedHeaders": ";".join(sorted(name.lower() for name in headers)),
        }
        if credentials.token is not None:
            parameters["X-Amz-Security-Token"] = credentials.token
        url = f"{url}?{urlencode(parameters, quote_via=quote, safe='-_.~')}"
        signature = _signature(credentials, self.region, method, url, headers, timestamp)
        return f"{url}&X-Amz-Signature={signature}"


def verify(
    credentials: Credentials,
    region: str,
    method: str,
    url: str,
    headers: Sequence[tuple[str, str]],
    now: datetime,
) -> frozenset[str]:
    """The lower-case names of the headers that the presigned request's signature protects.

    ``url`` is absolute with the request's own Host. Raises :class:`SignatureRefused` for anything
    but a request made by :class:`Signer` with the same credentials that has not expired.
    """
    query = _signing_parameters(url)
    timestamp = query["X-Amz-Date"]
    _check_scope(credentials, region, query["X-Amz-Credential"], timestamp)
    _check_time(timestamp, query["X-Amz-Expires"], now)
    signed = query["X-Amz-SignedHeaders"].split(";")
    protected = _protected_headers(headers, signed)
    unsigned_url = "&".join(
        part for part in url.split("&") if not part.startswith("X-Amz-Signature=")
    )
    expected = _signature(credentials, region, method, unsigned_url, protected, timestamp)
    if not hmac.compare_digest(expected.encode(), query["X-Amz-Signature"].encode()):
        raise SignatureRefused(
            "SignatureDoesNotMatch", "The request is not the one that was signed."
        )
    return frozenset(signed)


def _signature(
    credentials: Credentials,
    region: str,
    method: str,
    url: str,
    headers: Mapping[str, str],
    timestamp: str,
) -> str:
    from botocore.auth import S3SigV4QueryAuth
    from botocore.awsrequest import AWSRequest

    auth = S3SigV4QueryAuth(credentials, "s3", region)
    request = AWSRequest(method=method, url=url, headers=dict(headers))
    request.context["timestamp"] = timestamp
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return str(auth.signature(text, request))


def _signing_parameters(url: str) -> dict[str, str]:
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    found = {name: [value for key, value in pairs if key == name] for name in _QUERY_NAMES}
    if any(len(values) != 1 for values in found.values()):
        raise SignatureRefused("AccessDenied", "The request is not presigned.")
    parameters = {name: values[0] for name, values in found.items()}
    if parameters["X-Amz-Algorithm"] != ALGORITHM:
        raise SignatureRefused("AccessDenied", f"Only {ALGORITHM} is accepted.")
    return parameters


def _check_scope(credentials: Credentials, region: str, scope: str, timestamp: str) -> None:
    access_key, _, rest = scope.partition("/")
    if access_key != credentials.access_key:
        raise SignatureRefused("InvalidAccessKeyId", "The access key is not known here.")
    if rest != f"{timestamp[:8]}/{region}/s3/aws4_request":
        raise SignatureRefused("AccessDenied", "The credential's scope is wrong.")


def _check_time(timestamp: str, expires: str, now: datetime) -> None:
    try:
        signed_at = datetime.strptime(timestamp, _TIMESTAMP).replace(tzinfo=UTC)
    except ValueError:
        raise SignatureRefused("AccessDenied", "X-Amz-Date is not a time.") from None
    if not re.fullmatch(r"[0-9]{1,6}", expires) or not 1 <= int(expires) <= LONGEST_EXPIRY_S:
        raise SignatureRefused("AccessDenied", "X-Amz-Expires is not 1 to 604800 seconds.")
    if signed_at > now + CLOCK_SKEW:
        raise SignatureRefused("AccessDenied", "The request is not valid yet.")
    if signed_at + timedelta(seconds=int(expires)) < now:
        raise SignatureRefused("AccessDenied", "Request has expired")


def _protected_headers(headers: Sequence[tuple[str, str]], signed: Sequence[str]) -> dict[str, str]:
    """The signed headers. An ``x-amz-*`` header that is not signed could change what is stored."""
    protected: dict[str, str] = {}
    for name, value in ((name.lower(), value) for name, value in headers):
        if name in protected:
            raise SignatureRefused("AccessDenied", f"The header {name} came twice.")
        if name in signed:
            protected[name] = value
        elif name.startswith("x-amz-"):
            raise SignatureRefused("AccessDenied", f"The header {name} is not signed.")
    if "host" not in protected:
        raise SignatureRefused("AccessDenied", "The host is not signed.")
    return protected
