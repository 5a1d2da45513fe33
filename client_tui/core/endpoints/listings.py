"""The market, listings and uploads."""

from uuid import UUID

from client_tui.core.endpoints.calls import Calls
from shared_models.base import Page
from shared_models.listings import (
    Listing,
    ListingCard,
    ListingCreate,
    ListingFilter,
    ListingPatch,
    PastSearch,
)
from shared_models.market import Market
from shared_models.media import Upload, UploadRequest, Uploads


class ListingCalls(Calls):
    """``/v1/market``, ``/v1/listings`` and the lists of one's own."""

    async def market(self) -> Market:
        """Closed lists and limits; needs no account."""
        return await self._get(Market, "/v1/market")

    async def listings(
        self, wanted: ListingFilter | None = None, *, cursor: str | None = None, limit: int = 20
    ) -> Page[ListingCard]:
        """One page of what the filter lets through; a cursor belongs to its filter."""
        chosen = (wanted or ListingFilter()).model_dump(mode="json", exclude_none=True)
        return await self._page(ListingCard, "/v1/listings", cursor, limit, **chosen)

    async def create_listing(self, form: ListingCreate, *, key: UUID | None = None) -> Listing:
        """Publish a listing or save a draft."""
        return await self._post(Listing, "/v1/listings", form, key=key)

    async def listing(self, listing_id: UUID) -> Listing:
        """A listing in full."""
        return await self._get(Listing, f"/v1/listings/{listing_id}")

    async def update_listing(
        self, listing_id: UUID, patch: ListingPatch, *, version: int
    ) -> Listing:
        """Change what the patch names; :class:`~client_tui.core.errors.Stale` if it moved on."""
        answer = await self.http.call(
            "PATCH",
            f"/v1/listings/{listing_id}",
            body=patch.model_dump_json(exclude_unset=True).encode(),
            version=version,
        )
        return self._read(Listing, answer)

    async def delete_listing(self, listing_id: UUID) -> None:
        """Delete one's own listing."""
        await self._act("DELETE", f"/v1/listings/{listing_id}")

    async def like(self, listing_id: UUID) -> None:
        """Like a listing."""
        await self._act("PUT", f"/v1/listings/{listing_id}/like")

    async def unlike(self, listing_id: UUID) -> None:
        """Undo :meth:`like`."""
        await self._act("DELETE", f"/v1/listings/{listing_id}/like")

    async def bump(self, listing_id: UUID, *, key: UUID | None = None) -> Listing:
        """Move one's own listing to the top of the newest (rule 17)."""
        return await self._post(Listing, f"/v1/listings/{listing_id}/bump", key=key)

    async def sold_elsewhere(self, listing_id: UUID, *, key: UUID | None = None) -> Listing:
        """Say that it was sold without a trade (T15)."""
        return await self._post(Listing, f"/v1/listings/{listing_id}/sold-elsewhere", key=key)

    async def undo_sold_elsewhere(self, listing_id: UUID, *, key: UUID | None = None) -> Listing:
        """Undo :meth:`sold_elsewhere` within a day."""
        return await self._post(Listing, f"/v1/listings/{listing_id}/undo-sold-elsewhere", key=key)

    async def hide(self, listing_id: UUID, *, key: UUID | None = None) -> Listing:
        """Take one's own listing out of sight."""
        return await self._post(Listing, f"/v1/listings/{listing_id}/hide", key=key)

    async def unhide(self, listing_id: UUID, *, key: UUID | None = None) -> Listing:
        """Undo :meth:`hide`."""
        return await self._post(Listing, f"/v1/listings/{listing_id}/unhide", key=key)

    async def likes(self, *, cursor: str | None = None, limit: int = 20) -> Page[ListingCard]:
        """What this account likes."""
        return await self._page(ListingCard, "/v1/me/likes", cursor, limit)

    async def past_searches(
        self, *, cursor: str | None = None, limit: int = 20
    ) -> Page[PastSearch]:
        """What one has searched for, last first."""
        return await self._page(PastSearch, "/v1/me/searches", cursor, limit)

    async def forget_searches(self) -> None:
        """Empty the history of searches."""
        await self._act("DELETE", "/v1/me/searches")

    async def recently_viewed(
        self, *, cursor: str | None = None, limit: int = 20
    ) -> Page[ListingCard]:
        """What this account looked at last."""
        return await self._page(ListingCard, "/v1/me/recently-viewed", cursor, limit)


class UploadCalls(Calls):
    """``/v1/uploads`` and ``/v1/photos``. :mod:`client_tui.core.uploads` does the whole job."""

    async def create_uploads(self, request: UploadRequest, *, key: UUID | None = None) -> Uploads:
        """Ask for places to put files, in the order of the files."""
        return await self._post(Uploads, "/v1/uploads", request, key=key)

    async def complete_upload(self, upload_id: UUID, *, key: UUID | None = None) -> Upload:
        """Say that the bytes are there."""
        return await self._post(Upload, f"/v1/uploads/{upload_id}/complete", key=key)

    async def upload(self, upload_id: UUID) -> Upload:
        """How far an upload is."""
        return await self._get(Upload, f"/v1/uploads/{upload_id}")

    async def photo(self, url: str) -> bytes:
        """The picture behind a photo's ``thumb_url`` or ``full_url``."""
        return await self.http.redirected(url)
