"""Uploads and photos over HTTP. The bytes themselves never pass here."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response

from server.media import service
from server.media.keys import FULL, THUMB
from server.platform.http import NO_STORE, Reading, Writing, model_response
from server.platform.unit_of_work import UnitOfWork
from shared_models.media import Upload, UploadRequest, Uploads

router = APIRouter(prefix="/v1", tags=["Uploads"])

UploadId = Annotated[UUID, Path(description="The upload; its id is the photo's id.")]
PhotoId = Annotated[UUID, Path(description="The photo.")]
_REDIRECT: dict[str, Any] = {
    "status_code": 302,
    "response_class": Response,
    "responses": {
        302: {
            "description": "To a URL that reads the JPEG from the object store for 5 minutes.",
            "headers": {"Location": {"schema": {"type": "string"}}},
        }
    },
}


@router.post("/uploads", status_code=201, response_model=Uploads)
async def request_uploads(body: UploadRequest, write: Writing) -> Response:
    """Ask where to put 1 to 10 files.

    PUT each file's bytes to its `put.url` with exactly `put.headers` before `expires_at`, then
    call `complete`. The signature binds key, type, length and SHA-256.
    """
    signed = await service.sign_uploads(write.context, body)
    return await write(lambda work: service.request_uploads(work, body.purpose, signed), status=201)


@router.post("/uploads/{upload_id}/complete", response_model=Upload)
async def complete_upload(upload_id: UploadId, write: Writing) -> Response:
    """Say that the bytes are there; repeating it is harmless. 409 `not_uploaded`."""
    await service.check_uploaded(write.context, write.actor, upload_id)
    return await write(lambda work: service.complete(work, upload_id))


@router.get("/uploads/{upload_id}", response_model=Upload)
async def read_upload(upload_id: UploadId, work: Reading) -> Response:
    """An upload of one's own; a failed one says its `reason`."""
    return model_response(await service.read_upload(work, upload_id))


@router.get("/photos/{photo_id}/thumb", **_REDIRECT)
async def view_thumb(photo_id: PhotoId, work: Reading) -> Response:
    """A photo that one may see, at most 320 px on its longer side."""
    return await _redirect(work, photo_id, THUMB)


@router.get("/photos/{photo_id}/full", **_REDIRECT)
async def view_full(photo_id: PhotoId, work: Reading) -> Response:
    """A photo that one may see, at most 1280 px on its longer side."""
    return await _redirect(work, photo_id, FULL)


async def _redirect(work: UnitOfWork, photo_id: UUID, copy: str) -> Response:
    await service.check_visible(work, photo_id)
    await work.release_connection()
    url = await service.view_url(work.context, photo_id, copy)
    return Response(status_code=302, headers={"Location": url, "Cache-Control": NO_STORE})
