"""The notification centre over HTTP."""

from fastapi import APIRouter, Response

from server.notifications import service
from server.platform.http import CursorText, Limit, Reading, Writing, model_response
from shared_models.base import Page
from shared_models.notifications import Notification, NotificationsRead

router = APIRouter(prefix="/v1", tags=["Notifications"])


@router.get("/notifications", response_model=Page[Notification])
async def notifications(work: Reading, limit: Limit = 20, cursor: CursorText = None) -> Response:
    """One's own notices of the last 90 days, newest first."""
    return model_response(await service.page(work, limit, cursor))


@router.put("/notifications/read", status_code=204, response_class=Response)
async def read_notifications(body: NotificationsRead, write: Writing) -> Response:
    """Everything up to this notice is read, on every device."""
    return await write(lambda work: service.mark_read(work, body))
