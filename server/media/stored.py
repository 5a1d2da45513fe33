"""What must be in the object store by what the database says, for a backup to compare."""

from collections.abc import AsyncIterator
from uuid import UUID

from server.media import repository
from server.media.keys import FULL, THUMB, copy_key, original_key
from server.platform.unit_of_work import UnitOfWork
from shared_models.media import UploadState

_PAGE = 1000


async def stored_keys(work: UnitOfWork) -> AsyncIterator[str]:
    """The keys of all photos' copies, and of the originals that are still to be processed."""
    after: UUID | None = None
    while rows := await repository.with_objects(work, after, _PAGE):
        for row in rows:
            if row.state == UploadState.READY:
                yield copy_key(row.id, THUMB)
                yield copy_key(row.id, FULL)
            else:
                yield original_key(row.id)
        after = rows[-1].id
