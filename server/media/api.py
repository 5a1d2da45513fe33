"""The façade of media: photos for the objects of the rooms above."""

from server.media.attaching import attach, forget_owner, release, replace
from server.media.export import download_photo, photos_of
from server.media.keys import original_key
from server.media.ports import MaySee, PhotoViewers, Uploaders
from server.media.repository import measure
from server.media.stored import stored_keys

__all__ = [
    "MaySee",
    "PhotoViewers",
    "Uploaders",
    "attach",
    "download_photo",
    "forget_owner",
    "measure",
    "original_key",
    "photos_of",
    "release",
    "replace",
    "stored_keys",
]
