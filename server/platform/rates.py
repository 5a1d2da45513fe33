"""Token buckets, by account and by address, in this process's memory."""

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.platform.errors import TooMany

_KEPT_BUCKETS = 50_000


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` at once, then ``per_second`` more each second."""

    name: str
    burst: float
    per_second: float


class RateLimiter:
    """All buckets of this process; the least recently used are forgotten."""

    def __init__(self, monotonic: Callable[[], float], *, enabled: bool = True) -> None:
        self._monotonic = monotonic
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self.enabled = enabled

    def wait_s(self, rates: Sequence[Rate], subject: str) -> float:
        """Take a token of each bucket and return 0, or none and the seconds until each has one."""
        if not self.enabled:
            return 0.0
        now = self._monotonic()
        levels = [self._level(rate, subject, now) for rate in rates]
        waits = [(1 - level) / rate.per_second for rate, level in zip(rates, levels, strict=True)]
        wait = max(0.0, *waits)
        for rate, level in zip(rates, levels, strict=True):
            self._buckets[rate.name, subject] = (level if wait else level - 1, now)
            if len(self._buckets) > _KEPT_BUCKETS:
                self._buckets.popitem(last=False)
        return wait

    def _level(self, rate: Rate, subject: str, now: float) -> float:
        level, at = self._buckets.pop((rate.name, subject), (rate.burst, now))
        return min(rate.burst, level + (now - at) * rate.per_second)

    def take(self, rate: Rate, subject: str) -> None:
        """Take one token, or refuse with the seconds to wait."""
        wait = self.wait_s([rate], subject)
        if wait > 0:
            seconds = math.ceil(wait)
            raise TooMany(f"Too fast. Try again in {seconds} s.", retry_after_s=seconds)
