"""Looking for what has run out costs the same whatever the market has seen."""

from typing import Any

from sqlalchemy import event

from server.platform.unit_of_work import reading
from server.trades import settling
from server.trades.repository.appointments import counted_against
from tests.server.plans import last_statement, plan_of
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


async def test_no_shows_are_found_along_their_indexes(market: Market) -> None:
    person = await market.person("mina")
    with last_statement(market.context, "trades_appointment") as found:
        async with reading(market.context) as work:
            await counted_against(work, person.id)
    plan = await plan_of(market.context, *found, only_along_indexes=False)
    assert "ix_trades_appointment_no_show_by" in plan
    with last_statement(market.context, "trades_appointment") as found:
        await settling.settle_account(market.context, person.id)
    plan = await plan_of(market.context, *found, only_along_indexes=True)
    assert "ix_trades_appointment_pending_no_show" in plan
