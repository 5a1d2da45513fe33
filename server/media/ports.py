"""What media need to know of the rooms above them; ``app`` stands the answers behind these."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from server.platform.unit_of_work import UnitOfWork

MaySee = Callable[[UnitOfWork, UUID], Awaitable[bool]]
"""Whether the actor may see the object of that id, and so the photos attached to it."""


@dataclass(frozen=True, slots=True)
class Uploaders:
    """The port through which ``accounts`` holds who uploads."""

    hold: Callable[[UnitOfWork, UUID], Awaitable[object]]
    """Let the account do nothing else that is counted until the commit."""


@dataclass(frozen=True, slots=True)
class PhotoViewers:
    """The port through which the rooms above say who sees their photos.

    Unattached photos are seen by their owner.
    """

    listing: MaySee
    """By the listing's id."""

    message: MaySee
    """By the id that chat attached the photos to."""

    avatar: MaySee
    """By the id of the account whose avatar it is."""
