"""Rates: token buckets, by account and by address, in this process's memory, and so many within a
while, counted in the database.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network

from server.platform.errors import TooMany

_KEPT_BUCKETS = 50_000
_HOUSEHOLD_BITS = 64
_NAT64 = ip_network("64:ff9b::/96")
"""IPv4 addresses, each behind this prefix (RFC 6052)."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` at once, then ``per_second`` more each second."""

    name: str
    burst: float
    per_second: float


def household(address: str) -> str:
    """Whose address it is: one connection has 2^64 of IPv6, and none of them is a stranger's."""
    try:
        found = ip_address(address)
    except ValueError:  # a socket of this machine has none
        return address
    if isinstance(found, IPv4Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    if found in _NAT64:
        return str(IPv4Address(found.packed[-4:]))
    return str(ip_network((int(found), _HOUSEHOLD_BITS), strict=False))


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


def refuse_beyond(
    moments: Sequence[datetime],
    most: int,
    window: timedelta,
    now: datetime,
    detail: str,
    *,
    more: int = 1,
    code: str = "rate_limited",
) -> None:
    """Refuse ``more`` of something that would make more than ``most`` within ``window``, with the
    seconds until they fit.

    ``moments`` are when the last ones were, newest first: ``most`` of them, or all since then.
    Whoever counts holds the account first, so that no two count the same moments at once.
    """
    recent = [moment for moment in moments if moment > now - window]
    if len(recent) + more <= most:
        return
    last_to_leave = recent[most - more] if more <= most else now
    wait = last_to_leave + window - now
    raise TooMany(detail, retry_after_s=wait.total_seconds(), code=code)
