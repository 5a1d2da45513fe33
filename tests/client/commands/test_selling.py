from pathlib import Path
from typing import Any

import pytest

from tests.client.app.room_server import MARKET
from tests.client.commands.conftest import Terminal

GOOD: dict[str, Any] = {
    "--title": "Oak chair",
    "--description": "A chair of solid oak.",
    "--category": "furniture",
    "--condition": "good",
    "--price": 45_000,
}
JPEG = b"\xff\xd8\xff\xe0 chair"


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--title", "x", "title: A title has 2 characters or more."),
        ("--category", "nope", "category: There is no such category."),
        ("--photo", "second.jpg", "second.jpg is no JPEG, PNG or WebP picture."),
        ("--photo", "gone.jpg", "There is no file"),
    ],
)
def test_what_cannot_be_for_sale_is_refused_before_anything_is_uploaded(
    terminal: Terminal, tmp_path: Path, option: str, value: str, told: str
) -> None:
    (tmp_path / "first.jpg").write_bytes(JPEG)
    (tmp_path / "second.jpg").write_bytes(b"no picture")
    terminal.table.answers["GET /v1/market"] = (200, MARKET.model_dump(mode="json"))
    given = GOOD | ({option: value} if option != "--photo" else {})
    photos = ["first.jpg", *([value] if option == "--photo" else [])]
    options = [
        *(part for pair in given.items() for part in pair),
        *(part for name in photos for part in ("--photo", tmp_path / name)),
    ]
    result = terminal.run("sell", *options, code=5)
    assert told in result.stderr
    assert terminal.table.asked == ["GET /v1/market"]
