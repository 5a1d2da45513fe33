"""`picky demo` in a real terminal: it opens at once, goes on to the market, and leaves nothing."""

import asyncio
import signal
import sys
from pathlib import Path

import psutil
import pytest

from client_tui.demo.market import DemoMarket, Failed
from tests.journeys.terminal import Terminal

pytestmark = pytest.mark.timeout(240)

PICKY = Path(sys.executable).with_name("picky")
STARTING = "market of your own is being filled"
BROWSE = "● selling"
GONE_WITHIN_S = 45
SEEDED_WITHIN_S = 150  # beside other tests; docs/performance.md has the figures for an idle machine
CTRL_Q = "\x11"
F2 = "\x1bOQ"


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    """Folders of this test alone: for temporary files, and of the person's own Picky."""
    found = {"TMPDIR": tmp_path / "temporary", "PICKY_HOME": tmp_path / "own"}
    for place in found.values():
        place.mkdir()
    return found


def demo(places: dict[str, Path]) -> Terminal:
    environment = {name: str(place) for name, place in places.items()}
    # A database of somebody else's must never be filled with made-up people.
    environment["PICKY_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:9/real"
    return Terminal([PICKY, "demo", "--scale", "small"], environment)


def assert_nothing_is_left(family: list[psutil.Process], places: dict[str, Path]) -> None:
    assert family
    _, alive = psutil.wait_procs(family, GONE_WITHIN_S)
    assert alive == []
    assert list(places["TMPDIR"].iterdir()) == []
    assert list(places["PICKY_HOME"].iterdir()) == []


def test_the_demo_opens_the_market_and_leaves_nothing_behind(places: dict[str, Path]) -> None:
    with demo(places) as terminal:
        terminal.wait_for(STARTING, within_s=30)
        terminal.wait_for(BROWSE, SEEDED_WITHIN_S)
        family = terminal.family()
        terminal.press(CTRL_Q)
        assert terminal.wait_for_end(GONE_WITHIN_S) == 0
        assert_nothing_is_left(family, places)


def test_a_killed_demo_leaves_nothing_behind(places: dict[str, Path]) -> None:
    with demo(places) as terminal:
        terminal.wait_for(BROWSE, SEEDED_WITHIN_S)
        family = terminal.family()
        terminal.process.kill()
        assert terminal.wait_for_end(GONE_WITHIN_S) == -signal.SIGKILL
        assert_nothing_is_left(family, places)


def test_a_terminal_closed_while_the_market_fills_leaves_nothing_behind(
    places: dict[str, Path],
) -> None:
    with demo(places) as terminal:
        terminal.wait_for("pictures", within_s=60)
        family = terminal.family()
        terminal.close()
        terminal.process.wait(GONE_WITHIN_S)
        assert_nothing_is_left(family, places)


def test_the_first_screen_leads_to_the_demo(places: dict[str, Path]) -> None:
    with Terminal([PICKY], {name: str(place) for name, place in places.items()}) as terminal:
        terminal.wait_for("demo", within_s=30)
        terminal.press(F2)
        terminal.wait_for(STARTING, within_s=30)
        family = terminal.family()
        terminal.press(CTRL_Q)
        assert terminal.wait_for_end(GONE_WITHIN_S) == 0
        assert_nothing_is_left(family, places)


def test_a_market_that_cannot_be_filled_says_why(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(places["TMPDIR"]))

    async def last_news(market: DemoMarket) -> object:
        return [news async for news in market.news()][-1]

    with DemoMarket(seed=1, scale="gigantic") as market:
        news = asyncio.run(last_news(market))
        assert isinstance(news, Failed)
        assert any("gigantic" in line for line in news.lines)
        assert market.folder.is_relative_to(places["TMPDIR"])
    assert not market.folder.exists()
