from typing import Any
from uuid import uuid4

import pytest

from client_tui.core.errors import Invalid
from client_tui.core.forms import fill
from client_tui.core.listing_form import check_new_listing
from shared_models.accounts import SignUp
from shared_models.chat import SendMessage
from shared_models.listings import ListingCreate
from shared_models.market import Limits, Market
from tests.client.app.room_server import MARKET

GOOD: dict[str, Any] = {
    "title": "Oak chair",
    "description": "A chair of solid oak.",
    "category": "furniture",
    "condition": "good",
    "price": 45_000,
}


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("title", "x" * 61, "At most 60 characters."),
        ("description", "x" * 2001, "At most 2,000 characters."),
        ("place", "x" * 61, "At most 60 characters."),
        ("photo_ids", [f"{number:032x}" for number in range(11)], "At most 10."),
    ],
)
def test_lengths_are_told_in_words_for_people(field: str, value: object, told: str) -> None:
    with pytest.raises(Invalid) as refused:
        fill(ListingCreate, **{field: value})
    assert refused.value.field(field) == told


def test_a_short_password_is_told_by_its_characters() -> None:
    with pytest.raises(Invalid) as refused:
        fill(SignUp, handle="mina", password="short", display_name="Mina")
    assert refused.value.field("password") == "At least 8 characters."


def test_what_is_wrong_with_a_form_as_a_whole_is_told_in_the_words_of_the_check() -> None:
    with pytest.raises(Invalid) as refused:
        fill(SendMessage, cid=uuid4(), text=" ")
    assert [(error.field, error.message) for error in refused.value.errors] == [
        ("", "a message needs text or a photo")
    ]


def problems(market: Market = MARKET, photos: int = 1, **fields: Any) -> dict[str, str]:
    form = fill(ListingCreate, **(GOOD | fields))
    with pytest.raises(Invalid) as refused:
        check_new_listing(form, photos, market)
    return {error.field: error.message for error in refused.value.errors}


def test_all_that_keeps_a_listing_from_sale_is_told_at_once() -> None:
    check_new_listing(fill(ListingCreate, **GOOD), 10, MARKET)
    assert problems(title="x", category="nope", description="short", photos=0) == {
        "title": "A title has 2 characters or more.",
        "description": "A description has 10 characters or more.",
        "category": "There is no such category.",
        "photo_ids": "Add at least one photo.",
    }
    assert set(problems(category=None, condition=None, price=None, photos=11)) == {
        "category",
        "condition",
        "price",
        "photo_ids",
    }


def test_the_limits_are_those_of_the_market() -> None:
    limits = Limits(title_max=5, price_max=1_000, place_max=3, description_max=20)
    strict = MARKET.model_copy(update={"limits": limits})
    told = problems(strict, place="Mapo-gu")
    assert set(told) == {"title", "description", "place", "price"}
