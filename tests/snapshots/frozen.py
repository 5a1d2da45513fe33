"""A link to the frozen market: real outbox and copies on disk, no network, no moving clock."""

import asyncio
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from client_tui.app import PickyApp
from client_tui.core.cache import Cache
from client_tui.core.credentials import Credentials
from client_tui.core.errors import ServerUnreachable
from client_tui.core.outbox import Outbox
from client_tui.core.paths import Paths
from client_tui.core.status import LineState, Status
from client_tui.link import Link
from client_tui.pictures import Pictures
from server.app.demo.pictures import listing_pictures
from shared_models.base import Page
from shared_models.chat import MessagePage
from shared_models.media import Photo
from shared_models.sync import Bootstrap
from tests.snapshots import scene

SERVER = "http://127.0.0.1:1"


class FrozenClock:
    """It is always the same moment."""

    def now(self) -> datetime:
        """The moment of the scene."""
        return scene.NOW

    def monotonic(self) -> float:
        """No time passes."""
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """For ever."""
        await asyncio.Event().wait()


class FrozenApi:
    """Answers what the scene says; a call that the scene does not know is an error of the test."""

    def __init__(self, *, empty: bool = False, offline: bool = False) -> None:
        self._empty = empty
        self._offline = offline

    def _page(self, items: list[Any]) -> Page[Any]:
        if self._offline:
            raise ServerUnreachable(SERVER, "connection refused")
        return Page(items=[] if self._empty else items)

    async def listings(self, *_: Any, **__: Any) -> Page[Any]:
        return self._page(scene.cards())

    async def recently_viewed(self, **_: Any) -> Page[Any]:
        return self._page(scene.cards()[2:4])

    async def likes(self, **_: Any) -> Page[Any]:
        return self._page(scene.cards()[3:4])

    async def past_searches(self, **_: Any) -> Page[Any]:
        return Page(items=[])

    async def listing(self, listing_id: UUID) -> Any:
        number = next(n for n, card in enumerate(scene.cards()) if card.id == listing_id)
        return scene.listing(number, mine=number == 6)

    async def rooms(self, **_: Any) -> Page[Any]:
        return self._page([])

    async def room(self, room_id: UUID) -> Any:
        self._page([])
        return scene.room(1)

    async def messages(self, room_id: UUID, **_: Any) -> MessagePage:
        self._page([])
        talk = scene.messages()
        return MessagePage(
            items=talk,
            first_seq=talk[0].seq,
            last_seq=talk[-1].seq,
            has_more_before=False,
            has_more_after=False,
            profiles={str(card.id): card for card in (scene.ME, scene.MINJI)},
        )

    async def search_messages(self, q: str, **_: Any) -> Page[Any]:
        return self._page(
            [one for one in scene.messages()[::-1] if one.sender_id and q in one.text.lower()]
        )

    async def trades(self, **_: Any) -> Page[Any]:
        return self._page(scene.trades())

    async def trade(self, trade_id: UUID) -> Any:
        self._page([])
        return next(trade for trade in scene.trades() if trade.id == trade_id)

    async def notifications(self, **_: Any) -> Page[Any]:
        return self._page(scene.notifications())

    async def profile(self, account_id: UUID) -> Any:
        return scene.profile()

    async def blocks(self, **_: Any) -> Page[Any]:
        return self._page(scene.blocked())

    async def reviews(self, account_id: UUID, **_: Any) -> Page[Any]:
        return self._page(scene.reviews())

    async def account_listings(self, account_id: UUID, **_: Any) -> Page[Any]:
        return self._page(scene.cards()[:2])

    async def aclose(self) -> None:
        """Nothing to close."""


class SilentSession:
    """A line on which nothing is heard."""

    def mark_read(self, room_id: UUID, seq: int) -> None:
        """Not sent."""

    def retry_now(self) -> None:
        """Not tried."""

    def unanswered_s(self) -> float:
        """Nothing was asked."""
        return 0.0

    async def typing(self, room_id: UUID, on: bool) -> None:
        """Not sent."""

    async def open(self, room_id: UUID) -> None:
        """Not sent."""

    async def close(self, room_id: UUID) -> None:
        """Not sent."""


class SilentDelivery:
    """Delivers nothing: what is written stays queued."""

    def wake(self) -> None:
        """Stays asleep."""


_DRAWN = ("chair", "chair", "tablet", "monstera", "bicycle", "jacket", "lamp", "book_stack")
_COLOURS = ("oak", "black", "silver", "green", "red", "navy", "gold", "cream")


class DrawnPhotos:
    """Photos of the demo market's artist, on disk: one of the thing that the number says."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def get(self, photo: Photo, size: str) -> Path:
        """The file of a photo, whatever its size."""
        number = photo.id.int & 0xFF
        drawing, colour = (table[number % 11 % 8] for table in (_DRAWN, _COLOURS))
        picture = listing_pictures(Random(number), drawing, colour, 1, str(number))[0]
        path = self._directory / picture.name
        if not path.exists():  # in another size it may be being read
            path.write_bytes(picture.data)
        return path


class MissingPhotos:
    """Photos that nobody has."""

    async def get(self, photo: Photo, size: str) -> Path:
        """Never comes."""
        raise ServerUnreachable(SERVER, "connection refused")


class FrozenLink(Link):
    """Signed in as Jun; nothing moves."""

    def __init__(
        self, home: Path, *, empty: bool = False, offline: bool = False, photos: Any = None
    ) -> None:
        super().__init__(Paths(home / "config", home / "data", home / "cache"), clock=FrozenClock())
        self.pictures = Pictures(photos)
        self.credentials = Credentials(SERVER, scene.ME.id, "jun", "token")
        self._empty = empty
        self._is_offline = offline

    async def start(self) -> None:
        """Take the scene."""
        self.api = FrozenApi(empty=self._empty, offline=self._is_offline)  # type: ignore[assignment]
        self.outbox = await Outbox(self.paths.data / "outbox.db", clock=self.clock).open()
        self.cache = await Cache(self.paths.cache / "cache.db", scene.ME.id).open()
        self.session = SilentSession()  # type: ignore[assignment]
        self.delivery = SilentDelivery()  # type: ignore[assignment]
        self._open = True
        self.store.market = scene.market()
        self.store.reset(
            Bootstrap(
                epoch=scene.make_id(11, 1),
                pos=1,
                account=scene.ACCOUNT,
                chatrooms=[] if self._empty else [scene.room(number) for number in (1, 2, 3)],
                trades=[] if self._empty else scene.trades(),
                unread_notifications=0 if self._empty else 2,
            )
        )

    async def run(self) -> None:
        """Online, or trying."""
        if self._is_offline:
            self.status_changed(Status(LineState.OFFLINE, 4.0, "the server was not reached"))
        else:
            self.status_changed(Status(LineState.ONLINE))
        await asyncio.Event().wait()


def frozen_app(home: Path, *, theme: str | None = None, **link: Any) -> PickyApp:
    """The app on the frozen market."""
    app = PickyApp(FrozenLink(home, **link), theme=theme)
    app.animation_level = "none"
    return app
