"""Keyset pages with signed, opaque cursors. No offsets, no totals."""

import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from server.platform.errors import BadRequest
from server.platform.secrets import Secret
from shared_models.base import Page

Item = TypeVar("Item")
SortColumn = ColumnElement[Any] | InstrumentedAttribute[Any]

_SIGNATURE_BYTES = 12


def encode_cursor(secret: Secret, scope: str, values: Sequence[Any]) -> str:
    """An opaque cursor for a position, bound to ``scope`` (the list and its filter)."""
    payload = json.dumps([_plain(value) for value in values], separators=(",", ":")).encode()
    signature = secret.digest("cursor", scope.encode() + b"\0" + payload)[:_SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(signature + payload).rstrip(b"=").decode()


def decode_cursor(secret: Secret, scope: str, cursor: str) -> list[Any]:
    """The position a cursor stands for; 400 ``cursor_invalid`` when it is not of this scope."""
    try:
        raw = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        raise _bad_cursor() from None
    signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    expected = secret.digest("cursor", scope.encode() + b"\0" + payload)[:_SIGNATURE_BYTES]
    if not hmac.compare_digest(signature, expected):
        raise _bad_cursor()
    return [_rich(value) for value in json.loads(payload)]


def after_position(
    statement: Select[*tuple[Any, ...]],
    columns: Sequence[SortColumn],
    position: Sequence[Any] | None,
    *,
    descending: bool,
) -> Select[*tuple[Any, ...]]:
    """Order by ``columns`` (the last one unique) and start after ``position``, by row values."""
    if position is not None:
        row, here = tuple_(*columns), tuple_(*position, types=[c.type for c in columns])
        statement = statement.where(row < here if descending else row > here)
    return statement.order_by(*(c.desc() if descending else c.asc() for c in columns))


async def read_page(
    read: Callable[[Sequence[Any] | None, int], Awaitable[Sequence[Item]]],
    limit: int,
    cursor: str | None,
    *,
    secret: Secret,
    scope: str,
    key: Callable[[Item], Sequence[Any]],
) -> tuple[Sequence[Item], str | None]:
    """The rows of a page, and the cursor of the next one.

    ``read`` is given the position to start after and how many rows to read: one more than the page
    has, which tells whether there is a next one. ``key`` is a row's position.
    """
    position = decode_cursor(secret, scope, cursor) if cursor else None
    rows = await read(position, limit + 1)
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], encode_cursor(secret, scope, key(rows[limit - 1]))


def page(items: list[Item], next_cursor: str | None) -> Page[Item]:
    """A page on the wire."""
    return Page(items=items, next_cursor=next_cursor)


def _bad_cursor() -> BadRequest:
    return BadRequest("cursor_invalid", "The cursor is not one of this list's. Start from the top.")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    if isinstance(value, UUID):
        return {"u": str(value)}
    return value


def _rich(value: Any) -> Any:
    if isinstance(value, dict):
        if "t" in value:
            return datetime.fromisoformat(value["t"])
        return UUID(value["u"])
    return value
