"""The drawn pictures and faces of the demo market."""

import hashlib
import io
from random import Random
from time import process_time

import pytest
from PIL import Image, ImageChops, ImageStat

from server.app.demo.avatars import avatar
from server.app.demo.content import people
from server.app.demo.drawings import DRAWINGS
from server.app.demo.pictures import COLOURS, Picture, listing_pictures


def opened(picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.data))


def as_cells(picture: Picture) -> Image.Image:
    """The picture as a list of cards shows it: twenty by twenty half-blocks."""
    return opened(picture).convert("RGB").resize((20, 20))


def difference(first: Image.Image, second: Image.Image) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean) / 3


@pytest.mark.parametrize("drawing", sorted(DRAWINGS))
def test_the_pictures_of_a_thing_are_real_files_and_differ_even_as_thumbnails(
    drawing: str,
) -> None:
    pictures = listing_pictures(Random(2), drawing, "red", 4, "thing")
    assert len({picture.name for picture in pictures}) == 4
    for picture in pictures:
        image = opened(picture)
        image.load()
        assert image.size == (480, 360)
        assert Image.MIME[str(image.format)] == picture.content_type
        assert len(picture.data) < 100_000
    cells = [as_cells(picture) for picture in pictures]
    for index, first in enumerate(cells):
        for second in cells[index + 1 :]:
            assert difference(first, second) > 8


@pytest.mark.parametrize("colour", sorted(COLOURS))
def test_a_thing_of_any_colour_stands_out_from_its_background(colour: str) -> None:
    for seed in range(5):
        thumbnail = as_cells(listing_pictures(Random(seed), "sofa", colour, 1, "sofa")[0])
        middle = ImageStat.Stat(thumbnail.crop((6, 8, 14, 14))).mean
        corner = ImageStat.Stat(thumbnail.crop((0, 0, 3, 3))).mean
        assert sum(abs(a - b) for a, b in zip(middle, corner, strict=True)) > 60


def test_different_things_look_different_as_thumbnails() -> None:
    cells = [
        as_cells(listing_pictures(Random(3), drawing, "blue", 1, drawing)[0])
        for drawing in sorted(DRAWINGS)
    ]
    for index, first in enumerate(cells):
        for second in cells[index + 1 :]:
            assert difference(first, second) > 4


def test_the_same_seed_draws_the_same_bytes() -> None:
    def digest(seed: int) -> str:
        pictures = listing_pictures(Random(seed), "bicycle", "mint", 4, "bike")
        return hashlib.sha256(b"".join(picture.data for picture in pictures)).hexdigest()

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


def test_all_three_formats_are_used() -> None:
    kinds = {
        picture.content_type
        for seed in range(5)
        for picture in listing_pictures(Random(seed), "lamp", "yellow", 4, "lamp")
    }
    assert kinds == {"image/jpeg", "image/png", "image/webp"}


def test_drawing_a_picture_is_cheap() -> None:
    rng = Random(4)
    started = process_time()
    count = sum(
        len(listing_pictures(rng, drawing, "green", 4, drawing)) for drawing in sorted(DRAWINGS)
    )
    assert (process_time() - started) / count < 0.020


def test_every_person_has_a_square_face_of_their_own() -> None:
    everybody = people()
    faces = [
        avatar(Random(index), person.look, person.handle) for index, person in enumerate(everybody)
    ]
    assert {opened(face).size for face in faces} == {(360, 360)}
    assert len({face.data for face in faces}) == len(everybody)
