"""Figures between two looks at the metrics of one process, or of several in sum."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Look:
    """All samples of one process at a moment (in seconds), by their names and labels."""

    at: float
    samples: dict[str, dict[Labels, float]]


def parse(text: str, at: float) -> Look:
    """The look that a text of ``/metrics`` gives; ``ValueError`` when it is none. What a process
    cannot say now is no number, and no sample.
    """
    samples: defaultdict[str, dict[Labels, float]] = defaultdict(dict)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if math.isnan(sample.value):
                continue
            samples[sample.name][frozenset(sample.labels.items())] = sample.value
    return Look(at, dict(samples))


@dataclass(frozen=True, slots=True)
class Step:
    """Two looks at one process, one after the other; at first there is no earlier one."""

    before: Look | None
    now: Look

    @property
    def seconds(self) -> float:
        """How long it was from one to the other; 0 at first."""
        return 0.0 if self.before is None else self.now.at - self.before.at

    def grown(self, name: str) -> dict[Labels, float]:
        """By how much each counter of this name has grown; of one that began anew, all of it."""
        if self.before is None:
            return {}
        old = self.before.samples.get(name, {})
        return {
            labels: value - old.get(labels, 0) if value >= old.get(labels, 0) else value
            for labels, value in self.now.samples.get(name, {}).items()
        }


@dataclass(frozen=True, slots=True)
class Window:
    """What one process or several did between two looks."""

    steps: Sequence[Step]

    def total(self, name: str, by: str = "") -> dict[str, float]:
        """What gauges or counters stand at, in sum: by a label, or all of them under ``""``."""
        return _summed((step.now.samples.get(name, {}) for step in self.steps), by)

    def most(self, name: str, by: str = "") -> dict[str, float]:
        """The same of whichever process says most: for what all of them tell of one database."""
        found: dict[str, float] = {}
        for step in self.steps:
            for label, value in _summed([step.now.samples.get(name, {})], by).items():
                found[label] = max(value, found.get(label, value))
        return found

    def rates(self, name: str, by: str = "") -> dict[str, float]:
        """By how much counters grow a second, summed like totals."""
        a_second = (
            {labels: grown / step.seconds for labels, grown in step.grown(name).items()}
            for step in self.steps
            if step.seconds > 0
        )
        return _summed(a_second, by)

    def quantile(self, name: str, share: float) -> float | None:
        """Below which figure this share of a histogram's observations were; None without any."""
        counts: defaultdict[float, float] = defaultdict(float)
        for step in self.steps:
            for labels, value in step.grown(f"{name}_bucket").items():
                counts[float(dict(labels)["le"])] += value
        return _interpolated(sorted(counts.items()), share)


def _summed(parts: Iterable[Mapping[Labels, float]], by: str) -> dict[str, float]:
    summed: defaultdict[str, float] = defaultdict(float)
    for part in parts:
        for labels, value in part.items():
            summed[dict(labels).get(by, "")] += value
    return dict(summed)


def _interpolated(buckets: Sequence[tuple[float, float]], share: float) -> float | None:
    """As Prometheus reckons: evenly within the bucket that the share falls into."""
    if not buckets or buckets[-1][1] == 0:
        return None
    wanted = share * buckets[-1][1]
    lower, below = 0.0, 0.0
    for upper, count in buckets:
        if count >= wanted:
            if math.isinf(upper):
                return lower
            return lower + (upper - lower) * (wanted - below) / (count - below)
        lower, below = upper, count
    return lower
