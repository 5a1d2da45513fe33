"""What a block ends between two people, and what it leaves (rule 15, T14, H11)."""

from uuid import UUID

from server.accounts.events import AccountBlocked, AccountUnblocked
from server.platform.unit_of_work import UnitOfWork
from server.trades import dropping, machine, service, superseding
from server.trades.guards import Step, role_of
from server.trades.repository import trades as trade_rows


async def on_account_blocked(work: UnitOfWork, event: AccountBlocked) -> None:
    """A block cancels what the two have reserved (T14); what is handed over goes on (H11).

    They no longer meet about anything, and no offer waits for an answer.
    """
    one, other = event.account_id, event.blocked_id
    for found in await trade_rows.between(work, one, other, machine.RESERVED):
        trade = await service.settle(work, await service.lock(work, found))
        role = role_of(trade, one)
        assert role is not None
        step = Step(role, one, work.now, work.limits)
        if trade.state == machine.RESERVED:
            await service.apply(work, trade, machine.choose(trade, "block", step), step)
    await superseding.between(work, one, other)
    await dropping.between(work, one, other)
    await _tell_undoable(work, one, other)


async def on_account_unblocked(work: UnitOfWork, event: AccountUnblocked) -> None:
    """What is handed over may be undone again, where there still is time."""
    await _tell_undoable(work, event.account_id, event.unblocked_id)


async def _tell_undoable(work: UnitOfWork, one: UUID, other: UUID) -> None:
    """A confirmation is not undone between blocked people, so their trades look different (T10)."""
    for trade in await trade_rows.between(work, one, other, machine.HANDED_OVER):
        work.announce(service.changed(trade, "undo_changed", None))
