"""Every table of every room, for ``alembic check`` and for new revisions."""

from importlib import import_module

from server.platform.columns import Table

_ROOMS = (
    "platform",
    "media",
    "accounts",
    "listings",
    "chat",
    "trades",
    "notifications",
)

for _room in _ROOMS:
    import_module(f"server.{_room}.tables")

metadata = Table.metadata
