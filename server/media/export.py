"""An account's photos for its archive (rule 20)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from server.media import repository
from server.media.keys import FULL, copy_key
from server.platform.context import Context
from server.platform.object_store import ObjectNotFound, ObjectStore
from server.platform.unit_of_work import UnitOfWork


async def photos_of(work: UnitOfWork, owner_id: UUID) -> Sequence[Any]:
    """``id``, ``name``, ``width``, ``height``, what it is for, of every photo of an account."""
    return await repository.photos_of(work, owner_id)


async def download_photo(context: Context, photo_id: UUID, target: Path) -> bool:
    """Write the larger copy of a photo to a file; whether there was one."""
    try:
        await context.wiring.port(ObjectStore).download(copy_key(photo_id, FULL), target)
    except ObjectNotFound:
        return False
    return True
