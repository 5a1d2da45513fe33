"""Which plots are played, how often, about what kind of thing, and how long ago."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from server.app.demo import plots
from server.app.demo.content import Thing
from server.app.demo.plots import ScenePlot
from shared_models.market import Method

_DAY = 24


@dataclass(frozen=True, slots=True)
class Part:
    """How often a plot is played.

    One letter for each time: "s" the demo person sells, "b" buys, "." others are among themselves.
    `ago` is in hours, from the nearest to the farthest start that leaves the plot's last state
    standing. The first few have a bystander: somebody else who is interested in the same thing.
    """

    plot: ScenePlot
    ago: tuple[float, float]
    large: str
    small: str = ""
    needs: Callable[[Thing], bool] = lambda thing: (
        thing.price > 0 and thing.method is not Method.POST
    )
    bystanders: int = 0


@dataclass(frozen=True, slots=True)
class Role:
    """One time that a plot is played, and by whom."""

    plot: ScenePlot
    start: datetime
    kind: str
    needs: Callable[[Thing], bool]
    bystander: bool


def _can_post(thing: Thing) -> bool:
    return thing.price > 0 and thing.method is not Method.MEET


def _can_haggle(thing: Thing) -> bool:
    return thing.negotiable


def _is_gift(thing: Thing) -> bool:
    return thing.price == 0


CAST = (
    Part(plots.enquiry, (1, 2 * _DAY), "sbb..", "sb"),
    Part(plots.offer_pending, (2, 40), "sss.", "s", _can_haggle, bystanders=2),
    Part(plots.offer_countered, (3, 40), "b.", "b", _can_haggle),
    Part(plots.offer_declined, (12, 20 * _DAY), "b.", "b", _can_haggle),
    Part(plots.offer_withdrawn, (12, 20 * _DAY), ".", "", _can_haggle),
    Part(plots.offer_pending, (3 * _DAY, 20 * _DAY), "b.", "", _can_haggle),
    Part(plots.reserved, (3, 60), "sb.", "s", bystanders=1),
    Part(plots.reserved_by_offer, (4, 60), "s.", "", _can_haggle),
    Part(plots.handed_over, (12, 60), "b.", "b"),
    Part(plots.received, (12, 60), "s.", ""),
    Part(plots.posted, (20, 6 * _DAY), "b.", "b", _can_post),
    Part(plots.disputed, (20, 10 * _DAY), "s.", "s"),
    Part(plots.disputed_by_post, (3 * _DAY, 20 * _DAY), ".", "", _can_post),
    Part(plots.completed_unreviewed, (_DAY, 12 * _DAY), ".", ""),
    Part(plots.completed_waiting, (_DAY, 11 * _DAY), "s.", "s"),
    Part(plots.completed_asked, (_DAY, 11 * _DAY), "b.", ""),
    Part(plots.completed, (3 * _DAY, 40 * _DAY), "sb..", "sb", bystanders=2),
    Part(plots.completed_by_timer, (5 * _DAY, 35 * _DAY), "..", "."),
    Part(plots.given_away, (2 * _DAY, 30 * _DAY), "s.", "", _is_gift),
    Part(plots.arrived, (5 * _DAY, 35 * _DAY), "b.", "b", _can_post),
    Part(plots.arrived_by_timer, (9 * _DAY, 30 * _DAY), ".", "", _can_post),
    Part(plots.canceled_by_post, (3 * _DAY, 25 * _DAY), ".", "", _can_post),
    Part(plots.changed_mind, (2 * _DAY, 30 * _DAY), "s", "s"),
    Part(plots.sold_elsewhere, (2 * _DAY, 30 * _DAY), "b", ""),
    Part(plots.no_reply, (2 * _DAY, 30 * _DAY), ".", ""),
    Part(plots.price_trouble, (2 * _DAY, 30 * _DAY), ".", ""),
    Part(plots.other_reason, (2 * _DAY, 30 * _DAY), ".", ""),
    Part(plots.no_show, (4 * _DAY, 25 * _DAY), "s", "."),
    Part(plots.forgotten, (9 * _DAY, 35 * _DAY), ".", ""),
)


def roles(rng: Random, end: datetime, *, small: bool) -> Iterator[Role]:
    """Every time that a plot is played."""
    for part in CAST:
        for index, kind in enumerate(part.small if small else part.large):
            ago = timedelta(hours=rng.uniform(*part.ago))
            bystander = index < part.bystanders and not small
            yield Role(part.plot, end - ago, kind, part.needs, bystander)
