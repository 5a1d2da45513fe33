"""Token buckets, by account and by address, in this process's memory."""

import math
from collections import OrderedDict
from collections.abc import Callable
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

    def wait_s(self, rate: Rate, subject: str) -> float:
        """Take one token and return 0, or take none and return the seconds until there is one."""
        if not self.enabled:
            return 0.0
        now = self._monotonic()
        key = (rate.name, subject)
        level, at = self._buckets.pop(key, (rate.burst, now))
        level = min(rate.burst, level + (now - at) * rate.per_second)
        allowed = level >= 1
        self._buckets[key] = (level - 1 if allowed else level, now)
        if len(self._buckets) > _KEPT_BUCKETS:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - level) / rate.per_second

    def take(self, rate: Rate, subject: str) -> None:
        """Take one token, or refuse with the seconds to wait."""
        wait = self.wait_s(rate, subject)
        if wait > 0:
            seconds = math.ceil(wait)
            raise TooMany(f"Too fast. Try again in {seconds} s.", retry_after_s=seconds)
