"""Uploads. A photo is an upload that became ready; its objects in the store never change."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.platform.columns import Entity, Table


class Upload(Entity, Table):
    """One file on its way to becoming a photo; attached to at most one object."""

    __tablename__ = "media_upload"
    __table_args__ = (
        Index("ix_media_upload_attached", "attached_kind", "attached_id", "position"),
        Index("ix_media_upload_owner", "owner_id", "created_at"),
        Index("ix_media_upload_unattached", "attached_id", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    purpose: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    object_key: Mapped[str] = mapped_column(String(200))
    expires_at: Mapped[datetime]
    width: Mapped[int | None]
    height: Mapped[int | None]
    placeholder: Mapped[str | None] = mapped_column(Text)
    attached_kind: Mapped[str | None] = mapped_column(String(20))
    attached_id: Mapped[UUID | None]
    position: Mapped[int | None]
