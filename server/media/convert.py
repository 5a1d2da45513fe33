"""The converting subprocess: ``python -m server.media.convert``, one JSON object a line.

It reads requests (:class:`Request`'s fields) from standard input and answers each on standard
output, with ``width, height, placeholder`` or with ``failure``. It decodes what strangers sent, so
it runs apart from the server, without its settings and secrets, with limits on memory and time.
Pillow is the only thing it imports beyond the standard library.
"""

import hashlib
import json
import struct
import sys
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageCms, UnidentifiedImageError

from server.media import process_limits
from server.media.conversion import Converted, PhotoRefused, Request
from server.media.picture_file import JPEG, WEBP, inspect, webp_size
from shared_models.photo_failures import PhotoFailure
from shared_models.placeholder import encode_placeholder

FULL_PX = 1280
THUMB_PX = 320
PLACEHOLDER_PX = 8
FULL_QUALITY = 85
THUMB_QUALITY = 80
_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def convert(request: Request) -> Converted:
    """Check the file and write both copies as JPEG. Raises :class:`PhotoRefused`."""
    data = _read_declared(request)
    if inspect(data) != request.content_type:
        raise PhotoRefused(PhotoFailure.TYPE_MISMATCH)
    full = _decode(data, request.content_type, request.max_pixels)
    thumb = _shrink(full, THUMB_PX)
    _save(full, request.full, FULL_QUALITY)
    _save(thumb, request.thumb, THUMB_QUALITY)
    return Converted(full.width, full.height, _placeholder(thumb))


def _read_declared(request: Request) -> bytes:
    source = Path(request.source)
    if source.stat().st_size != request.size:
        raise PhotoRefused(PhotoFailure.SIZE_MISMATCH)
    data = source.read_bytes()
    if hashlib.sha256(data).hexdigest() != request.sha256:
        raise PhotoRefused(PhotoFailure.CHECKSUM_MISMATCH)
    return data


def _decode(data: bytes, content_type: str, max_pixels: int) -> Image.Image:
    """The picture: upright, at most 1280 px, RGB in sRGB, without anything attached to it."""
    Image.MAX_IMAGE_PIXELS = None  # checked here, with a limit of our own
    try:
        if content_type == WEBP:
            _check_pixels(webp_size(data), max_pixels)  # opening one takes memory for its pixels
        with Image.open(BytesIO(data), formats=[content_type.removeprefix("image/")]) as picture:
            _check_pixels(picture.size, max_pixels)
            turn = _turn(picture)
            profile = picture.info.get("icc_profile")
            if content_type == JPEG:
                picture.draft(picture.mode, (FULL_PX, FULL_PX))
            picture.load()
            small = _shrink(_drawable(picture), FULL_PX)
    except UnidentifiedImageError:
        raise PhotoRefused(PhotoFailure.CORRUPT) from None
    except OSError as error:
        cut = "truncated" in str(error)
        raise PhotoRefused(PhotoFailure.TRUNCATED if cut else PhotoFailure.CORRUPT) from None
    except (SyntaxError, ValueError, ArithmeticError, LookupError, TypeError, struct.error):
        raise PhotoRefused(PhotoFailure.CORRUPT) from None
    upright = small.transpose(turn) if turn is not None else small
    return _bare(_to_srgb(_on_white(upright), profile))


def _check_pixels(size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise PhotoRefused(PhotoFailure.TOO_MANY_PIXELS)


def _turn(picture: Image.Image) -> Image.Transpose | None:
    try:
        return _TURNS.get(picture.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # noqa: BLE001 - broken EXIF raises anything, and costs only the turn
        return None


def _drawable(picture: Image.Image) -> Image.Image:
    """The picture in a mode that can be resized well."""
    if picture.mode.startswith(("I;16", "I")):
        return picture.convert("I").point(lambda level: level / 256).convert("L")
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture
    return picture.convert("RGB")


def _shrink(picture: Image.Image, longest: int) -> Image.Image:
    scale = longest / max(picture.size)
    if scale >= 1:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture)
    return ground


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                picture, BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None  # a profile that cannot be used is no reason to refuse the picture
        if converted is not None:
            return converted
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _bare(picture: Image.Image) -> Image.Image:
    """Forget comments and everything else that Pillow would write out again."""
    picture.info.clear()
    return picture


def _save(picture: Image.Image, path: str, quality: int) -> None:
    picture.save(path, "JPEG", quality=quality)


def _placeholder(thumb: Image.Image) -> str:
    scale = PLACEHOLDER_PX / max(thumb.size)
    columns, rows = (max(1, round(side * scale)) for side in thumb.size)
    data = thumb.resize((columns, rows), Image.Resampling.BOX).tobytes()
    pixels = [(data[at], data[at + 1], data[at + 2]) for at in range(0, len(data), 3)]
    return encode_placeholder(
        tuple(tuple(pixels[row * columns : (row + 1) * columns]) for row in range(rows))
    )


def _answer(line: bytes) -> dict[str, object]:
    try:
        return asdict(convert(Request(**json.loads(line))))
    except PhotoRefused as refused:
        return {"failure": refused.failure}
    except MemoryError:
        return {"failure": PhotoFailure.TOO_MUCH_MEMORY}


def main() -> None:
    """Answer requests until standard input ends."""
    process_limits.for_process()
    for line in sys.stdin.buffer:
        process_limits.for_one_photo()
        answer = json.dumps(_answer(line))
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
