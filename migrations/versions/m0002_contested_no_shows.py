"""No-shows that may be contested

Revision ID: 0002
Revises: 0001

A report made before has no ``no_show_until``: nobody could contest it, so it never counts.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from migrations import beside
from server.platform.columns import UtcTime

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PENDING = "no_show_until IS NOT NULL AND contested_at IS NULL AND counted_at IS NULL"
_REPORTED = "no_show_by IS NOT NULL"


def upgrade() -> None:
    """Apply."""
    for column in ("no_show_until", "contested_at", "counted_at"):
        beside.add_column("trades_appointment", sa.Column(column, UtcTime(), nullable=True))
    for name, column, where in (
        ("ix_trades_appointment_pending_no_show", "no_show_until", sa.text(_PENDING)),
        ("ix_trades_appointment_no_show_by", "no_show_by", sa.text(_REPORTED)),
    ):
        beside.create_index(
            name, "trades_appointment", [column], postgresql_where=where, sqlite_where=where
        )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_trades_appointment_no_show_by", table_name="trades_appointment")
    op.drop_index("ix_trades_appointment_pending_no_show", table_name="trades_appointment")
    for column in ("counted_at", "contested_at", "no_show_until"):
        op.drop_column("trades_appointment", column)
