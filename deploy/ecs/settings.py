"""Settings of the market that an account may choose: all that are neither secret nor told here."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, create_model
from pydantic.fields import FieldInfo

from server.app.settings import Settings
from shared_models.market import Rules

SECRET = frozenset({"database_url", "database_replica_url", "bus_url", "secret_key"})
"""What holds a password or is one: these are named by reference only."""

OWN = frozenset(
    {"environment", "role", "host", "port", "data_dir", "object_store_url", "public_url"}
)
"""What the image or the task definitions say themselves."""


def _known_rules(told: Any) -> Any:
    unknown = set(told) - set(Rules.model_fields) if isinstance(told, dict) else set()
    if unknown:
        raise ValueError(f"there is no limit {', '.join(sorted(unknown))}")
    return told


def _field(name: str, field: FieldInfo) -> tuple[Any, FieldInfo]:
    if name == "limits":
        return Annotated[Rules, BeforeValidator(_known_rules)], field
    return field.annotation, field


_CHOSEN: dict[str, Any] = {
    name: _field(name, field)
    for name, field in Settings.model_fields.items()
    if name not in SECRET | OWN
}

ChosenSettings: type[BaseModel] = create_model(
    "ChosenSettings", __config__=ConfigDict(extra="forbid", frozen=True), **_CHOSEN
)
"""The table `[settings]` of the parameters, with the names that a TOML file of the server has."""


def variables(chosen: BaseModel) -> dict[str, str]:
    """The environment variables that say what was chosen, and nothing of what was not."""
    told = chosen.model_dump(mode="json", exclude_unset=True)
    limits = told.pop("limits", {})
    told |= {f"limits__{name}": value for name, value in limits.items()}
    return {f"PICKY_{name}".upper(): _written(value) for name, value in told.items()}


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
