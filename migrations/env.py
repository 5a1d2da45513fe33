"""Runs the migrations on the connection it is handed by ``server.platform.migrate``."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON

from migrations.metadata import metadata
from server.platform.database import UtcTime

connection = context.config.attributes["connection"]

_SEARCH_INDEXES = "listings_search_index", "chat_search_index"


def _is_ours(
    thing: object, name: str | None, kind: str, _reflected: bool, _against: object
) -> bool:
    return not (name or "").startswith(_SEARCH_INDEXES)


def _render(kind: str, thing: Any, imports: Any) -> str | Literal[False]:
    if kind == "type" and isinstance(thing, UtcTime | JSON):
        name = "UtcTime()" if isinstance(thing, UtcTime) else "JsonValue"
        imports.imports.add(f"from server.platform.database import {name.removesuffix('()')}")
        return name
    return False


context.configure(
    connection=connection,
    target_metadata=metadata,
    include_object=_is_ours,
    render_item=_render,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
