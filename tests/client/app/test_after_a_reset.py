from pathlib import Path
from typing import Any

from client_tui.screens.listing import ListingScreen
from client_tui.screens.trade import TradeScreen
from client_tui.store import Reset
from shared_models.trades import TradeState
from tests.client.app.test_without_a_server import front, market
from tests.snapshots import scene


async def test_a_trade_shows_what_the_bootstrap_says_at_once(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        before = scene.trade()
        shown.app.open_trade(before.id)
        screen: Any = shown.app.screen
        await shown.until(lambda: isinstance(screen, TradeScreen) and screen.trade)
        await shown.pilot.pause()
        shown.link.lose()
        now = before.model_copy(
            update={"state": TradeState.COMPLETED, "allowed_actions": ["review"]}
        )
        shown.link.store.state.trades[now.id] = now
        shown.link.store.publish(Reset())
        await shown.until(lambda: screen.trade.state is TradeState.COMPLETED)
        assert "review" in shown.footer


async def test_a_listing_is_read_again(tmp_path: Path) -> None:
    async with market(tmp_path) as shown:
        await shown.pilot.press("enter")
        await shown.until(
            lambda: isinstance(shown.app.screen, ListingScreen) and front(shown).listing
        )
        asked: list[Any] = []
        read = shown.link.moving.listing

        async def listing(listing_id: Any) -> Any:
            asked.append(listing_id)
            return await read(listing_id)

        shown.link.moving.listing = listing  # type: ignore[method-assign]
        shown.link.store.publish(Reset())
        await shown.until(lambda: asked == [front(shown).listing_id])
