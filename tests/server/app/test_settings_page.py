"""`docs/settings.md` is the code in words, and says of every setting what it is for."""

import re
from dataclasses import astuple
from pathlib import Path

import pytest
from annotated_types import Ge, Gt, Le, Lt

from server.app.roles import Role
from server.app.settings import Settings, SettingsError
from server.app.settings_page import fleet_needs, page, variable
from shared_models.market import Rules

ROOT = Path(__file__).parents[3]
NAMES = [name for name in Settings.model_fields if name != "limits"]
LIMITS = [f"limits__{name}" for name in Rules.model_fields]


def row_of(name: str) -> list[str]:
    rows = [line for line in page().splitlines() if line.startswith(f"| `{variable(name)}` ")]
    row = rows[0]  # compose asks for some of them once more
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_the_page_is_current() -> None:
    written = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert written == page(), "make settings writes it anew"


@pytest.mark.parametrize("name", [*NAMES, *LIMITS])
def test_every_setting_is_there_and_described(name: str) -> None:
    assert all(row_of(name)), f"{name} has no description"


def test_bounds_are_told_as_they_are() -> None:
    assert row_of("database_statement_timeout_s")[1] == "a number above 0 to 600"
    assert row_of("database_pool")[1] == "a whole number from 1 to 100"
    for name in NAMES:
        for bound in Settings.model_fields[name].metadata:
            if isinstance(bound, Gt | Ge | Lt | Le):
                [value] = astuple(bound)
                assert f" {value}" in row_of(name)[1], name


def test_what_compose_asks_for_is_there() -> None:
    composed = (ROOT / "deploy" / "compose.yaml").read_text()
    asked = dict(re.findall(r"\$\{(\w+):([?-])", composed))
    table = page().partition("## Of `deploy/compose.yaml`")[2].partition("\n## ")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| .+ \| (yes|no) \|$", table, re.MULTILINE))
    assert told == {name: "yes" if needed == "?" else "no" for name, needed in asked.items()}


def test_what_a_fleet_needs_is_what_it_does_not_start_without(tmp_path: Path) -> None:
    whole = {
        "database_url": "postgresql://database/picky",
        "bus_url": "redis://bus",
        "object_store_url": "s3://picky",
        "secret_key": "k" * 32,
    }
    Settings(role=Role.API, data_dir=tmp_path, **whole).check()  # type: ignore[arg-type]
    assert fleet_needs() == {variable(name) for name in whole}
    for name in whole:
        assert row_of(name)[-1] == "by a fleet"
        rest = {one: text for one, text in whole.items() if one != name}
        settings = Settings(role=Role.API, data_dir=tmp_path, **rest)  # type: ignore[arg-type]
        with pytest.raises(SettingsError, match=f"the role api needs {variable(name)}$"):
            settings.check()
