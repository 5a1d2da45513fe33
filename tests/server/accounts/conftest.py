"""Trades and chats as the accounts see them."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest

from server.accounts.api import OpenTrades, ResponseFigures, Responsiveness
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork
from shared_models.trades import Trade


@dataclass(slots=True)
class Neighbours:
    """What the rooms above would say; a test says who has what."""

    open_between: set[frozenset[UUID]] = field(default_factory=set)
    figures: dict[UUID, ResponseFigures] = field(default_factory=dict)

    async def between(self, _work: UnitOfWork, one: UUID, other: UUID) -> bool:
        return frozenset((one, other)) in self.open_between

    async def of(self, _work: UnitOfWork, account_id: UUID) -> bool:
        return any(account_id in pair for pair in self.open_between)

    async def settle(self, _context: Context, _account_id: UUID) -> None:
        """Nothing is overdue."""

    async def shown(self, _work: UnitOfWork, _account_id: UUID) -> list[Trade]:
        return []

    async def response(self, _work: UnitOfWork, account_id: UUID) -> ResponseFigures:
        return self.figures.get(account_id, ResponseFigures())


@pytest.fixture
def neighbours(context: Context) -> Neighbours:
    """Stand-ins for trades and chats, behind the ports."""
    neighbours = Neighbours()
    context.wiring.provide(
        OpenTrades,
        OpenTrades(neighbours.between, neighbours.of, neighbours.settle, neighbours.shown),
    )
    context.wiring.provide(Responsiveness, Responsiveness(neighbours.response))
    return neighbours
