"""Who this program says it is."""

import platform
from typing import Final

from shared_models import bounds

USER_AGENT: Final = "picky/1"


def device_name() -> str:
    """This device in the list of those that are signed in."""
    return f"picky on {platform.node() or 'a computer'}"[: bounds.DEVICE_MAX]
