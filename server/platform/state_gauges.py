"""How much there is in the database, by state; never more rows than a glance is worth."""

from collections.abc import Iterable
from typing import Any

from prometheus_client import Gauge
from sqlalchemy import Select, func, select

from server.platform.unit_of_work import UnitOfWork

COUNTED_MOST = 10_000

_state_gauges: set[Gauge] = set()
"""The gauges that are set here."""


async def set_states(
    work: UnitOfWork, gauge: Gauge, states: Iterable[str], rows: Select[Any]
) -> None:
    """Set the gauge of each state to how many of the first 10,000 rows are in it.

    ``rows`` has one column, ``state``, and an order that an index has.
    """
    _state_gauges.add(gauge)
    [column] = rows.limit(COUNTED_MOST).subquery().c
    counted = await work.rows(select(column, func.count().label("many")).group_by(column))
    found = {row.state: row.many for row in counted}
    for state in states:
        gauge.labels(state).set(found.get(state, 0))


def forget_states() -> None:
    """Tell of no state any more: who cannot look does not go on saying what was once so."""
    for gauge in _state_gauges:
        gauge.clear()
