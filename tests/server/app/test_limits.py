"""What ``GET /v1/market`` tells of limits is what the server keeps to."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from server.app.settings import Settings, SettingsError, load_settings
from shared_models import bounds
from shared_models.market import Limits, Rules
from tests.house.sources import ROOT, python_files

SHAPES = {
    "AccountPatch.consents.maxProperties": "consents_max",
    "AccountPatch.display_name.maxLength": "display_name_max",
    "AppointmentCreate.place.maxLength": "place_max",
    "AppointmentCreate.reason.maxLength": "appointment_reason_max",
    "ListingCreate.description.maxLength": "description_max",
    "ListingCreate.photo_ids.maxItems": "listing_photos_max",
    "ListingCreate.place.maxLength": "place_max",
    "ListingCreate.price.maximum": "price_max",
    "ListingCreate.title.maxLength": "title_max",
    "PasswordChange.new_password.maxLength": "password_max",
    "ReportCreate.detail.maxLength": "report_detail_max",
    "ReviewAnswer.text.maxLength": "review_answer_max",
    "ReviewCreate.comment.maxLength": "review_max",
    "ReviewCreate.tags.maxItems": "review_tags_max",
    "SendMessage.photo_ids.maxItems": "message_photos_max",
    "SendMessage.text.maxLength": "message_max",
    "SignIn.device.maxLength": "device_max",
    "SignUp.device.maxLength": "device_max",
    "SignUp.display_name.maxLength": "display_name_max",
    "SignUp.password.maxLength": "password_max",
    "SignUp.password.minLength": "password_min",
    "SignUp.place.maxLength": "place_max",
    "TradeProblem.detail.maxLength": "problem_detail_max",
    "UploadFile.name.maxLength": "upload_name_max",
    "UploadFile.size.maximum": "photo_bytes_max",
    "UploadRequest.files.maxItems": "upload_files_max",
}
PATTERNS = {
    "SignUp.handle": ("handle_min", "handle_max"),
    "TradeShip.tracking_number": ("tracking_number_min", "tracking_number_max"),
}


@pytest.fixture
async def limits(client: httpx.AsyncClient) -> dict[str, int]:
    told: dict[str, int] = (await client.get("/v1/market")).json()["limits"]
    return told


@pytest.fixture
async def schemas(client: httpx.AsyncClient) -> Any:
    return (await client.get("/openapi.json")).json()["components"]["schemas"]


def constraint(field: Mapping[str, Any], name: str) -> Any:
    """A constraint of a field, whether it may be null or not."""
    return next(shape[name] for shape in (field, *field.get("anyOf", ())) if name in shape)


def test_what_the_shapes_allow_is_what_the_market_tells(
    limits: dict[str, int], schemas: Any
) -> None:
    for path, limit in SHAPES.items():
        model, field, name = path.split(".")
        allowed = constraint(schemas[model]["properties"][field], name)
        assert (path, allowed) == (path, limits[limit])
    for path, (least, most) in PATTERNS.items():
        model, field = path.split(".")
        pattern = schemas[model]["properties"][field]["pattern"]
        for length in (limits[least], limits[most]):
            assert re.search(pattern, "a" * length)
        for length in (limits[least] - 1, limits[most] + 1):
            assert not re.search(pattern, "a" * length)


def test_every_bound_is_told() -> None:
    named = {name.lower(): value for name, value in vars(bounds).items() if name.isupper()}
    told = Limits().model_dump()
    assert told == Rules().model_dump() | named


def test_every_rule_that_can_be_set_is_asked_for() -> None:
    sources = "".join((ROOT / name).read_text() for name in python_files("server"))
    unheard = [name for name in Rules.model_fields if f"limits.{name}" not in sources]
    assert unheard == []


def test_what_is_no_rule_cannot_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(Limits.model_fields) - set(Rules.model_fields):
        variable = f"PICKY_LIMITS__{name.upper()}"
        monkeypatch.setenv(variable, "7")
        with pytest.raises(SettingsError, match=variable):
            load_settings()
        monkeypatch.delenv(variable)


def test_a_rule_that_is_set_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICKY_LIMITS__DRAFTS_MAX", "7")
    assert load_settings(data_dir=settings.data_dir).limits.drafts_max == 7


@pytest.mark.parametrize("name", Rules.model_fields)
def test_a_number_that_no_rule_can_have_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"PICKY_LIMITS__{name.upper()}: "):
        load_settings(limits={name: -1})


@pytest.mark.parametrize(
    "name", ["sends_per_s", "frames_per_s", "connections_max", "reserve_days", "title_min"]
)
def test_there_is_no_market_with_none_of_it(name: str) -> None:
    with pytest.raises(SettingsError, match=f"PICKY_LIMITS__{name.upper()}: "):
        load_settings(limits={name: 0})
