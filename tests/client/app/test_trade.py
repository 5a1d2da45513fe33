from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Static, TextArea

from client_tui.core.endpoints.trades import TradeCalls
from client_tui.core.errors import Conflict
from client_tui.screens.dialog import SendingDialog
from client_tui.screens.trade import TradeScreen
from shared_models.market import Limits
from shared_models.trades import TradeState
from tests.client.app.test_without_a_server import Shown, market
from tests.snapshots import scene

ACTIONS = ["review", "problem", "ship"]


class Desk:
    """Takes what is said about a trade, or refuses it."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.told: list[Any] = []
        self.shown = scene.trade(allowed_actions=ACTIONS)

    async def trade(self, trade_id: Any) -> Any:
        return self.shown

    async def review(self, trade_id: Any, review: Any) -> None:
        self._take(review.comment or (review.rating, review.tags))

    async def report_problem(self, trade_id: Any, version: int, reason: str, detail: str) -> Any:
        return self._take(detail)

    async def ship(self, trade_id: Any, version: int, carrier: str, number: str) -> Any:
        return self._take(number)

    def _take(self, told: Any) -> Any:
        self.told.append(told)
        if self.refusal is not None:
            raise self.refusal
        return scene.trade(version=3, allowed_actions=ACTIONS)


@asynccontextmanager
async def trade(home: Path) -> AsyncIterator[tuple[Shown, Desk]]:
    async with market(home) as shown:
        desk, api = Desk(), shown.link.moving
        for name in ("trade", "review", "report_problem", "ship"):
            setattr(api, name, getattr(desk, name))
        shown.app.open_trade(scene.trade().id)
        await shown.until(lambda: possible(shown) == ACTIONS)
        yield shown, desk


def possible(shown: Shown) -> list[str]:
    screen = shown.app.screen
    found = screen.trade if isinstance(screen, TradeScreen) else None
    return found.allowed_actions if found else []


def wrong(shown: Shown) -> str:
    shown_errors = shown.app.screen.query(".field-error.shown")
    return " ".join(str(error.render()) for error in shown_errors)


@pytest.mark.parametrize(
    ("key", "field", "send"),
    [("r", TextArea, "ctrl+s"), ("p", TextArea, "ctrl+s"), ("s", Input, "enter")],
    ids=["review", "problem", "ship"],
)
async def test_what_could_not_be_sent_stays_in_its_dialog(
    tmp_path: Path, key: str, field: Any, send: str
) -> None:
    async with trade(tmp_path) as (shown, desk):
        await shown.pilot.press(key)
        await shown.until(lambda: isinstance(shown.app.screen, SendingDialog))
        dialog = shown.app.screen
        await shown.pilot.pause()
        wanted = dialog.query_one(field)
        wanted.focus()
        setattr(wanted, "text" if field is TextArea else "value", "ABC123")
        desk.refusal = Conflict(409, "moved_on", "It has moved on.")
        await shown.pilot.press(send)
        await shown.until(lambda: wrong(shown) == "It has moved on.")
        assert shown.app.screen is dialog
        desk.refusal = None
        await shown.pilot.press(send)
        await shown.until(lambda: isinstance(shown.app.screen, TradeScreen))
        assert desk.told == ["ABC123", "ABC123"]


async def test_of_a_canceled_trade_one_says_only_that_nobody_came(tmp_path: Path) -> None:
    async with trade(tmp_path) as (shown, desk):
        desk.shown = scene.trade(TradeState.CANCELED, allowed_actions=["review"])
        await shown.pilot.press("ctrl+r")
        await shown.until(lambda: possible(shown) == ["review"])
        await shown.pilot.press("r")
        await shown.until(lambda: isinstance(shown.app.screen, SendingDialog))
        await shown.until(lambda: shown.app.screen.query("#no-show"))
        said = str(shown.app.screen.query_one("#no-show", Static).render())
        assert said == "★☆☆☆☆  bad · Did not come"
        assert not shown.app.screen.query(TextArea)
        await shown.pilot.press("ctrl+s")
        await shown.until(lambda: isinstance(shown.app.screen, TradeScreen))
        assert desk.told == [(1, ["no_show"])]


async def test_a_review_waits_for_as_many_days_as_this_market_says(tmp_path: Path) -> None:
    async with trade(tmp_path) as (shown, desk):
        strict = shown.link.market.model_copy(update={"limits": Limits(review_days=3)})
        shown.link.store.market = strict
        mine = scene.reviews()[0].model_copy(update={"published": False})
        desk.shown = scene.trade(my_review=mine)
        await shown.pilot.press("ctrl+r")
        reviews = shown.app.screen.query_one("#trade-reviews", Static)
        await shown.until(lambda: "or the 3 days are over." in str(reviews.visual))


@pytest.mark.parametrize(
    ("key", "field", "written", "send", "place", "text"),
    [
        ("p", TextArea, " ", "ctrl+s", "detail", "It may not be empty."),
        ("s", Input, "12-34", "enter", "tracking_number", "6 to 40 letters and digits."),
    ],
    ids=["problem", "ship"],
)
async def test_what_no_server_would_take_is_said_under_its_field(
    tmp_path: Path, key: str, field: Any, written: str, send: str, place: str, text: str
) -> None:
    async with trade(tmp_path) as (shown, desk):
        checked, calls = shown.link.moving, TradeCalls(None)  # type: ignore[arg-type]
        checked.ship, checked.report_problem = calls.ship, calls.report_problem  # type: ignore[attr-defined]
        await shown.pilot.press(key)
        await shown.until(lambda: isinstance(shown.app.screen, SendingDialog))
        await shown.pilot.pause()
        wanted = shown.app.screen.query_one(field)
        wanted.focus()
        setattr(wanted, "text" if field is TextArea else "value", written)
        await shown.pilot.press(send)
        await shown.until(lambda: wrong(shown).endswith(text))
        error = shown.app.screen.query_one(f"Field#{place}").query_one(".field-error")
        assert error.has_class("shown")
        assert desk.told == []
