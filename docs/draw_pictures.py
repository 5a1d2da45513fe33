"""Draws the README's picture from the demo market: ``make pictures``."""

import asyncio
import os
from pathlib import Path

from client_tui.app import PickyApp
from client_tui.core.paths import Paths
from client_tui.demo.market import DemoMarket
from client_tui.link import Link
from client_tui.screens.browse import BrowseScreen
from client_tui.screens.starting import StartingScreen

TARGET = Path(__file__).parent / "pictures" / "browse.svg"
SIZE = (120, 36)
PICTURES_WITHIN_S = 60


async def draw(market: DemoMarket) -> str:
    """The browse screen of a small demo market, once its pictures have come, as SVG."""
    app = PickyApp(Link(Paths.find()), opening=StartingScreen(market))
    drawn = asyncio.Event()
    async with app.run_test(size=SIZE) as pilot, asyncio.timeout(PICTURES_WITHIN_S):
        while not isinstance(app.screen, BrowseScreen):
            await pilot.pause(0.1)
        app.link.pictures.subscribe(lambda _: drawn.set())
        await drawn.wait()
        await pilot.press("down")
        while app.link.pictures.busy:
            await pilot.pause(0.1)
        await pilot.pause(0.5)
        return app.export_screenshot(title="picky")


def main() -> None:
    """Write the picture."""
    with DemoMarket(seed=1, scale="small") as market:
        os.environ |= {"PICKY_HOME": str(market.folder / "home"), "PICKY_CREDENTIALS": "file"}
        TARGET.write_text(asyncio.run(draw(market)))


if __name__ == "__main__":
    main()
