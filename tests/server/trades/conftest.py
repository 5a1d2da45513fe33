"""A market to trade on."""

import pytest

from server.platform.clock import MovableClock
from server.platform.context import Context
from tests.server.conftest import SignUpPerson
from tests.server.trades.market import Market


@pytest.fixture
def market(context: Context, clock: MovableClock, sign_up: SignUpPerson) -> Market:
    """A market with nobody on it yet."""
    return Market(context, clock, sign_up)
