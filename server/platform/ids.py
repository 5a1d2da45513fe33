"""Identifiers, injected like the clock."""

import random
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import uuid_utils.compat

MakeId = Callable[[datetime], UUID]
"""Makes a new id; the moment is that of the unit of work."""


def uuid7(_moment: datetime) -> UUID:
    """A fresh UUIDv7: close to its neighbours in an index, never a secret, never an order."""
    return uuid_utils.compat.uuid7()


def seeded_uuid7(seed: int) -> MakeId:
    """UUIDv7s that are the same for the same seed and moments, for seeding and for tests."""
    bits = random.Random(seed)

    def make(moment: datetime) -> UUID:
        milliseconds = int(moment.timestamp() * 1000)
        value = (milliseconds << 80) | (7 << 76) | (bits.getrandbits(12) << 64)
        return UUID(int=value | (2 << 62) | bits.getrandbits(62))

    return make
