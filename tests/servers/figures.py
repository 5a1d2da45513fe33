"""What a process has counted, in this process's own metrics or in the text of another's."""

from prometheus_client import REGISTRY


def figure(name: str, **labels: str) -> float:
    """What a sample of this process stands at; 0 when there is none yet."""
    return REGISTRY.get_sample_value(name, labels) or 0


class Counting:
    """How much samples have grown since this was made."""

    def __init__(self) -> None:
        self._before = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in REGISTRY.collect()
            for sample in family.samples
        }

    def grown(self, name: str, **labels: str) -> float:
        """By how much a sample has grown."""
        return figure(name, **labels) - self._before.get((name, frozenset(labels.items())), 0)
