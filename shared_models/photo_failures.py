"""Why an upload did not become a photo: stable codes, and a sentence for people."""

from enum import StrEnum


class PhotoFailure(StrEnum):
    """The ``reason`` of a failed upload. Codes are added, never renamed."""

    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_TYPE = "unsupported_type"
    TYPE_MISMATCH = "type_mismatch"
    SIZE_MISMATCH = "size_mismatch"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    POLYGLOT = "polyglot"
    ANIMATED = "animated"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MUCH_MEMORY = "too_much_memory"
    TOO_SLOW = "too_slow"
    DECODER_CRASHED = "decoder_crashed"
    MISSING = "missing"


_TEXTS = {
    PhotoFailure.NOT_AN_IMAGE: "This file is not a picture.",
    PhotoFailure.UNSUPPORTED_TYPE: "Only JPEG, PNG and WebP pictures are accepted.",
    PhotoFailure.TYPE_MISMATCH: "The file is not of the type it was announced as.",
    PhotoFailure.SIZE_MISMATCH: "The file is not as large as it was announced.",
    PhotoFailure.CHECKSUM_MISMATCH: "The file changed on its way. Upload it again.",
    PhotoFailure.TRUNCATED: "The picture is cut off. Upload the whole file.",
    PhotoFailure.CORRUPT: "The picture is damaged and cannot be read.",
    PhotoFailure.POLYGLOT: "The file holds something else besides the picture.",
    PhotoFailure.ANIMATED: "Moving pictures are not accepted.",
    PhotoFailure.TOO_MANY_PIXELS: "The picture has too many pixels. Make it smaller.",
    PhotoFailure.TOO_MUCH_MEMORY: "The picture takes too much memory to read. Make it smaller.",
    PhotoFailure.TOO_SLOW: "The picture takes too long to read. Make it smaller.",
    PhotoFailure.DECODER_CRASHED: "The picture cannot be read.",
    PhotoFailure.MISSING: "The file is no longer there. Upload it again.",
}


def failure_text(reason: str) -> str:
    """A sentence for people; an unknown reason (from a newer server) gets a general one."""
    try:
        return _TEXTS[PhotoFailure(reason)]
    except ValueError:
        return "The picture could not be used."
