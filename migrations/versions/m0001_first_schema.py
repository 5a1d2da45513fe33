"""The first schema: the whole design

Revision ID: 0001
Revises:
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from server.platform.columns import JsonValue, UtcTime

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "accounts_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("handle", sa.String(length=20), nullable=False),
        sa.Column("display_name", sa.String(length=20), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("place", sa.String(length=60), nullable=True),
        sa.Column("locale", sa.String(length=10), nullable=True),
        sa.Column("avatar", JsonValue, nullable=True),
        sa.Column("consents", JsonValue, nullable=False),
        sa.Column("notification_switches", JsonValue, nullable=False),
        sa.Column("manner_score", sa.Float(), nullable=False),
        sa.Column("review_count", sa.Integer(), nullable=False),
        sa.Column("sales", sa.Integer(), nullable=False),
        sa.Column("purchases", sa.Integer(), nullable=False),
        sa.Column("no_shows", sa.Integer(), nullable=False),
        sa.Column("suspended_until", UtcTime(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_account")),
        sa.UniqueConstraint("handle", name=op.f("uq_accounts_account_handle")),
    )
    op.create_table(
        "media_upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("content_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("object_key", sa.String(length=200), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("placeholder", sa.Text(), nullable=True),
        sa.Column("attached_kind", sa.String(length=20), nullable=True),
        sa.Column("attached_id", sa.Uuid(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_upload")),
    )
    op.create_index(
        "ix_media_upload_attached",
        "media_upload",
        ["attached_kind", "attached_id", "position"],
        unique=False,
    )
    op.create_index(
        "ix_media_upload_owner",
        "media_upload",
        ["owner_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_media_upload_unattached",
        "media_upload",
        ["attached_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "platform_job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("payload", JsonValue, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.Column("run_at", UtcTime(), nullable=False),
        sa.Column("leased_until", UtcTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("done_at", UtcTime(), nullable=True),
        sa.Column("dead_at", UtcTime(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_job")),
    )
    op.create_index(
        "ix_platform_job_due",
        "platform_job",
        ["run_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
        sqlite_where=sa.text("done_at IS NULL"),
    )
    op.create_index(
        "uq_platform_job_key",
        "platform_job",
        ["key"],
        unique=True,
        postgresql_where=sa.text("done_at IS NULL AND key IS NOT NULL"),
        sqlite_where=sa.text("done_at IS NULL AND key IS NOT NULL"),
    )
    op.create_table(
        "platform_stored_answer",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_platform_stored_answer")),
    )
    op.create_index(
        op.f("ix_platform_stored_answer_created_at"),
        "platform_stored_answer",
        ["created_at"],
        unique=False,
    )
    op.create_table(
        "platform_stream",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Uuid(), nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=False),
        sa.Column("oldest", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_stream")),
    )
    op.create_table(
        "accounts_block",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("blocked_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts_account.id"],
            name=op.f("fk_accounts_block_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["blocked_id"],
            ["accounts_account.id"],
            name=op.f("fk_accounts_block_blocked_id"),
        ),
        sa.PrimaryKeyConstraint("account_id", "blocked_id", name=op.f("pk_accounts_block")),
    )
    op.create_index(
        "ix_accounts_block_reverse",
        "accounts_block",
        ["blocked_id", "account_id"],
        unique=False,
    )
    op.create_table(
        "accounts_export",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("object_key", sa.String(length=200), nullable=False),
        sa.Column("requested_at", UtcTime(), nullable=False),
        sa.Column("ready_at", UtcTime(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts_account.id"],
            name=op.f("fk_accounts_export_account_id"),
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_accounts_export")),
        sa.UniqueConstraint("object_key", name=op.f("uq_accounts_export_object_key")),
    )
    op.create_table(
        "accounts_follow",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("followed_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts_account.id"],
            name=op.f("fk_accounts_follow_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["followed_id"],
            ["accounts_account.id"],
            name=op.f("fk_accounts_follow_followed_id"),
        ),
        sa.PrimaryKeyConstraint("account_id", "followed_id", name=op.f("pk_accounts_follow")),
    )
    op.create_index(
        "ix_accounts_follow_reverse",
        "accounts_follow",
        ["followed_id", "account_id"],
        unique=False,
    )
    op.create_table(
        "accounts_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=60), nullable=True),
        sa.Column("last_seen_at", UtcTime(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts_account.id"],
            name=op.f("fk_accounts_session_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_accounts_session_token_hash")),
    )
    op.create_index(
        op.f("ix_accounts_session_account_id"),
        "accounts_session",
        ["account_id"],
        unique=False,
    )
    op.create_table(
        "listings_search_document",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("title_terms", sa.Text(), nullable=False),
        sa.Column("all_terms", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listings_search_document")),
    )
    op.create_table(
        "listings_listing",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=True),
        sa.Column("condition", sa.String(length=20), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("negotiable", sa.Boolean(), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("place", sa.String(length=60), nullable=True),
        sa.Column("photos", JsonValue, nullable=False),
        sa.Column("like_count", sa.Integer(), nullable=False),
        sa.Column("chat_count", sa.Integer(), nullable=False),
        sa.Column("lowest_announced_price", sa.BigInteger(), nullable=True),
        sa.Column("price_announced_at", UtcTime(), nullable=True),
        sa.Column("published_at", UtcTime(), nullable=True),
        sa.Column("bumped_at", UtcTime(), nullable=False),
        sa.Column("bump_count", sa.Integer(), nullable=False),
        sa.Column("hidden_at", UtcTime(), nullable=True),
        sa.Column("removed_at", UtcTime(), nullable=True),
        sa.Column("sold_elsewhere_at", UtcTime(), nullable=True),
        sa.Column("search_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["seller_id"],
            ["accounts_account.id"],
            name=op.f("fk_listings_listing_seller_id"),
        ),
        sa.ForeignKeyConstraint(
            ["search_id"],
            ["listings_search_document.id"],
            name=op.f("fk_listings_listing_search_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listings_listing")),
        sa.UniqueConstraint("search_id", name=op.f("uq_listings_listing_search_id")),
    )
    op.create_index(
        "ix_listings_any_newest",
        "listings_listing",
        ["bumped_at", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
    )
    op.create_index(
        "ix_listings_category_newest",
        "listings_listing",
        ["category", "state", "bumped_at", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
    )
    op.create_index(
        "ix_listings_liked",
        "listings_listing",
        ["state", "like_count", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
    )
    op.create_index(
        "ix_listings_newest",
        "listings_listing",
        ["state", "bumped_at", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
    )
    op.create_index(
        "ix_listings_place_newest",
        "listings_listing",
        ["place", "state", "bumped_at", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
    )
    op.create_index(
        "ix_listings_price",
        "listings_listing",
        ["state", "price", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
    )
    op.create_index(
        "ix_listings_seller",
        "listings_listing",
        ["seller_id", "bumped_at", "id"],
        unique=False,
    )
    op.create_table(
        "listings_search",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("q", sa.String(length=100), nullable=False),
        sa.Column("searched_at", UtcTime(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts_account.id"],
            name=op.f("fk_listings_search_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listings_search")),
    )
    op.create_index(
        "ix_listings_search_page",
        "listings_search",
        ["account_id", "searched_at", "id"],
        unique=False,
    )
    op.create_table(
        "notifications_notification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("data", JsonValue, nullable=False),
        sa.Column("dedup_key", sa.String(length=200), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("read_at", UtcTime(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts_account.id"],
            name=op.f("fk_notifications_notification_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications_notification")),
        sa.UniqueConstraint(
            "account_id",
            "dedup_key",
            name=op.f("uq_notifications_notification_account_id_dedup_key"),
        ),
    )
    op.create_index(
        "ix_notifications_page",
        "notifications_notification",
        ["account_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_notifications_unread",
        "notifications_notification",
        ["account_id"],
        unique=False,
        postgresql_where=sa.text("read_at IS NULL"),
        sqlite_where=sa.text("read_at IS NULL"),
    )
    op.create_table(
        "platform_stream_event",
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("pos", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"],
            ["platform_stream.id"],
            name=op.f("fk_platform_stream_event_stream_id"),
        ),
        sa.PrimaryKeyConstraint("stream_id", "pos", name=op.f("pk_platform_stream_event")),
    )
    op.create_index(
        op.f("ix_platform_stream_event_created_at"),
        "platform_stream_event",
        ["created_at"],
        unique=False,
    )
    op.create_table(
        "trades_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reporter_id", sa.Uuid(), nullable=False),
        sa.Column("target_kind", sa.String(length=20), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("snapshot", JsonValue, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["reporter_id"],
            ["accounts_account.id"],
            name=op.f("fk_trades_report_reporter_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trades_report")),
    )
    op.create_index(
        "uq_trades_report_open",
        "trades_report",
        ["reporter_id", "target_kind", "target_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "accounts_ticket",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts_account.id"],
            name=op.f("fk_accounts_ticket_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["accounts_session.id"],
            name=op.f("fk_accounts_ticket_session_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_ticket")),
        sa.UniqueConstraint("ticket_hash", name=op.f("uq_accounts_ticket_ticket_hash")),
    )
    op.create_index(
        op.f("ix_accounts_ticket_expires_at"),
        "accounts_ticket",
        ["expires_at"],
        unique=False,
    )
    op.create_table(
        "chat_room",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("indexed_seq", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=True),
        sa.Column("answered_at", UtcTime(), nullable=True),
        sa.Column("active_at", UtcTime(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["buyer_id"], ["accounts_account.id"], name=op.f("fk_chat_room_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"],
            ["listings_listing.id"],
            name=op.f("fk_chat_room_listing_id"),
        ),
        sa.ForeignKeyConstraint(
            ["seller_id"], ["accounts_account.id"], name=op.f("fk_chat_room_seller_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_room")),
        sa.UniqueConstraint(
            "listing_id", "buyer_id", name=op.f("uq_chat_room_listing_id_buyer_id")
        ),
    )
    op.create_index(op.f("ix_chat_room_buyer_id"), "chat_room", ["buyer_id"], unique=False)
    op.create_index(op.f("ix_chat_room_seller_id"), "chat_room", ["seller_id"], unique=False)
    op.create_table(
        "listings_like",
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts_account.id"],
            name=op.f("fk_listings_like_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"],
            ["listings_listing.id"],
            name=op.f("fk_listings_like_listing_id"),
        ),
        sa.PrimaryKeyConstraint("listing_id", "account_id", name=op.f("pk_listings_like")),
    )
    op.create_index(
        "ix_listings_like_page",
        "listings_like",
        ["account_id", "updated_at", "listing_id"],
        unique=False,
    )
    op.create_table(
        "listings_view",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("viewed_at", UtcTime(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts_account.id"],
            name=op.f("fk_listings_view_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"],
            ["listings_listing.id"],
            name=op.f("fk_listings_view_listing_id"),
        ),
        sa.PrimaryKeyConstraint("account_id", "listing_id", name=op.f("pk_listings_view")),
    )
    op.create_index(
        "ix_listings_view_page",
        "listings_view",
        ["account_id", "viewed_at", "listing_id"],
        unique=False,
    )
    op.create_table(
        "chat_member",
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("read_seq", sa.BigInteger(), nullable=False),
        sa.Column("receipt_seq", sa.BigInteger(), nullable=False),
        sa.Column("unread", sa.Integer(), nullable=False),
        sa.Column("muted", sa.Boolean(), nullable=False),
        sa.Column("left_at", UtcTime(), nullable=True),
        sa.Column("cleared_before_seq", sa.BigInteger(), nullable=False),
        sa.Column("active_at", UtcTime(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts_account.id"],
            name=op.f("fk_chat_member_account_id"),
        ),
        sa.ForeignKeyConstraint(["room_id"], ["chat_room.id"], name=op.f("fk_chat_member_room_id")),
        sa.PrimaryKeyConstraint("room_id", "account_id", name=op.f("pk_chat_member")),
    )
    op.create_index(
        "ix_chat_member_page",
        "chat_member",
        ["account_id", "active_at", "room_id"],
        unique=False,
    )
    op.create_table(
        "chat_message",
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cid", sa.Uuid(), nullable=True),
        sa.Column("sender_id", sa.Uuid(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("photos", JsonValue, nullable=False),
        sa.Column("system", JsonValue, nullable=True),
        sa.Column("warning", sa.String(length=40), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["room_id"], ["chat_room.id"], name=op.f("fk_chat_message_room_id")
        ),
        sa.PrimaryKeyConstraint("room_id", "seq", name=op.f("pk_chat_message")),
        sa.UniqueConstraint("id", name=op.f("uq_chat_message_id")),
        sa.UniqueConstraint("sender_id", "cid", name=op.f("uq_chat_message_sender_id_cid")),
    )
    op.create_table(
        "chat_search_document",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id", "seq"],
            ["chat_message.room_id", "chat_message.seq"],
            name=op.f("fk_chat_search_document_room_id_seq"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_search_document")),
        sa.UniqueConstraint("room_id", "seq", name=op.f("uq_chat_search_document_room_id_seq")),
    )
    op.create_table(
        "trades_appointment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("chatroom_id", sa.Uuid(), nullable=False),
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_id", sa.Uuid(), nullable=False),
        sa.Column("proposer_id", sa.Uuid(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("place", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("no_show_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["chatroom_id"],
            ["chat_room.id"],
            name=op.f("fk_trades_appointment_chatroom_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trades_appointment")),
    )
    op.create_index(
        "ix_trades_appointment_room",
        "trades_appointment",
        ["chatroom_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "uq_trades_appointment_current",
        "trades_appointment",
        ["chatroom_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('proposed', 'accepted')"),
        sqlite_where=sa.text("state IN ('proposed', 'accepted')"),
    )
    op.create_table(
        "trades_offer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("chatroom_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_id", sa.Uuid(), nullable=False),
        sa.Column("maker_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["chatroom_id"], ["chat_room.id"], name=op.f("fk_trades_offer_chatroom_id")
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"],
            ["listings_listing.id"],
            name=op.f("fk_trades_offer_listing_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trades_offer")),
    )
    op.create_index(
        "ix_trades_offer_listing", "trades_offer", ["listing_id", "state"], unique=False
    )
    op.create_index(
        "ix_trades_offer_maker",
        "trades_offer",
        ["maker_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_trades_offer_room",
        "trades_offer",
        ["chatroom_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "uq_trades_offer_pending",
        "trades_offer",
        ["chatroom_id"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
        sqlite_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "trades_trade",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("chatroom_id", sa.Uuid(), nullable=False),
        sa.Column("seller_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_id", sa.Uuid(), nullable=False),
        sa.Column("agreed_price", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("due_at", UtcTime(), nullable=True),
        sa.Column("seller_confirmed_at", UtcTime(), nullable=True),
        sa.Column("buyer_confirmed_at", UtcTime(), nullable=True),
        sa.Column("cancel_reason", sa.String(length=40), nullable=True),
        sa.Column("cancel_consented_at", UtcTime(), nullable=True),
        sa.Column("carrier", sa.String(length=40), nullable=True),
        sa.Column("tracking_number", sa.String(length=40), nullable=True),
        sa.Column("problem_reason", sa.String(length=40), nullable=True),
        sa.Column("problem_detail", sa.Text(), nullable=True),
        sa.Column("problem_by", sa.Uuid(), nullable=True),
        sa.Column("disputed_from", sa.String(length=12), nullable=True),
        sa.Column("auto_completed", sa.Boolean(), nullable=False),
        sa.Column("completed_at", UtcTime(), nullable=True),
        sa.Column("review_until", UtcTime(), nullable=True),
        sa.Column("snapshot", JsonValue, nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["buyer_id"], ["accounts_account.id"], name=op.f("fk_trades_trade_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["chatroom_id"], ["chat_room.id"], name=op.f("fk_trades_trade_chatroom_id")
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"],
            ["listings_listing.id"],
            name=op.f("fk_trades_trade_listing_id"),
        ),
        sa.ForeignKeyConstraint(
            ["seller_id"],
            ["accounts_account.id"],
            name=op.f("fk_trades_trade_seller_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trades_trade")),
    )
    op.create_index(
        "ix_trades_trade_buyer",
        "trades_trade",
        ["buyer_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_trades_trade_due",
        "trades_trade",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('reserved', 'shipped', 'handed_over', 'disputed')"),
        sqlite_where=sa.text("state IN ('reserved', 'shipped', 'handed_over', 'disputed')"),
    )
    op.create_index(
        "ix_trades_trade_room",
        "trades_trade",
        ["chatroom_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_trades_trade_seller",
        "trades_trade",
        ["seller_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "uq_trades_trade_open",
        "trades_trade",
        ["listing_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('reserved', 'shipped', 'handed_over', 'disputed')"),
        sqlite_where=sa.text("state IN ('reserved', 'shipped', 'handed_over', 'disputed')"),
    )
    op.create_table(
        "trades_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trade_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("tags", JsonValue, nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("published_at", UtcTime(), nullable=True),
        sa.Column("hidden_at", UtcTime(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("deleted_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["accounts_account.id"],
            name=op.f("fk_trades_review_author_id"),
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"],
            ["accounts_account.id"],
            name=op.f("fk_trades_review_subject_id"),
        ),
        sa.ForeignKeyConstraint(
            ["trade_id"], ["trades_trade.id"], name=op.f("fk_trades_review_trade_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trades_review")),
        sa.UniqueConstraint(
            "trade_id", "author_id", name=op.f("uq_trades_review_trade_id_author_id")
        ),
    )
    op.create_index(
        "ix_trades_review_subject",
        "trades_review",
        ["subject_id", "published_at", "id"],
        unique=False,
    )
    op.create_table(
        "trades_transition",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trade_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trade_id"],
            ["trades_trade.id"],
            name=op.f("fk_trades_transition_trade_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trades_transition")),
        sa.UniqueConstraint(
            "trade_id", "version", name=op.f("uq_trades_transition_trade_id_version")
        ),
    )
    if op.get_bind().dialect.name == "sqlite":
        _add_fts5_index()
    else:
        _add_tsvector_index()


def _add_fts5_index() -> None:
    op.execute(
        "CREATE VIRTUAL TABLE listings_search_index USING fts5("
        "title_terms, all_terms, content='listings_search_document', content_rowid='id', "
        "tokenize='ascii')"
    )
    add = "INSERT INTO listings_search_index(rowid, title_terms, all_terms) VALUES (new.id, new.title_terms, new.all_terms);"
    drop = (
        "INSERT INTO listings_search_index(listings_search_index, rowid, title_terms, all_terms) "
        "VALUES ('delete', old.id, old.title_terms, old.all_terms);"
    )
    for name, moment, body in (
        ("insert", "INSERT", add),
        ("delete", "DELETE", drop),
        ("update", "UPDATE", drop + add),
    ):
        op.execute(
            f"CREATE TRIGGER listings_search_index_{name} AFTER {moment} "
            f"ON listings_search_document BEGIN {body} END"
        )
    # The terms are made again from the message when it leaves the index, so they are not kept.
    op.execute(
        "CREATE VIRTUAL TABLE chat_search_index USING fts5("
        "terms, content='', detail='none', tokenize='ascii')"
    )


def _add_tsvector_index() -> None:
    for column in ("title_terms", "all_terms"):
        index = f"listings_search_index_{column}"
        op.execute(
            f"ALTER TABLE listings_search_document ADD COLUMN {index} tsvector "
            f"GENERATED ALWAYS AS (array_to_tsvector(array_remove(string_to_array({column}, ' '), ''))) STORED"
        )
        op.execute(f"CREATE INDEX {index}_gin ON listings_search_document USING gin ({index})")
    op.execute("ALTER TABLE chat_search_document ADD COLUMN chat_search_index tsvector NOT NULL")
    op.execute(
        "CREATE INDEX chat_search_index_gin ON chat_search_document USING gin (chat_search_index)"
    )


def downgrade() -> None:
    """Undo."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE listings_search_index")
        op.execute("DROP TABLE chat_search_index")
    op.drop_table("trades_transition")
    op.drop_index("ix_trades_review_subject", table_name="trades_review")
    op.drop_table("trades_review")
    op.drop_index(
        "uq_trades_trade_open",
        table_name="trades_trade",
        postgresql_where=sa.text("state IN ('reserved', 'shipped', 'handed_over', 'disputed')"),
        sqlite_where=sa.text("state IN ('reserved', 'shipped', 'handed_over', 'disputed')"),
    )
    op.drop_index("ix_trades_trade_seller", table_name="trades_trade")
    op.drop_index("ix_trades_trade_room", table_name="trades_trade")
    op.drop_index(
        "ix_trades_trade_due",
        table_name="trades_trade",
        postgresql_where=sa.text("state IN ('reserved', 'shipped', 'handed_over', 'disputed')"),
        sqlite_where=sa.text("state IN ('reserved', 'shipped', 'handed_over', 'disputed')"),
    )
    op.drop_index("ix_trades_trade_buyer", table_name="trades_trade")
    op.drop_table("trades_trade")
    op.drop_index(
        "uq_trades_offer_pending",
        table_name="trades_offer",
        postgresql_where=sa.text("state = 'pending'"),
        sqlite_where=sa.text("state = 'pending'"),
    )
    op.drop_index("ix_trades_offer_room", table_name="trades_offer")
    op.drop_index("ix_trades_offer_maker", table_name="trades_offer")
    op.drop_index("ix_trades_offer_listing", table_name="trades_offer")
    op.drop_table("trades_offer")
    op.drop_index(
        "uq_trades_appointment_current",
        table_name="trades_appointment",
        postgresql_where=sa.text("state IN ('proposed', 'accepted')"),
        sqlite_where=sa.text("state IN ('proposed', 'accepted')"),
    )
    op.drop_index("ix_trades_appointment_room", table_name="trades_appointment")
    op.drop_table("trades_appointment")
    op.drop_table("chat_search_document")
    op.drop_table("chat_message")
    op.drop_index("ix_chat_member_page", table_name="chat_member")
    op.drop_table("chat_member")
    op.drop_index("ix_listings_view_page", table_name="listings_view")
    op.drop_table("listings_view")
    op.drop_index("ix_listings_like_page", table_name="listings_like")
    op.drop_table("listings_like")
    op.drop_index(op.f("ix_chat_room_seller_id"), table_name="chat_room")
    op.drop_index(op.f("ix_chat_room_buyer_id"), table_name="chat_room")
    op.drop_table("chat_room")
    op.drop_index(op.f("ix_accounts_ticket_expires_at"), table_name="accounts_ticket")
    op.drop_table("accounts_ticket")
    op.drop_index(
        "uq_trades_report_open",
        table_name="trades_report",
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )
    op.drop_table("trades_report")
    op.drop_index(op.f("ix_platform_stream_event_created_at"), table_name="platform_stream_event")
    op.drop_table("platform_stream_event")
    op.drop_index(
        "ix_notifications_unread",
        table_name="notifications_notification",
        postgresql_where=sa.text("read_at IS NULL"),
        sqlite_where=sa.text("read_at IS NULL"),
    )
    op.drop_index("ix_notifications_page", table_name="notifications_notification")
    op.drop_table("notifications_notification")
    op.drop_index("ix_listings_search_page", table_name="listings_search")
    op.drop_table("listings_search")
    op.drop_index("ix_listings_seller", table_name="listings_listing")
    op.drop_index(
        "ix_listings_price",
        table_name="listings_listing",
        postgresql_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
    )
    op.drop_index(
        "ix_listings_newest",
        table_name="listings_listing",
        postgresql_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
    )
    op.drop_index(
        "ix_listings_liked",
        table_name="listings_listing",
        postgresql_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
    )
    op.drop_index(
        "ix_listings_category_newest",
        table_name="listings_listing",
        postgresql_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NULL AND hidden_at IS NULL AND removed_at IS NULL"),
    )
    op.drop_table("listings_listing")
    op.drop_table("listings_search_document")
    op.drop_index(op.f("ix_accounts_session_account_id"), table_name="accounts_session")
    op.drop_table("accounts_session")
    op.drop_index("ix_accounts_follow_reverse", table_name="accounts_follow")
    op.drop_table("accounts_follow")
    op.drop_table("accounts_export")
    op.drop_index("ix_accounts_block_reverse", table_name="accounts_block")
    op.drop_table("accounts_block")
    op.drop_table("platform_stream")
    op.drop_index(
        op.f("ix_platform_stored_answer_created_at"),
        table_name="platform_stored_answer",
    )
    op.drop_table("platform_stored_answer")
    op.drop_index(
        "uq_platform_job_key",
        table_name="platform_job",
        postgresql_where=sa.text("done_at IS NULL AND key IS NOT NULL"),
        sqlite_where=sa.text("done_at IS NULL AND key IS NOT NULL"),
    )
    op.drop_index(
        "ix_platform_job_due",
        table_name="platform_job",
        postgresql_where=sa.text("done_at IS NULL"),
        sqlite_where=sa.text("done_at IS NULL"),
    )
    op.drop_table("platform_job")
    op.drop_index("ix_media_upload_unattached", table_name="media_upload")
    op.drop_index("ix_media_upload_owner", table_name="media_upload")
    op.drop_index("ix_media_upload_attached", table_name="media_upload")
    op.drop_table("media_upload")
    op.drop_table("accounts_account")
