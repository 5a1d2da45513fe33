"""When a session last wrote, and room for rows that are updated in place

Revision ID: 0003
Revises: 0002

The room is for PostgreSQL: an update that finds it on its own page moves no index. Pages that are
full already get it as their rows move on.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from migrations import beside
from server.platform.columns import UtcTime

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_HOT = "chat_room", "chat_member", "accounts_account", "accounts_session"


def upgrade() -> None:
    """Apply; first what keeps nobody waiting."""
    if beside.is_postgresql():
        for table in _HOT:
            op.execute(f"ALTER TABLE {table} SET (fillfactor = 90)")
    beside.add_column("accounts_session", sa.Column("wrote_at", UtcTime(), nullable=True))


def downgrade() -> None:
    """Undo."""
    if beside.is_postgresql():
        for table in _HOT:
            op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
    op.drop_column("accounts_session", "wrote_at")
