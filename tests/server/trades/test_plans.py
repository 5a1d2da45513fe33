"""Looking for what has run out costs the same whatever the market has seen."""

from typing import Any

from sqlalchemy import event

from server.trades import settling
from tests.server.plans import plan_of
from tests.server.trades.market import Market


async def test_overdue_trades_are_found_along_their_index(market: Market) -> None:
    found: list[Any] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if "trades_trade" in statement:
            found[:] = [statement, parameters]

    engine = market.context.database.reader.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    await settling.settle_due(market.context)
    event.remove(engine, "before_cursor_execute", note)
    plan = await plan_of(market.context, *found, only_along_indexes=True)
    assert "ix_trades_trade_due" in plan
