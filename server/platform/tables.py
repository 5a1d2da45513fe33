"""The tables of the platform: streams, jobs and stored answers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from server.platform.columns import Entity, Table, refers_to


class Stream(Entity, Table):
    """A gap-free sequence of events. ``head`` is moved by a row-locked UPDATE only."""

    __tablename__ = "platform_stream"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    epoch: Mapped[UUID]
    head: Mapped[int] = mapped_column(BigInteger)
    oldest: Mapped[int] = mapped_column(BigInteger)
    """The lowest position that is still kept (1 while nothing was trimmed)."""


class StreamEvent(Table):
    """One step of a stream; ``data`` is the JSON of the event's object, as its reader sees it.

    On PostgreSQL it is in parts by day (:mod:`server.platform.event_days`), and ``created_at`` is
    in the key, which therefore does not keep a position from being taken twice: the head does.
    """

    __tablename__ = "platform_stream_event"

    stream_id: Mapped[UUID] = refers_to("platform_stream.id", primary_key=True)
    pos: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    data: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(index=True)


class Job(Entity, Table):
    """Work to be done after its transaction; at most one live job per ``key``."""

    __tablename__ = "platform_job"
    __table_args__ = (
        Index(
            "ix_platform_job_due",
            "run_at",
            postgresql_where=text("done_at IS NULL"),
            sqlite_where=text("done_at IS NULL"),
        ),
        Index(
            "ix_platform_job_dead",
            "dead_at",
            postgresql_where=text("dead_at IS NOT NULL"),
            sqlite_where=text("dead_at IS NOT NULL"),
        ),
        Index(
            "uq_platform_job_key",
            "key",
            unique=True,
            postgresql_where=text("done_at IS NULL AND key IS NOT NULL"),
            sqlite_where=text("done_at IS NULL AND key IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]]
    key: Mapped[str | None] = mapped_column(String(200))
    run_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    done_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]


class StoredAnswer(Table):
    """The answer to a request that carried an ``Idempotency-Key``; written with its effect."""

    __tablename__ = "platform_stored_answer"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[UUID] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(index=True)
