"""Input checked here by the same models as on the server, and refused in the same words."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from client_tui.core.errors import FieldError, Invalid

Form = TypeVar("Form", bound=BaseModel)


def fill(form: type[Form], **fields: Any) -> Form:
    """The form with these fields; raises :class:`Invalid` that says which are wrong and why.

    Fields that are None are left out: they are the server's to decide.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return form.model_validate(given)
    except ValidationError as error:
        problems = [
            FieldError(".".join(map(str, item["loc"])), item["type"], item["msg"])
            for item in error.errors()
        ]
        detail = "Some of the input is not valid."
        raise Invalid(422, "invalid", detail, errors=problems) from error
