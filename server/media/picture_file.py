"""Looking at a picture's file before anything decodes it: real type, wholeness, nothing besides.

Standard library only: this runs in the converting subprocess.
"""

import re
import struct

from server.media.conversion import PhotoRefused
from shared_models.photo_failures import PhotoFailure

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_OTHER_PICTURES = (b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\0\0\x01\0", b"\xff\x0a", b"8BPS")
_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_ACTIVE_TEXT = re.compile(rb"<script|<\?php\s|<html[\s>]|<!doctype html", re.IGNORECASE)
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22


def inspect(data: bytes) -> str:
    """The real content type of a whole, single, still picture. Raises :class:`PhotoRefused`."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            content_type, trailer = JPEG, _jpeg_trailer(data)
        elif data.startswith(_PNG_SIGNATURE):
            content_type, trailer = PNG, _png_trailer(data)
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            content_type, trailer = WEBP, _webp_trailer(data)
        else:
            raise PhotoRefused(_why_not(data))
    except (IndexError, struct.error):
        raise PhotoRefused(PhotoFailure.TRUNCATED) from None
    if trailer.strip(b"\0") or _is_also_something_else(data):
        raise PhotoRefused(PhotoFailure.POLYGLOT)
    return content_type


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height of a WebP in pixels, from its header."""
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
        return width + 1, height + 1
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _why_not(data: bytes) -> PhotoFailure:
    text = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    is_svg = text.startswith(b"<") and b"<svg" in text
    if is_svg or data.startswith(_OTHER_PICTURES) or data[4:8] == b"ftyp":
        return PhotoFailure.UNSUPPORTED_TYPE
    return PhotoFailure.NOT_AN_IMAGE


def _png_trailer(data: bytes) -> bytes:
    at, kind = len(_PNG_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"acTL" and struct.unpack_from(">I", data, at + 8)[0] > 1:
            raise PhotoRefused(PhotoFailure.ANIMATED)
        at += 12 + length
    if at > len(data):
        raise PhotoRefused(PhotoFailure.TRUNCATED)
    return data[at:]


def _webp_trailer(data: bytes) -> bytes:
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise PhotoRefused(PhotoFailure.TRUNCATED)
    if data[12:16] == b"VP8X" and data[20] & 0x02:
        raise PhotoRefused(PhotoFailure.ANIMATED)
    return data[end:]


def _jpeg_trailer(data: bytes) -> bytes:
    trailer = data[_jpeg_end(data, 0) :].lstrip(b"\0")
    return b"" if _is_camera_trailer(trailer) else trailer


def _jpeg_end(data: bytes, start: int) -> int:
    """Where the picture that begins at ``start`` ends, by walking its segments and scans."""
    at = start + 2
    while True:
        if data[at] != 0xFF:
            raise PhotoRefused(PhotoFailure.CORRUPT)
        marker = data[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker == 0xFF:
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
        if marker == 0xDA:
            scan_end = _SCAN_END.search(data, at)
            if scan_end is None:
                raise PhotoRefused(PhotoFailure.TRUNCATED)
            at = scan_end.start()


def _is_camera_trailer(trailer: bytes) -> bool:
    """Whether a phone put it there: more views (MPF), a motion photo's film, Samsung's notes.

    Refusing those would refuse a good part of all phone pictures, and none of it is kept.
    """
    if b"ftyp" in trailer[:8] or (trailer.endswith(b"SEFT") and b"SEFH" in trailer):
        return True
    while trailer.startswith(b"\xff\xd8\xff"):
        trailer = trailer[_jpeg_end(trailer, 0) :].lstrip(b"\0")
        if not trailer:
            return True
    return False


def _is_also_something_else(data: bytes) -> bool:
    """Whether a web browser, a script engine, a PDF reader or an unzipper would open it too."""
    if b"%PDF-" in data[:1024] or _ACTIVE_TEXT.search(data):
        return True
    at = data.rfind(_ZIP_END)
    if at < 0 or at + _ZIP_END_BYTES > len(data):
        return False
    comment_length = int(struct.unpack_from("<H", data, at + 20)[0])
    return at + _ZIP_END_BYTES + comment_length <= len(data)
