"""Real pictures become two bare copies; everything else fails with a reason and nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from server.media.conversion import PhotoRefused
from server.media.convert_pool import ConvertPool
from shared_models.photo_failures import PhotoFailure, failure_text
from shared_models.placeholder import decode_placeholder
from tests.server.media import pictures
from tests.server.media.bench import Bench

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[ConvertPool]:
    pool = ConvertPool()
    yield pool
    await pool.close()


@pytest.fixture
def bench(tmp_path: Path, pool: ConvertPool) -> Bench:
    return Bench(tmp_path, pool)


def _near(found: object, wanted: tuple[int, int, int]) -> bool:
    assert isinstance(found, tuple)
    return all(abs(one - two) < 40 for one, two in zip(found, wanted, strict=True))


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        pytest.param(pictures.jpeg(4000, 3000), JPEG, id="jpeg"),
        pytest.param(pictures.png(2000, 1500), PNG, id="png"),
        pytest.param(pictures.webp(2000, 1500), WEBP, id="webp"),
    ],
)
async def test_a_picture_becomes_a_full_copy_and_a_thumb(
    bench: Bench, data: bytes, content_type: str
) -> None:
    converted = await bench.convert(data, content_type)
    assert (converted.width, converted.height) == (1280, 960)
    assert bench.picture("full").size == (1280, 960)
    assert bench.picture("thumb").size == (320, 240)
    assert bench.picture("full").format == "JPEG"
    full = bench.picture("full")
    assert _near(full.getpixel((100, 100)), pictures.RED)
    assert _near(full.getpixel((1200, 100)), pictures.GREEN)
    assert _near(full.getpixel((600, 900)), pictures.BLUE)


async def test_a_small_picture_is_not_blown_up(bench: Bench) -> None:
    converted = await bench.convert(pictures.png(50, 40), PNG)
    assert (converted.width, converted.height) == (50, 40)
    assert bench.picture("thumb").size == (50, 40)


async def test_a_very_long_picture_keeps_at_least_one_pixel_a_side(bench: Bench) -> None:
    converted = await bench.convert(pictures.png(9000, 2), PNG)
    assert (converted.width, converted.height) == (1280, 1)


async def test_the_placeholder_shows_the_colours_where_they_are(bench: Bench) -> None:
    converted = await bench.convert(pictures.jpeg(400, 300))
    grid = decode_placeholder(converted.placeholder)
    assert (len(grid[0]), len(grid)) == (8, 6)
    assert _near(grid[0][0], pictures.RED)
    assert _near(grid[0][7], pictures.GREEN)
    assert _near(grid[5][3], pictures.BLUE)


async def test_nothing_private_is_left_in_the_copies(bench: Bench) -> None:
    data = pictures.with_private_data()
    for secret in (b"SecretCameraMaker", b"SecretComment", b"SecretXmp", b"ICC_PROFILE"):
        assert secret in data
    await bench.convert(data)
    for which in ("full", "thumb"):
        copy = bench.copy(which)
        for trace in (b"Secret", b"ICC_PROFILE", b"Exif", b"http://ns.adobe.com"):
            assert trace not in copy
        picture = bench.picture(which)
        assert dict(picture.getexif()) == {}
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_the_picture_is_turned_upright(bench: Bench, orientation: int) -> None:
    upright = pictures.quarters(400, 300)
    stored = {
        1: upright,
        2: upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: upright.transpose(Image.Transpose.ROTATE_180),
        4: upright.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: upright.transpose(Image.Transpose.TRANSPOSE),
        6: upright.transpose(Image.Transpose.ROTATE_90),
        7: upright.transpose(Image.Transpose.TRANSVERSE),
        8: upright.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    converted = await bench.convert(pictures.encoded(stored, exif=exif))
    assert (converted.width, converted.height) == (400, 300)
    full = bench.picture("full")
    assert _near(full.getpixel((50, 50)), pictures.RED)
    assert _near(full.getpixel((350, 50)), pictures.GREEN)
    assert _near(full.getpixel((200, 250)), pictures.BLUE)


async def test_broken_exif_costs_only_the_turn(bench: Bench) -> None:
    data = pictures.encoded(
        pictures.quarters(), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + b"\xff" * 20
    )
    assert (await bench.convert(data)).width == 400


async def test_colours_are_brought_to_srgb(bench: Bench) -> None:
    swapped = pictures.profile_with_red_and_blue_swapped()
    data = pictures.encoded(pictures.quarters(), "PNG", icc_profile=swapped)
    await bench.convert(data, PNG)
    red, _, blue = bench.picture("full").getpixel((50, 50))  # type: ignore[misc]
    assert blue > 150 > red


async def test_a_broken_colour_profile_does_no_harm(bench: Bench) -> None:
    data = pictures.encoded(pictures.quarters(), "PNG", icc_profile=b"no profile at all")
    await bench.convert(data, PNG)
    assert _near(bench.picture("full").getpixel((50, 50)), pictures.RED)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "CMYK", "I;16"])
async def test_every_mode_of_pixels_is_read(bench: Bench, mode: str) -> None:
    picture = pictures.quarters()
    picture = picture.convert("L").convert("I;16") if mode == "I;16" else picture.convert(mode)
    kind, content_type = ("JPEG", JPEG) if mode == "CMYK" else ("PNG", PNG)
    await bench.convert(pictures.encoded(picture, kind), content_type)
    assert bench.picture("full").mode == "RGB"


async def test_sixteen_bit_grey_keeps_its_brightness(bench: Bench) -> None:
    picture = Image.new("I;16", (40, 40), 0x8000)
    await bench.convert(pictures.encoded(picture, "PNG"), PNG)
    assert _near(bench.picture("full").getpixel((20, 20)), (128, 128, 128))


async def test_what_is_transparent_becomes_white(bench: Bench) -> None:
    await bench.convert(pictures.encoded(Image.new("RGBA", (40, 40), (0, 0, 0, 0)), "PNG"), PNG)
    assert _near(bench.picture("full").getpixel((20, 20)), (255, 255, 255))


_GIF = pictures.encoded(pictures.quarters(40, 30), "GIF")
_FRAMES = [Image.new("RGB", (40, 30), colour) for colour in (pictures.RED, pictures.GREEN)]
_SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'
_JPEG_WITH_BAD_SCAN = pictures.jpeg()[:2] + b"\x00" * 40 + pictures.jpeg()[2:]


@pytest.mark.parametrize(
    ("data", "content_type", "failure"),
    [
        pytest.param(b"hello, I am a text", JPEG, "not_an_image", id="text"),
        pytest.param(b"", JPEG, "not_an_image", id="empty"),
        pytest.param(b"MZ" + bytes(500), PNG, "not_an_image", id="program"),
        pytest.param(_SVG, PNG, "unsupported_type", id="svg"),
        pytest.param(_GIF, PNG, "unsupported_type", id="gif"),
        pytest.param(b"\0\0\0\x18ftypheic" + bytes(80), JPEG, "unsupported_type", id="heic"),
        pytest.param(pictures.png(), JPEG, "type_mismatch", id="png called jpeg"),
        pytest.param(pictures.jpeg(), WEBP, "type_mismatch", id="jpeg called webp"),
        pytest.param(pictures.jpeg()[:-400], JPEG, "truncated", id="cut jpeg"),
        pytest.param(pictures.jpeg()[:-2], JPEG, "truncated", id="jpeg without its end"),
        pytest.param(pictures.jpeg()[:30], JPEG, "truncated", id="jpeg header"),
        pytest.param(b"\xff\xd8\xff", JPEG, "truncated", id="jpeg start"),
        pytest.param(pictures.png()[:-30], PNG, "truncated", id="cut png"),
        pytest.param(pictures.png()[:20], PNG, "truncated", id="png header"),
        pytest.param(pictures.webp()[:-30], WEBP, "truncated", id="cut webp"),
        pytest.param(pictures.webp()[:16], WEBP, "truncated", id="webp header"),
        pytest.param(b"RIFF\x04\0\0\0WEBP", WEBP, "corrupt", id="empty webp"),
        pytest.param(pictures.jpeg()[:2] + b"\xff\xd9", JPEG, "corrupt", id="empty jpeg"),
        pytest.param(_JPEG_WITH_BAD_SCAN, JPEG, "not_an_image", id="jpeg with a hole"),
        pytest.param(
            pictures.png().replace(b"IDAT", b"IDAX"), PNG, "corrupt", id="png without pixels"
        ),
        pytest.param(pictures.jpeg() + pictures.archive(), JPEG, "polyglot", id="jpeg and zip"),
        pytest.param(pictures.png() + pictures.archive(), PNG, "polyglot", id="png and zip"),
        pytest.param(pictures.webp() + pictures.archive(), WEBP, "polyglot", id="webp and zip"),
        pytest.param(
            pictures.jpeg() + pictures.jpeg() + pictures.archive(),
            JPEG,
            "polyglot",
            id="two jpegs and zip",
        ),
        pytest.param(
            pictures.encoded(pictures.quarters(), comment=pictures.archive()),
            JPEG,
            "polyglot",
            id="zip in a comment",
        ),
        pytest.param(
            pictures.encoded(pictures.quarters(), comment=b"<?php system($_GET[0]); ?>"),
            JPEG,
            "polyglot",
            id="php in a comment",
        ),
        pytest.param(
            pictures.jpeg() + b"<script>alert(1)</script>", JPEG, "polyglot", id="jpeg and html"
        ),
        pytest.param(
            pictures.encoded(pictures.quarters(), comment=b"%PDF-1.7"),
            JPEG,
            "polyglot",
            id="pdf in a comment",
        ),
        pytest.param(pictures.jpeg() + b"GIF89a=1;alert()", JPEG, "polyglot", id="jpeg and gif"),
        pytest.param(
            pictures.encoded(_FRAMES[0], "PNG", save_all=True, append_images=_FRAMES[1:]),
            PNG,
            "animated",
            id="animated png",
        ),
        pytest.param(
            pictures.encoded(_FRAMES[0], "WEBP", save_all=True, append_images=_FRAMES[1:]),
            WEBP,
            "animated",
            id="animated webp",
        ),
        pytest.param(
            pictures.png_bomb(10_000, 10_000), PNG, "too_many_pixels", id="100-megapixel bomb"
        ),
        pytest.param(
            pictures.jpeg_claiming(65_000, 65_000), JPEG, "too_many_pixels", id="jpeg bomb"
        ),
        pytest.param(
            b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x3f\0\xff\x3f\0",
            WEBP,
            "too_many_pixels",
            id="webp bomb",
        ),
    ],
)
async def test_a_hostile_file_fails_with_its_reason(
    bench: Bench, data: bytes, content_type: str, failure: str
) -> None:
    with pytest.raises(PhotoRefused) as refused:
        await bench.convert(data, content_type)
    assert refused.value.failure == failure
    assert not (bench.directory / f"{bench.serial}-full").exists()
    await bench.convert(pictures.jpeg())


async def test_a_file_other_than_the_declared_one_fails(bench: Bench) -> None:
    data = pictures.jpeg()
    for declared, failure in (
        ({"sha256": "0" * 64}, PhotoFailure.CHECKSUM_MISMATCH),
        ({"size": len(data) + 1}, PhotoFailure.SIZE_MISMATCH),
    ):
        with pytest.raises(PhotoRefused) as refused:
            await bench.convert(data, **declared)
        assert refused.value.failure == failure


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(bytes(300), id="padding"),
        pytest.param(bytes(2) + pictures.jpeg(80, 60), id="a second view"),
        pytest.param(b"\0\0\0\x18ftypmp42" + bytes(64), id="the film of a motion photo"),
        pytest.param(b"\0\0\x01\x0aImage_UTC_DataSEFHj\0\0\0\0\0\0\0SEFT", id="Samsung's notes"),
    ],
)
async def test_what_phones_put_behind_a_picture_is_dropped(bench: Bench, tail: bytes) -> None:
    assert (await bench.convert(pictures.jpeg() + tail)).width == 400


async def test_the_largest_allowed_pictures_fit_into_the_memory_limit(bench: Bench) -> None:
    side = 7_000
    assert (await bench.convert(pictures.png_bomb(side, side), PNG)).width == 1280
    flat = Image.new("RGB", (side, side), pictures.RED)
    assert (await bench.convert(pictures.encoded(flat, "WEBP", quality=1, method=0), WEBP)).width
    assert (await bench.convert(pictures.encoded(flat))).width == 1280


async def test_progressive_jpegs_are_read(bench: Bench) -> None:
    data = pictures.encoded(pictures.quarters(800, 600), progressive=True)
    assert (await bench.convert(data)).width == 800


async def test_every_failure_has_a_sentence_for_people() -> None:
    sentences = {failure_text(failure) for failure in PhotoFailure}
    assert len(sentences) == len(PhotoFailure)
    assert failure_text("from_a_newer_server") == "The picture could not be used."
