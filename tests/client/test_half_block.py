"""Pictures as half-blocks."""

from pathlib import Path

import pytest
from PIL import Image
from textual.strip import Strip

from client_tui.widgets.half_block import PictureError, draw, draw_file, draw_placeholder

Colour = tuple[int, int, int]
RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 255, 0)
GREY = (128, 128, 128)


def _pixels(strips: list[Strip]) -> list[list[Colour]]:
    """What the strips show, pixel by pixel."""
    lines: list[list[Colour]] = []
    for strip in strips:
        upper: list[Colour] = []
        lower: list[Colour] = []
        for text, style, _ in strip:
            assert style is not None
            assert style.color is not None
            assert style.bgcolor is not None
            assert set(text) == {"▀"}
            upper += [tuple(style.color.get_truecolor())] * len(text)  # type: ignore[list-item]
            lower += [tuple(style.bgcolor.get_truecolor())] * len(text)  # type: ignore[list-item]
        lines += [upper, lower]
    return lines


def _picture(lines: list[list[Colour]], scale: int = 1) -> Image.Image:
    picture = Image.new("RGB", (len(lines[0]), len(lines)))
    picture.putdata([colour for line in lines for colour in line])
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


def test_every_cell_shows_two_pixels() -> None:
    lines = [[RED, BLUE, BLUE], [GREEN, GREEN, GREEN], [BLUE, RED, RED], [RED, RED, BLUE]]
    strips = draw(_picture(lines), 3, 2)
    assert _pixels(strips) == lines
    assert [strip.cell_length for strip in strips] == [3, 3]


def test_equal_neighbours_share_a_segment() -> None:
    (strip,) = draw(_picture([[RED] * 40, [BLUE] * 40]), 40, 1)
    assert len(list(strip)) == 1


@pytest.mark.parametrize("size", [(1, 1), (20, 10), (7, 3), (60, 20)])
def test_a_picture_fills_the_cells_it_is_given(size: tuple[int, int]) -> None:
    columns, rows = size
    strips = draw(_picture([[RED] * 8] * 3, 10), columns, rows)
    assert _pixels(strips) == [[RED] * columns] * (2 * rows)


def test_what_is_too_long_is_cut_off_on_both_sides() -> None:
    picture = _picture([[BLUE, RED, RED, BLUE]], 20)
    assert _pixels(draw(picture, 2, 1)) == [[RED, RED], [RED, RED]]


def test_what_is_transparent_is_grey() -> None:
    picture = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert _pixels(draw(picture, 2, 1)) == [[GREY, GREY], [GREY, GREY]]


def test_a_file_is_drawn_upright(tmp_path: Path) -> None:
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: 90 degrees clockwise to see it upright
    _picture([[RED, BLUE]], 20).save(path, exif=exif)
    ((upper,), (lower,)) = _pixels(draw_file(path, 1, 1))
    assert upper[0] > 200 > 50 > upper[2]
    assert lower[2] > 200 > 50 > lower[0]


def test_a_large_photo_is_drawn_from_fewer_pixels(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.new("RGB", (3000, 2000), GREY).save(path)
    assert _pixels(draw_file(path, 20, 10)) == [[GREY] * 20] * 20


@pytest.mark.parametrize("kind", ["empty", "text", "truncated", "missing", "folder"])
def test_a_file_that_is_no_picture_is_told_by_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "photo.png"
    if kind == "folder":
        path.mkdir()
    elif kind == "truncated":
        Image.effect_noise((64, 64), 50).save(path)
        path.write_bytes(path.read_bytes()[:1000])
    elif kind != "missing":
        path.write_text("" if kind == "empty" else "no picture")
    with pytest.raises(PictureError, match=r"photo\.png is no picture"):
        draw_file(path, 4, 2)


def test_a_picture_of_too_many_pixels_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb.png"
    Image.new("L", (200, 100)).save(path)
    for most in (5_000, 15_000):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
        with pytest.raises(PictureError):
            draw_file(path, 4, 2)


def test_a_placeholder_has_the_colours_of_its_grid() -> None:
    pixels = _pixels(draw_placeholder("2x1:f0000f", 10, 2))
    assert len(pixels) == 4
    assert pixels[0][0][0] > 240 > 15 > pixels[0][0][2]
    assert pixels[0][-1][2] > 240 > 15 > pixels[0][-1][0]


def test_what_is_no_placeholder_is_drawn_grey() -> None:
    assert _pixels(draw_placeholder("LEHV6nWB2yk8", 3, 1)) == [[GREY] * 3] * 2
