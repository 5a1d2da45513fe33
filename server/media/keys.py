"""Where an upload's objects are in the store; an object under a copy's key never changes."""

from uuid import UUID

COPY_TYPE = "image/jpeg"
COPY_CACHE = "public, max-age=86400, immutable"
"""Only who is given a signed URL reads a copy, and a cache keeps it by that; a deleted one for at
most a day."""
THUMB, FULL = "thumb", "full"


def original_key(upload_id: UUID) -> str:
    """What the client uploaded; gone once it is processed."""
    return f"originals/{upload_id}"


def copy_key(photo_id: UUID, copy: str) -> str:
    """A re-encoded copy: ``thumb`` or ``full``."""
    return f"photos/{photo_id}/{copy}.jpg"


def all_keys(upload_id: UUID) -> tuple[str, ...]:
    """Everything that an upload may have in the store."""
    return (original_key(upload_id), copy_key(upload_id, THUMB), copy_key(upload_id, FULL))
