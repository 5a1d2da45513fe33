"""What may be between this server and PostgreSQL."""

from enum import StrEnum


class Pooler(StrEnum):
    """Who a connection is shared with; ``transaction`` is PgBouncer's mode of that name."""

    NONE = "none"
    TRANSACTION = "transaction"
