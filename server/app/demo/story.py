"""Everything that happens in the demo market, each with the moment at which it begins."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from server.app.demo import neighbourhood, plots
from server.app.demo.casting import DEMO, Interest, Item
from server.app.demo.content import Thing
from server.app.demo.scene import Scene
from server.app.demo.stage import Offered, Plot, Stage
from server.app.demo.visitor import Visitor

_NUDGED = (plots.enquiry, plots.offer_pending, plots.reserved, plots.received, plots.posted)
_CAUGHT_UP_AFTER = timedelta(hours=36)


class Story:
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

    def run_errands(
        self, items: Sequence[Item], shelf: Sequence[Offered], drafts: Sequence[Thing]
    ) -> None:
        """What the demo person and some others do besides."""
        demo, before = self._demo, self._before
        settled = self._stage.end - timedelta(days=2)
        plain = [
            offered
            for item, offered in zip(items, shelf, strict=True)
            if item.seller != DEMO and not item.interests and item.published < settled
        ]
        for number, thing in enumerate(drafts):
            before(30 + 20 * number, neighbourhood.draft, thing, demo)
        before(26, neighbourhood.window_shopping, demo, plain[::6][:10])
        before(20, neighbourhood.following, demo, self._everybody[3:8])
        dear = [offered for offered in plain[1::6] if offered.thing.price > neighbourhood.LOWEST]
        for number, offered in enumerate(dear[:3]):
            before(12 + number, neighbourhood.price_cut, offered)
        for number, offered in enumerate(plain[2::6][:3]):
            before(16 + number, neighbourhood.sold_elsewhere, offered)
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
