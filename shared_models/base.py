"""The base of every wire model, and the types that most of them use."""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Self, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

from shared_models import bounds

Item = TypeVar("Item")


def format_time(moment: datetime) -> str:
    """RFC 3339, UTC, always with microseconds, so that equal times are equal strings."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a moment before the year 1 or after the year 9999") from None


Time = Annotated[
    datetime,
    AfterValidator(_utc),
    PlainSerializer(format_time, return_type=str, when_used="json"),
]
Id = UUID
Money = Annotated[int, Field(ge=0, le=bounds.PRICE_MAX)]
"""An amount in the market's minor unit."""


class Wire(BaseModel):
    """A shape on the wire. Unknown fields are ignored, so additive changes are free."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    @classmethod
    def trusted(cls, **fields: Any) -> Self:
        """A model of values that are valid already; every field must be given.

        Pydantic's own ``model_construct`` looks for each field by all its names, which costs four
        times as much: a tenth of the CPU of sending.
        """
        made = cls.__new__(cls)
        object.__setattr__(made, "__dict__", fields)
        object.__setattr__(made, "__pydantic_fields_set__", set(fields))
        object.__setattr__(made, "__pydantic_extra__", None)
        object.__setattr__(made, "__pydantic_private__", None)
        return made


class Body(Wire):
    """What a client sends. Integers are integers: no text or float is taken for one."""

    # FastAPI checks bodies through an adapter that cannot be built late without a warning.
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=False)


class Page(Wire, Generic[Item]):
    """One page of a list, and the opaque cursor of the next one (None at the end)."""

    items: list[Item]
    next_cursor: str | None = None
