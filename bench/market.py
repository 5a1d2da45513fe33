"""A server to measure, and people to use it with."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from PIL import Image

from bench.figures import Watched
from client_tui.core.api import Api, Http
from client_tui.core.forms import fill
from client_tui.core.uploads import Uploader
from server.platform.migrate import upgrade
from shared_models.accounts import SignUp
from shared_models.listings import Listing, ListingCreate
from shared_models.media import Purpose
from tests.servers.lifetime import Lifetime
from tests.servers.picky import PickyServer, start_picky
from tests.servers.postgres import Postgres, start_postgres

PASSWORD = "a bench is to sit on"


@dataclass(slots=True)
class Market:
    """A running server on one of the two databases."""

    server: PickyServer
    database_url: str
    postgres: Postgres | None
    scratch: Path
    start: Callable[[int], PickyServer]
    """Starts a server on a port."""

    def restart(self) -> None:
        """Kill the server, and start it again where it was."""
        self.server.kill()
        self.server = self.start(self.server.port)

    @property
    def watched(self) -> Watched:
        """The processes whose CPU counts."""
        return Watched((self.server.pid,), self.postgres.pid if self.postgres else None)


@contextmanager
def running_market(database: str, *, under: Sequence[str | Path] = ()) -> Iterator[Market]:
    """A fresh market on `sqlite` or `postgresql`, durable as in deployment; `under` a command."""
    with Lifetime.begin() as lifetime:
        postgres = None
        url = f"sqlite:///{lifetime.directory / 'bench.db'}"
        if database == "postgresql":
            postgres = start_postgres(lifetime, "postgres", durable=True)
            url = postgres.create_database("bench")
        upgrade(url)

        def start(port: int) -> PickyServer:
            return start_picky(
                lifetime, port=port, database_url=url, under=under, log_level="WARNING"
            )

        yield Market(start(0), url, postgres, lifetime.directory, start)


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in account and its calls."""

    api: Api
    token: str
    id: UUID


async def sign_up(market: Market, handle: str) -> Person:
    """A new account."""
    async with Api(Http(market.server.url)) as visitor:
        form = fill(SignUp, handle=handle, password=PASSWORD, display_name=handle)
        signed_in = await visitor.sign_up(form)
    api = Api(Http(market.server.url, signed_in.token))
    return Person(api, signed_in.token, signed_in.account.id)


async def sell(market: Market, seller: Person, title: str) -> Listing:
    """A listing with one photo, made as people make it."""
    path = market.scratch / "photo.png"
    Image.new("RGB", (320, 240), (200, 120, 60)).save(path)
    [photo] = await Uploader(seller.api).photos(Purpose.LISTING, [path])
    form = fill(
        ListingCreate,
        title=title,
        description="It is as good as on the day it was made.",
        category="furniture",
        condition="good",
        price=45_000,
        photo_ids=[photo.id],
    )
    return await seller.api.create_listing(form)
