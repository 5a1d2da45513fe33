"""The embedded store's HTTP side: presigned PUT, GET and HEAD as S3 answers them, nothing else."""

import asyncio
import base64
import hashlib
from contextlib import ExitStack
from typing import BinaryIO
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from server.platform.clock import Clock
from server.platform.object_store.embedded import BUCKET, REGION, EmbeddedFiles
from server.platform.object_store.sigv4 import (
    CHECKSUM_HEADER,
    SignatureRefused,
    load_signing_code,
    verify,
)

WRITE_BYTES = 1024 * 1024
_STATUS = {
    "AccessDenied": 403,
    "BadDigest": 400,
    "IncompleteBody": 400,
    "InternalError": 500,
    "InvalidAccessKeyId": 403,
    "InvalidURI": 400,
    "MethodNotAllowed": 405,
    "MissingContentLength": 411,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "SignatureDoesNotMatch": 403,
}
_BOUND_HEADERS = frozenset({"content-type", "content-length", CHECKSUM_HEADER})


class Refused(Exception):
    """An answer with an S3 error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class EmbeddedStoreApp:
    """An ASGI app to be mounted under ``/object-store``.

    It accepts only what :class:`EmbeddedObjectStore` presigned with the same credentials. A body
    goes to a temporary file in pieces of at most 1 MiB and becomes the object once its length and
    its SHA-256 are the signed ones.
    """

    def __init__(self, files: EmbeddedFiles, clock: Clock) -> None:
        self._files = files
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("the object store speaks HTTP only")
        try:
            response = await self._answer(Request(scope, receive))
        except ClientDisconnect:
            return
        except Refused as refused:
            response = _error(refused.code, refused.message)
        except SignatureRefused as refused:
            response = _error(refused.code, refused.message)
        except OSError as error:
            response = _error("InternalError", f"The store could not do it: {error.strerror}")
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        await load_signing_code()
        signed = self._verify(request)
        key = self._key(request)
        if request.method == "PUT":
            return await self._put(request, key, signed)
        if request.method in ("GET", "HEAD"):
            return self._get(request, key)
        raise Refused("MethodNotAllowed", "Only GET, HEAD and PUT are served.")

    def _verify(self, request: Request) -> frozenset[str]:
        scope = request.scope
        path = scope.get("raw_path") or scope["path"].encode()
        host = request.headers.get("host", "")
        url = f"http://{host}{path.decode('latin-1')}?{scope['query_string'].decode('latin-1')}"
        try:
            return verify(
                self._files.credentials,
                REGION,
                request.method,
                url,
                request.headers.items(),
                self._clock.now(),
            )
        except ValueError:
            raise Refused("InvalidURI", "The address cannot be read.") from None

    def _key(self, request: Request) -> str:
        path = str(request.scope["path"]).removeprefix(request.scope.get("root_path", ""))
        bucket, _, key = path.lstrip("/").partition("/")
        if bucket != BUCKET:
            raise Refused("NoSuchBucket", "There is no such bucket.")
        try:
            self._files.path(key)
        except ValueError:
            raise Refused("InvalidURI", "The key is not one the server would make.") from None
        return key

    async def _put(self, request: Request, key: str, signed: frozenset[str]) -> Response:
        if not signed >= _BOUND_HEADERS:
            raise Refused("AccessDenied", "Type, length and checksum must be signed.")
        length = request.headers.get("content-length", "")
        if not length.isdigit():
            raise Refused("MissingContentLength", "Content-Length is needed.")
        with ExitStack() as stack:
            file = stack.enter_context(self._files.replacing(key))
            digest = await _receive(request, file, int(length))
            expected = request.headers[CHECKSUM_HEADER]
            if base64.b64encode(digest).decode() != expected:
                raise Refused("BadDigest", "The content is not what was signed.")
            await asyncio.to_thread(stack.pop_all().close)
        return Response(headers={"ETag": f'"{digest.hex()}"'})

    def _get(self, request: Request, key: str) -> Response:
        path = self._files.path(key)
        if not path.is_file():
            raise Refused("NoSuchKey", "There is no such object.")
        query = parse_qs(request.url.query)
        content_type = query.get("response-content-type", ["application/octet-stream"])[0]
        headers = {
            "Cache-Control": query.get("response-cache-control", ["no-store"])[0],
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
        }
        return FileResponse(path, media_type=content_type, headers=headers)


async def _receive(request: Request, file: BinaryIO, length: int) -> bytes:
    """Write the body and return its SHA-256. Raises for more or fewer than ``length`` bytes."""
    digest, received, waiting = hashlib.sha256(), 0, bytearray()
    async for chunk in request.stream():
        received += len(chunk)
        if received > length:
            raise Refused("IncompleteBody", "The body is longer than Content-Length.")
        digest.update(chunk)
        waiting += chunk
        if len(waiting) >= WRITE_BYTES:
            await asyncio.to_thread(file.write, bytes(waiting))
            waiting.clear()
    if received < length:
        raise Refused("IncompleteBody", "The body is shorter than Content-Length.")
    file.write(waiting)
    return digest.digest()


def _error(code: str, message: str) -> Response:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    )
    return Response(body, status_code=_STATUS[code], media_type="application/xml")
