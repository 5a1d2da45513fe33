"""Alembic: one history that runs on SQLite and on PostgreSQL."""
