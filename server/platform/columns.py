"""Column types and the base of tables, alike on both databases."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKey,
    MetaData,
    Uuid,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Item = TypeVar("Item")


def microseconds(moment: datetime) -> int:
    """A moment as SQLite stores it: microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """The moment that SQLite stores as these microseconds."""
    return _EPOCH + timedelta(microseconds=microseconds)


def stored_moment(stored: datetime | int) -> datetime:
    """A moment as a hand-written statement reads it: microseconds on SQLite."""
    return moment(stored) if isinstance(stored, int) else stored


def stored_id(id_: UUID | str) -> UUID:
    """An id as a hand-written statement reads it: hexadecimal digits on SQLite."""
    return UUID(id_) if isinstance(id_, str) else id_


def slices(items: Collection[Item], most: int = 10_000) -> Iterator[Sequence[Item]]:
    """``items`` in parts that one statement can name: a database takes 32,766 parameters."""
    items = list(items)
    return (items[start : start + most] for start in range(0, len(items), most))


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC: ``timestamptz`` on PostgreSQL, integer microseconds on SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """The column type of the dialect."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To the database."""
        if value is None or dialect.name == "postgresql":
            return value
        return microseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return moment(value)


JsonValue = JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(DeclarativeBase):
    """The base of every table; declared as classes, always read by explicit columns."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcTime(),
        UUID: Uuid(as_uuid=True),
        dict[str, Any]: JsonValue,
        list[Any]: JsonValue,
    }


class Entity:
    """Base timestamps and soft delete, for every table of a domain."""

    created_at: Mapped[datetime] = mapped_column(sort_order=900)
    updated_at: Mapped[datetime] = mapped_column(sort_order=901)
    deleted_at: Mapped[datetime | None] = mapped_column(sort_order=902)


def refers_to(target: str, **options: Any) -> MappedColumn[Any]:
    """A column that refers to an id, ``table.column``.

    Its type is given here: SQLAlchemy would take it from the target, which is not known yet when a
    statement is built while the tables of the other room are still to be imported.
    """
    return mapped_column(Uuid(as_uuid=True), ForeignKey(target), **options)


def live(entity: type[Entity]) -> ColumnElement[bool]:
    """The condition of every ordinary read: not deleted."""
    return entity.deleted_at.is_(None)
