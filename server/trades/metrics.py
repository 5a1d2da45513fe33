"""What trades count: steps of trades, and the open ones."""

from prometheus_client import Counter, Gauge

TRANSITIONS = Counter(
    "picky_trade_transitions", "Steps of trades that were made here, by where they lead.", ["state"]
)
OPEN_TRADES = Gauge("picky_open_trades", "Open trades in the database, up to 10,000.", ["state"])
