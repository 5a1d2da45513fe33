"""Runs the migrations on the connection it is handed by ``server.platform.migrate``.

A transaction that is under way takes all of them; otherwise each has its own.
"""

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON

from migrations.metadata import metadata
from server.platform.columns import UtcTime
from server.platform.event_days import EVENTS

connection = context.config.attributes["connection"]

_NOT_MAPPED = "listings_search_index", "chat_search_index", f"{EVENTS}_"
"""What the search indexes are made of, and the parts of the events."""


def _is_ours(
    thing: object, name: str | None, kind: str, _reflected: bool, _against: object
) -> bool:
    return not (name or "").startswith(_NOT_MAPPED)


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
    transaction_per_migration=True,
    is_alone=context.config.attributes["is_alone"],
)
with context.begin_transaction():
    context.run_migrations()
