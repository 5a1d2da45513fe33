"""Fills a fresh market with thirty people, their things and their talk, the same for each seed.

Everything goes the way a client's requests go, at moments of the past that a movable clock plays;
only old messages are imported in bulk.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI

from server.app.asgi import create_app
from server.app.container import build_context, close_context
from server.app.demo import neighbourhood, plots
from server.app.demo.avatars import avatar
from server.app.demo.casting import DEMO, FRIEND, Casting, Interest, Item, Scale
from server.app.demo.content import Person, Thing, people
from server.app.demo.pictures import Picture, listing_pictures
from server.app.demo.progress import Progress, Report
from server.app.demo.scene import Scene
from server.app.demo.stage import Offered, Plot, Stage, play
from server.app.demo.uploads import Album, upload_all
from server.app.demo.visitor import Visitor, sign_up
from server.app.rooms import runners
from server.app.settings import Settings
from server.platform.clock import MovableClock
from server.platform.context import Actor, Context
from server.platform.http import Authenticator
from server.platform.ids import seeded_uuid7
from server.platform.jobs import Worker
from server.platform.migrate import upgrade_database
from server.platform.passwords import Passwords
from server.platform.unit_of_work import UnitOfWork
from shared_models.media import Purpose

PASSWORD = "second-hand and happy"
"""Of everybody in a demo market; it keeps nothing secret."""

BASE_URL = "http://demo.invalid"
_NUDGED = (plots.enquiry, plots.offer_pending, plots.reserved, plots.received, plots.posted)
_CAUGHT_UP_AFTER = timedelta(hours=36)


class Ids:
    """Ids that are the same for the same seed, in chapters: what happens at once in one chapter
    cannot move the ids of the next.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._make = seeded_uuid7(seed)

    def __call__(self, moment: datetime) -> UUID:
        """The next id."""
        return self._make(moment)

    def turn_to(self, chapter: int) -> None:
        """Begin a chapter."""
        self._make = seeded_uuid7(self._seed * 100 + chapter)


@dataclass(frozen=True, slots=True)
class Seeded:
    """How to sign in to the market that was filled."""

    handle: str
    password: str


async def fill(
    settings: Settings, *, seed: int, scale: Scale, end: datetime, report: Report
) -> Seeded:
    """Fill the market of these settings; `end` is its present. Raises :class:`SeedingFailed`."""
    clock, ids = MovableClock(end), Ids(seed)
    context = build_context(
        settings,
        base_url=BASE_URL,
        clock=clock,
        make_id=ids,
        passwords=Passwords(time_cost=1, memory_kib=8),  # there is one password, and it is known
    )
    context.rates.enabled = False
    try:
        await upgrade_database(context.database)
        app = create_app(context, settings)
        async with _client(app) as client:
            seeding = Seeding(context, clock, ids, Random(seed), scale)
            return await seeding.run(client, report)
    finally:
        await close_context(context)


def _client(app: FastAPI) -> httpx.AsyncClient:
    """A client whose requests reach the application without a socket; presigned ones of a real
    object store go out to it.
    """
    here = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(base_url=BASE_URL, mounts={BASE_URL: here}, timeout=60)


@dataclass(frozen=True, slots=True)
class Seeding:
    """One filling of one market."""

    context: Context
    clock: MovableClock
    ids: Ids
    rng: Random
    scale: Scale

    async def run(self, client: httpx.AsyncClient, report: Report) -> Seeded:
        """Everything, in order."""
        end, persons = self.clock.now(), people()
        casting = Casting(self.rng, persons, self.scale, end)
        items, drafts = casting.items(), casting.drafts()
        everybody = await self._move_in(client, persons, end)
        self._remember(everybody)
        shelf = [_offered(item, everybody) for item in items]
        albums = [*self._faces(everybody), *self._photos(items, shelf)]
        stage = Stage(self.context, self.clock, end, self.rng, Worker(self.context, runners()))
        story = _Story(stage, everybody)
        story.open_shop(items, shelf)
        story.run_errands(drafts, shelf)

        progress = Progress(sum(album.count for album in albums) + len(story.plots), report)
        self.clock.move_to(end)
        await upload_all(self.context, albums, lambda: progress.add(1, "drawing pictures"))
        for visitor, face in zip(everybody, albums, strict=False):
            await visitor.patch("/me", avatar=face.photo_ids[0])
        for offered, album in zip(shelf, albums[len(everybody) :], strict=True):
            offered.photo_ids = album.photo_ids
        self.ids.turn_to(1)
        await play(stage, story.plots, lambda: progress.add(1, "living the last weeks"))
        await everybody[DEMO].delete("/sessions/current")
        return Seeded(persons[DEMO].handle, PASSWORD)

    async def _move_in(
        self, client: httpx.AsyncClient, persons: Sequence[Person], end: datetime
    ) -> list[Visitor]:
        """Everybody signs up at a moment of their own; the two friends first of all."""
        first_days = self.scale.talk_days + 30
        visitors = []
        for number, person in enumerate(persons):
            is_friend = number == DEMO or person.handle == FRIEND
            days = first_days if is_friend else self.rng.randint(60, first_days)
            self.clock.move_to(end - timedelta(days=days, minutes=self.rng.randint(0, 700)))
            visitors.append(await sign_up(client, person, PASSWORD))
        return visitors

    def _remember(self, everybody: Sequence[Visitor]) -> None:
        """Know the tokens by heart: asking the database for each request costs a third of it."""
        actors = {visitor.token: Actor(visitor.id, visitor.session_id) for visitor in everybody}

        async def resolve(_work: UnitOfWork, token: str) -> Actor:
            return actors[token]

        self.context.wiring.provide(Authenticator, Authenticator(resolve))

    def _faces(self, everybody: Sequence[Visitor]) -> Iterator[Album]:
        for visitor in everybody:
            draw = partial(_face, self.rng.random(), visitor.person)
            yield Album(visitor, Purpose.AVATAR, 1, draw)

    def _photos(self, items: Sequence[Item], shelf: Sequence[Offered]) -> Iterator[Album]:
        for item, offered in zip(items, shelf, strict=True):
            draw = partial(_views, self.rng.random(), item.thing)
            yield Album(offered.seller, Purpose.LISTING, item.thing.pictures, draw)


def _face(seed: float, person: Person) -> list[Picture]:
    return [avatar(Random(seed), person.look, person.handle)]


def _views(seed: float, thing: Thing) -> list[Picture]:
    return listing_pictures(
        Random(seed), thing.drawing, thing.colour, thing.pictures, thing.drawing
    )


def _offered(item: Item, everybody: Sequence[Visitor]) -> Offered:
    return Offered(
        item.thing, everybody[item.seller], item.published, has_story=bool(item.interests)
    )


class _Story:
    """Collects every plot with the moment at which it begins."""

    def __init__(self, stage: Stage, everybody: Sequence[Visitor]) -> None:
        self.plots: list[tuple[datetime, Plot]] = []
        self._stage = stage
        self._everybody = everybody
        self._demo = everybody[DEMO]
        self._seen: list[Scene] = []
        self._nudged: list[Scene] = []

    def open_shop(self, items: Sequence[Item], shelf: Sequence[Offered]) -> None:
        """Every listing, who likes it, and what happens in its chats."""
        for item, offered in zip(items, shelf, strict=True):
            likers = [(at, self._everybody[number]) for at, number in item.likes]
            window = neighbourhood.shop_window(self._stage, offered, likers)
            self.plots.append((item.published, window))
            for interest in item.interests:
                scene = Scene(self._stage, offered, self._everybody[interest.buyer])
                self.plots.append((interest.start, interest.plot(scene)))
                if self._demo in (scene.buyer, scene.seller):
                    self._note(scene, interest)

    def run_errands(self, drafts: Sequence[Thing], shelf: Sequence[Offered]) -> None:
        """What the demo person and some others do besides."""
        demo, before = self._demo, self._before
        settled = self._stage.end - timedelta(days=2)
        plain = [
            one
            for one in shelf
            if one.seller is not demo and not one.has_story and one.last_at < settled
        ]
        for number, thing in enumerate(drafts):
            before(30 + 20 * number, neighbourhood.draft, thing, demo)
        before(26, neighbourhood.window_shopping, demo, plain[::6][:10])
        before(20, neighbourhood.following, demo, self._everybody[3:8])
        for number, offered in enumerate(plain[1::6][:3]):
            before(12 + number, neighbourhood.price_cut, offered)
        before(1.5, neighbourhood.catching_up, self._stage, demo, self._seen)
        for number, scene in enumerate(self._nudged):
            before(0.2 + 0.15 * number, neighbourhood.nudge, scene, demo)

    def _note(self, scene: Scene, interest: Interest) -> None:
        if interest.start < self._stage.end - _CAUGHT_UP_AFTER:
            self._seen.append(scene)
        elif interest.plot in _NUDGED:
            self._nudged.append(scene)

    def _before(self, hours: float, errand: Callable[..., Awaitable[None]], *about: Any) -> None:
        """Do it so many hours before the present."""
        moment = self._stage.end - timedelta(hours=hours)
        self.plots.append((moment, neighbourhood.once(partial(errand, *about))))
