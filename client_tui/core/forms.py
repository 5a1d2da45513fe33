"""Input checked here by the same models as on the server, and refused in the same words."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from client_tui.core.errors import FieldError, Invalid
from shared_models import bounds

Form = TypeVar("Form", bound=BaseModel)

_PATTERNS = {
    "handle": f"A handle has {bounds.HANDLE_MIN} to {bounds.HANDLE_MAX} of a-z, 0-9 and _.",
    "tracking_number": (
        f"A tracking number has {bounds.TRACKING_NUMBER_MIN} to {bounds.TRACKING_NUMBER_MAX}"
        " letters and digits."
    ),
}


def fill(form: type[Form], **fields: Any) -> Form:
    """The form with these fields; raises :class:`Invalid` that says which are wrong and why.

    Fields that are None are left out: they are the server's to decide.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return form.model_validate(given)
    except ValidationError as error:
        problems = [
            FieldError(".".join(map(str, item["loc"])), item["type"], _told(item))
            for item in error.errors()
        ]
        detail = "Some of the input is not valid."
        raise Invalid(422, "invalid", detail, errors=problems) from error


def _told(item: ErrorDetails) -> str:
    """A pattern is no sentence for people, and nothing they write is a "string"."""
    limits = item.get("ctx", {})
    # A text that is cleaned before it is measured counts as any list of things.
    things = " characters" if isinstance(item["input"], str) else ""
    if item["type"] in ("string_too_short", "too_short"):
        if limits["min_length"] == 1:
            return "It may not be empty."
        return f"At least {limits['min_length']:,}{things}."
    if item["type"] in ("string_too_long", "too_long"):
        return f"At most {limits['max_length']:,}{things}."
    if item["type"] == "string_pattern_mismatch":
        return _PATTERNS.get(str(item["loc"][-1]), item["msg"])
    if item["type"] == "value_error":  # a check of our own, before whose words the kind is put
        return str(limits["error"])
    return item["msg"]
