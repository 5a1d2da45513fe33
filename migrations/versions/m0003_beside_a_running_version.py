"""When a session last wrote, and room for rows that are updated in place

Revision ID: 0003
Revises: 0002

The room is for PostgreSQL: an update that finds it on its own page moves no index. Pages that are
full already get it as their rows move on.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from server.platform.database import UtcTime

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_HOT = "chat_room", "chat_member", "accounts_account", "accounts_session"


def upgrade() -> None:
    """Apply."""
    op.add_column("accounts_session", sa.Column("wrote_at", UtcTime(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        for table in _HOT:
            op.execute(f"ALTER TABLE {table} SET (fillfactor = 90)")


def downgrade() -> None:
    """Undo."""
    if op.get_bind().dialect.name == "postgresql":
        for table in _HOT:
            op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
    op.drop_column("accounts_session", "wrote_at")
