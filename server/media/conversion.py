"""What the server and its converting subprocess say to each other."""

from dataclasses import dataclass

from shared_models.photo_failures import PhotoFailure


class PhotoRefused(Exception):
    """A file that cannot become a photo."""

    def __init__(self, failure: PhotoFailure) -> None:
        super().__init__(failure.value)
        self.failure = failure


@dataclass(frozen=True)
class Request:
    """One file to convert, what its owner declared it to be, and where the copies go."""

    source: str
    content_type: str
    size: int
    sha256: str
    max_pixels: int
    thumb: str
    full: str


@dataclass(frozen=True)
class Converted:
    """The full copy's width and height in pixels, and the photo's placeholder."""

    width: int
    height: int
    placeholder: str
