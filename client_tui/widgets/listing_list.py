"""The list of listings that browse, a profile and a person's page have."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from client_tui.widgets.listing_cards import CardColors, ListingCards
from client_tui.widgets.virtual_list import VirtualList
from shared_models.listings import ListingCard

if TYPE_CHECKING:
    from client_tui.link import Link


class ListingList(VirtualList[ListingCard]):
    """Listings as cards. A cover that has come takes the place of its placeholder."""

    def __init__(
        self,
        link: "Link",
        *,
        id: str,
        changed: Callable[[ListingCard], bool] = lambda _: False,
    ) -> None:
        """``changed``: whether a card has changed under the eyes of the reader."""
        self._pictures = link.pictures
        cards = ListingCards(
            link.market,
            self._pictures.draw,
            link.now,
            lambda: CardColors.of(self.app.theme_variables),
            changed,
        )
        super().__init__(cards, id=id)

    def on_mount(self) -> None:
        """Hear when a cover has come."""
        self._forget_pictures = self._pictures.subscribe(self._picture_ready)

    def on_unmount(self) -> None:
        """Hear no more."""
        self._forget_pictures()

    def _picture_ready(self, photo_id: UUID) -> None:
        """Also where it is out of view: its card keeps what was drawn of it."""
        keys = [key for key in self.keys if self._has_cover(key, photo_id)]
        if keys:
            self.invalidate(*keys)

    def _has_cover(self, key: int, photo_id: UUID) -> bool:
        cover = self.item(key).cover
        return cover is not None and cover.id == photo_id
