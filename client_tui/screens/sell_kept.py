"""A form of a listing that is not on the server yet: on disk, so that it outlives the terminal."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from client_tui.core.drafts import Drafts
from client_tui.core.errors import StorageFailed
from client_tui.widgets.photo_upload import PhotoUpload
from shared_models.listings import Listing
from shared_models.media import Photo


class KeptForm:
    """One form of a kind: that of something new, or of a listing. A full disk loses only this."""

    def __init__(self, drafts: Drafts, listing: Listing | None) -> None:
        self._drafts = drafts
        self._name = str(listing.id) if listing else "new"

    async def keep(
        self, listing: Listing | None, values: dict[str, Any], uploads: Sequence[PhotoUpload]
    ) -> None:
        """Keep it as it is; ``listing`` is what something new has become meanwhile."""
        photos = [
            one.photo.model_dump(mode="json") if one.photo else str(one.path) for one in uploads
        ]
        form = {name: value for name, value in values.items() if name != "photo_ids"}
        made = str(listing.id) if listing and self._name == "new" else None
        await self._save({"values": form, "photos": photos, "listing": made})

    async def forget(self) -> None:
        """It is on the server, or given up."""
        await self._save(None)

    async def _save(self, form: dict[str, Any] | None) -> None:
        with contextlib.suppress(StorageFailed):
            await self._drafts.save_form(self._name, form)

    async def read(self) -> dict[str, Any] | None:
        """What was kept when the form was last open; None when nothing was left unsaved."""
        with contextlib.suppress(StorageFailed):
            return await self._drafts.read_form(self._name)
        return None


def made_of(form: dict[str, Any]) -> UUID | None:
    """The draft on the server that the form of something new had become."""
    return UUID(form["listing"]) if form["listing"] else None


def uploads_of(form: dict[str, Any]) -> list[PhotoUpload]:
    """Its photos: those on the server, and files that are yet to go there."""
    return [
        PhotoUpload(path=Path(one))
        if isinstance(one, str)
        else PhotoUpload(photo=Photo.model_validate(one))
        for one in form["photos"]
    ]
