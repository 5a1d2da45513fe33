"""Whether a bucket can be used for what the market does with one, as its clients do it."""

import hashlib
import re

import httpx

from server.app.findings import Finding, bad, good
from server.app.settings import Settings
from server.media.api import original_key
from server.platform.clock import Clock
from server.platform.ids import MakeId, uuid7
from server.platform.object_store import ObjectStore, ObjectStoreError, SignedPut

_BODY = b"picky-server doctor"
_TYPE = "image/jpeg"
_EXPIRES_S = 60
_CODE = re.compile(r"<Code>(\w+)</Code>")
_POLICY = "allow it to the credentials, as deploy/s3 does"


async def examine_bucket(
    store: ObjectStore, settings: Settings, clock: Clock, make_id: MakeId = uuid7
) -> list[Finding]:
    """Upload, read and delete a small object the way a client and the worker do, and ask what pages
    ask. Nothing is left behind.
    """
    key = original_key(make_id(clock.now()))
    digest = hashlib.sha256(_BODY).hexdigest()
    put = await store.presign_put(
        key, content_type=_TYPE, length=len(_BODY), sha256=digest, expires_s=_EXPIRES_S
    )
    async with httpx.AsyncClient(timeout=10) as web:
        return [
            await _uploaded(web, put),
            await _read(store, key),
            *await _read_through_cache(web, store, settings, key),
            await _deleted(store, key),
            *[await _open_to(web, put, origin) for origin in settings.allowed_origins],
        ]


async def _uploaded(web: httpx.AsyncClient, put: SignedPut) -> Finding:
    try:
        answer = await web.put(put.url, headers=put.headers, content=_BODY)
    except httpx.HTTPError as error:
        mend = "let the endpoint in PICKY_OBJECT_STORE_URL be one that clients reach"
        return bad("uploads", f"the signed address fails: {type(error).__name__}", mend)
    if answer.is_success:
        return good("uploads", "a signed upload is taken")
    code = _code(answer)
    mends = {
        "RequestTimeTooSkewed": "let this machine keep its time by NTP",
        "SignatureDoesNotMatch": "let proxies keep the Host header, and correct the secret key",
    }
    return bad("uploads", f"a signed upload is refused: {code}", mends.get(code, _POLICY))


def _code(answer: httpx.Response) -> str:
    found = _CODE.search(answer.text)
    return found[1] if found else f"HTTP {answer.status_code}"


async def _read(store: ObjectStore, key: str) -> Finding:
    try:
        if await store.get(key) == _BODY:
            return good("reading", "what was uploaded is read")
    except ObjectStoreError as error:
        return bad("reading", str(error), _POLICY)
    return bad("reading", "what is read is not what was uploaded", "use another store")


async def _read_through_cache(
    web: httpx.AsyncClient, store: ObjectStore, settings: Settings, key: str
) -> list[Finding]:
    """What clients do where a CDN is in front of the bucket."""
    if settings.object_store_public_url is None:
        return []
    url = await store.presign_get(key, content_type=_TYPE, expires_s=_EXPIRES_S)
    try:
        answer = await web.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        mend = "start the CDN, or correct PICKY_OBJECT_STORE_PUBLIC_URL"
        return [bad("CDN", f"it does not answer: {type(error).__name__}", mend)]
    if answer.content == _BODY:
        return [good("CDN", "a photo is read through it")]
    mend = (
        "let it ask the bucket with its own Host, the path and the whole query; or correct "
        "PICKY_OBJECT_STORE_PUBLIC_URL"
    )
    return [bad("CDN", f"a signed address is answered HTTP {answer.status_code}", mend)]


async def _deleted(store: ObjectStore, key: str) -> Finding:
    try:
        await store.delete(key)
        if await store.head(key) is None:
            return good("deleting", "what was uploaded is deleted")
    except ObjectStoreError as error:
        return bad("deleting", str(error), _POLICY)
    return bad("deleting", "what was deleted is still there", "use another store")


async def _open_to(web: httpx.AsyncClient, put: SignedPut, origin: str) -> Finding:
    """What a browser asks before it uploads from a page."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type,x-amz-checksum-sha256",
    }
    mend = "give the bucket the CORS document of deploy/s3, with this origin"
    try:
        answer = await web.options(put.url, headers=asked)
    except httpx.HTTPError as error:
        return bad("pages", f"{origin} cannot ask the store: {type(error).__name__}", mend)
    if answer.headers.get("access-control-allow-origin") in (origin, "*"):
        return good("pages", f"{origin} may upload")
    return bad("pages", f"{origin} may not upload to the store", mend)
