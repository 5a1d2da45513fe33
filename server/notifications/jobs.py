"""What the worker runs for notifications."""

from datetime import timedelta
from typing import Any

from server.notifications import service
from server.platform.context import Context
from server.platform.jobs import Periodic, Run
from server.platform.unit_of_work import transact

RETENTION = "notifications.retention"


async def _forget_old(context: Context, _payload: dict[str, Any]) -> None:
    await transact(context, None, service.forget_old)


RUNNERS: dict[str, Run] = {RETENTION: _forget_old}
PERIODIC: tuple[Periodic, ...] = (Periodic(RETENTION, timedelta(days=1)),)
