"""The notification centre's rows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from server.platform.columns import Entity, Table, refers_to

_UNREAD = text("read_at IS NULL")


class Notification(Entity, Table):
    """A notice: a row first, then a push (rule 16)."""

    __tablename__ = "notifications_notification"
    __table_args__ = (
        UniqueConstraint("account_id", "dedup_key"),
        Index("ix_notifications_page", "account_id", "created_at", "id"),
        Index(
            "ix_notifications_unread",
            "account_id",
            postgresql_where=_UNREAD,
            sqlite_where=_UNREAD,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = refers_to("accounts_account.id")
    kind: Mapped[str] = mapped_column(String(20))
    event: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(String(300))
    data: Mapped[dict[str, Any]]
    dedup_key: Mapped[str] = mapped_column(String(200))
    silent: Mapped[bool] = mapped_column(default=False)
    read_at: Mapped[datetime | None]
