"""A market of one's own to try: a private server, people who answer, and nothing left behind."""

import os

from client_tui.demo.market import DemoMarket


def run(*, seed: int, scale: str) -> None:
    """Run the app on a fresh demo market until it is left. ``scale`` is "small" or "large"."""
    with DemoMarket(seed=seed, scale=scale) as market:
        # The market fills itself while Textual is imported.
        from client_tui.app import PickyApp
        from client_tui.core.paths import Paths
        from client_tui.link import Link
        from client_tui.pixels import find_pixels
        from client_tui.screens.starting import StartingScreen

        # One's own account, settings and keyring are for the real market.
        os.environ |= {"PICKY_HOME": str(market.folder / "home"), "PICKY_CREDENTIALS": "file"}
        link = Link(Paths.find())
        pixels = find_pixels(link.config.images)
        PickyApp(link, opening=StartingScreen(market), pixels=pixels).run()
