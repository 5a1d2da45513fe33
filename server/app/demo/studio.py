"""Draws the pictures of the demo market in a process of its own, while the market moves in."""

import os
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from random import Random
from threading import Thread
from types import TracebackType
from typing import Self

from server.app.demo.avatars import avatar
from server.app.demo.content import Person, Thing
from server.app.demo.pictures import Picture, listing_pictures


class Studio:
    """Draws in the order of the requests; close it when all pictures have been fetched."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._pool = ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=_end_with_parent
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def face(self, person: Person) -> Future[list[Picture]]:
        """Somebody's face."""
        return self._pool.submit(_face, self._rng.random(), person)

    def thing(self, thing: Thing) -> Future[list[Picture]]:
        """All pictures of a thing."""
        return self._pool.submit(_thing, self._rng.random(), thing)


def _end_with_parent() -> None:
    """Nothing is left running when the process that asked for the pictures is killed."""
    parent = parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    Thread(target=follow, name="follow-parent", daemon=True).start()


def _face(seed: float, person: Person) -> list[Picture]:
    return [avatar(Random(seed), person.look, person.handle)]


def _thing(seed: float, thing: Thing) -> list[Picture]:
    return listing_pictures(
        Random(seed), thing.drawing, thing.colour, thing.pictures, thing.drawing
    )
