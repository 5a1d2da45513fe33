"""What the commands of offers and trades ask of the server."""

from typing import Any
from uuid import UUID

import pytest

from tests.client.commands.conftest import Terminal
from tests.client.core.fakes import ROOM

OFFER = UUID(int=42)


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ((), None),
        (("--method", "post"), {"method": "post"}),
        (("--method", "meet"), {"method": "meet"}),
    ],
)
def test_an_offer_is_accepted_by_the_way_that_is_named(
    terminal: Terminal, options: tuple[str, ...], body: dict[str, Any] | None
) -> None:
    terminal.run("offer", "accept", OFFER, *options, code=4)
    assert terminal.table.asked == [f"POST /v1/offers/{OFFER}/accept"]
    assert terminal.table.bodies == [body]


@pytest.mark.parametrize("method", [None, "meet", "post"])
def test_a_way_that_is_not_named_is_the_listings(terminal: Terminal, method: str | None) -> None:
    options = () if method is None else ("--method", method)
    terminal.run("trade", "reserve", ROOM, "--price", 45_000, *options, code=4)
    [sent] = terminal.table.bodies
    assert sent.get("method") == method
    assert "method" in sent or method is None


@pytest.mark.parametrize("command", [("offer", "accept"), ("trade", "reserve", "--price", 1)])
def test_a_way_that_there_is_not_is_refused_here(
    terminal: Terminal, command: tuple[str | int, ...]
) -> None:
    terminal.run(*command, ROOM, "--method", "drone", code=5)
    assert terminal.table.asked == []
