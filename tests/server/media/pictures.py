"""Pictures for tests, made here: friendly ones and hostile ones."""

import io
import struct
import zipfile
import zlib

from PIL import Image, ImageCms

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 40), (40, 60, 220)


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def quarters(width: int = 400, height: int = 300) -> Image.Image:
    """Red on the top left, green on the top right, blue below."""
    picture = Image.new("RGB", (width, height), BLUE)
    picture.paste(RED, (0, 0, width // 2, height // 2))
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    return picture


def jpeg(width: int = 400, height: int = 300) -> bytes:
    """A plain JPEG."""
    return encoded(quarters(width, height))


def png(width: int = 400, height: int = 300) -> bytes:
    """A plain PNG."""
    return encoded(quarters(width, height), "PNG")


def webp(width: int = 400, height: int = 300) -> bytes:
    """A plain WebP."""
    return encoded(quarters(width, height), "WEBP")


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that unpacks to ``width * height`` grey pixels."""
    packer = zlib.compressobj(9)
    row = bytes(width + 1)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (png_chunk(b"IHDR", header), png_chunk(b"IDAT", packed), png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def jpeg_claiming(width: int, height: int) -> bytes:
    """A small JPEG whose header claims another size."""
    data = bytearray(jpeg(16, 16))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def archive() -> bytes:
    """A ZIP archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("evil.class", b"\xca\xfe\xba\xbe" * 10)
    return file.getvalue()


def with_private_data(orientation: int = 1) -> bytes:
    """A JPEG with a place, a camera's name, a comment, XMP and a colour profile."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "SecretCameraMaker"
    place = exif.get_ifd(0x8825)
    place[1], place[2] = "N", (37.0, 33.0, 59.0)
    place[3], place[4] = "E", (126.0, 58.0, 41.0)
    return encoded(
        quarters(),
        exif=exif,
        comment=b"SecretComment",
        xmp=b"<x:xmpmeta>SecretXmp</x:xmpmeta>",
        icc_profile=srgb_profile(),
    )


def srgb_profile() -> bytes:
    """An ICC profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def profile_with_red_and_blue_swapped() -> bytes:
    """An ICC profile by which a file's red is shown as blue."""
    profile = srgb_profile()
    return profile.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")
