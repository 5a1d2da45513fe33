"""Styles are parsed once for a theme."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from textual.css.stylesheet import Stylesheet

import client_tui
from client_tui.app import PickyApp
from client_tui.stylesheet import ParsedOnce
from client_tui.themes import THEMES
from tests.snapshots.frozen import FrozenLink

OURS = [path.read_text() for path in Path(client_tui.__path__[0], "styles").iterdir()]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many times each style was parsed, by its text."""
    found: Counter[str] = Counter()
    parse = "textual.css.stylesheet.parse"
    real = Stylesheet.parse.__globals__["parse"]

    def counted(scope: str, css: str, *more: Any, **named: Any) -> Any:
        found[css] += 1
        return real(scope, css, *more, **named)

    monkeypatch.setattr(parse, counted)
    return found


def test_what_was_parsed_holds_while_the_variables_are_the_same(parsed: Counter[str]) -> None:
    sheet = ParsedOnce(variables={"ink": "red"})
    sheet.add_source("Label { color: $ink; }")
    sheet.reparse()
    sheet.set_variables({"ink": "red"})
    sheet.reparse()
    assert parsed.total() == 1
    assert "#FF0000" in sheet.css
    sheet.set_variables({"ink": "blue"})
    sheet.reparse()
    assert parsed.total() == 2
    assert "#0000FF" in sheet.css


async def test_a_start_parses_our_styles_once_and_another_theme_once_more(
    parsed: Counter[str], tmp_path: Path
) -> None:
    app = PickyApp(FrozenLink(tmp_path))
    async with app.run_test() as pilot:
        await pilot.pause()
        assert {parsed[css] for css in OURS} == {1}
        app.theme = THEMES[1].name
        await pilot.pause()
        assert {parsed[css] for css in OURS} == {2}
