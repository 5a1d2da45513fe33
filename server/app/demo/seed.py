"""Fills a fresh market with thirty people, their things and their talk, the same for each seed.

Everything goes the way a client's requests go, at moments of the past that a movable clock plays;
only old messages are imported in bulk.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from uuid import UUID

import httpx
from fastapi import FastAPI

from server.app.asgi import create_app
from server.app.background import runners
from server.app.container import build_context, close_context
from server.app.demo.casting import DEMO, FRIEND, Casting, Scale
from server.app.demo.content import Person, people
from server.app.demo.progress import Progress, Report
from server.app.demo.stage import Offered, Stage, play
from server.app.demo.story import Story
from server.app.demo.studio import Studio
from server.app.demo.uploads import Album, upload_all
from server.app.demo.visitor import Visitor, sign_up
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
        watched=False,
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
        with Studio(self.rng) as studio:
            drawn_faces = [studio.face(person) for person in persons[: self.scale.faces]]
            drawn_things = [studio.thing(item.thing) for item in items]
            everybody = await self._move_in(client, persons, end)
            stage = Stage(self.context, self.clock, end, self.rng, Worker(self.context, runners()))
            shelf = [Offered(item.thing, everybody[item.seller], item.published) for item in items]
            story = Story(stage, everybody)
            story.open_shop(items, shelf)
            story.run_errands(items, shelf, drafts)

            faces = [
                Album(visitor, Purpose.AVATAR, 1, drawn)
                for visitor, drawn in zip(everybody, drawn_faces, strict=False)
            ]
            photos = [
                Album(offered.seller, Purpose.LISTING, offered.thing.pictures, drawn)
                for offered, drawn in zip(shelf, drawn_things, strict=True)
            ]
            pictures = sum(album.count for album in (*faces, *photos))
            progress = Progress(pictures + len(story.plots), report)
            self.clock.move_to(end)
            await upload_all(self.context, [*faces, *photos], partial(progress.add, "pictures"))
        for face in faces:
            await face.owner.patch("/me", avatar=face.photo_ids[0])
        for offered, album in zip(shelf, photos, strict=True):
            offered.photo_ids = album.photo_ids
        self.ids.turn_to(1)
        await play(stage, story.plots, partial(progress.add, "the last weeks"))
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
        self._remember(visitors)
        return visitors

    def _remember(self, everybody: Sequence[Visitor]) -> None:
        """Know the tokens by heart: asking the database for each request costs a third of it."""
        actors = {visitor.token: Actor(visitor.id, visitor.session_id) for visitor in everybody}

        async def resolve(_work: UnitOfWork, token: str) -> Actor:
            return actors[token]

        usual = self.context.wiring.port(Authenticator)
        self.context.wiring.provide(Authenticator, replace(usual, resolve=resolve))
