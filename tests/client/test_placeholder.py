"""The placeholder's text, which both sides read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_models.placeholder import MAX_SIDE, Grid, decode_placeholder, encode_placeholder

_channels = st.integers(0, 15).map(lambda digit: digit * 17)
_colours = st.tuples(_channels, _channels, _channels)


@st.composite
def _grids(draw: st.DrawFn) -> Grid:
    columns = draw(st.integers(1, MAX_SIDE))
    row = st.tuples(*[_colours] * columns)
    return tuple(draw(st.lists(row, min_size=1, max_size=MAX_SIDE)))


def test_a_grid_is_written_row_by_row_with_three_digits_a_colour() -> None:
    assert encode_placeholder((((255, 0, 0), (0, 136, 255)),)) == "2x1:f0008f"


@given(_grids())
def test_a_grid_of_four_bit_colours_survives_the_text(grid: Grid) -> None:
    assert decode_placeholder(encode_placeholder(grid)) == grid


@given(_colours, st.integers(-8, 8))
def test_a_colour_goes_to_the_nearest_of_the_sixteen_steps(
    colour: tuple[int, int, int], off: int
) -> None:
    near = tuple(min(255, max(0, channel + off)) for channel in colour)
    assert decode_placeholder(encode_placeholder(((near,),))) == ((colour,),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "grid",
    [(), ((),), (((0, 0, 0),), ()), (((0, 0, 0),) * 17,), (((0, 0, 0),),) * 17, (((0, 0, 256),),)],
)
def test_a_grid_that_cannot_be_written_is_refused(grid: Grid) -> None:
    with pytest.raises(ValueError, match=r"placeholder|channel"):
        encode_placeholder(grid)


@pytest.mark.parametrize(
    "text", ["", "2x1", "2x1:f00", "0x1:", "17x1:" + "0" * 51, "1x1:F00", "1x1:f00 ", "1x1:f0g"]
)
def test_a_text_that_is_no_placeholder_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="placeholder"):
        decode_placeholder(text)
