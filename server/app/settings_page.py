"""``docs/settings.md``: every setting of the server, from the code. ``make settings`` writes it."""

import re
import sys
from enum import Enum, StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from server.app.roles import Role
from server.app.settings import CONFIG_VARIABLE, Settings, SettingsError
from shared_models.market import Rules

_DEPLOY = Path(__file__).parents[2] / "deploy"

_HEAD = f"""\
# Settings

One page for all environments: a laptop, the tests, containers and ECS. Flags of `picky-server
serve` count first, then the environment, then the TOML file that `{CONFIG_VARIABLE}` names, then
the default. `picky-server doctor` tells where each value came from, and checks what they lead to.
This page is made from `server/app/settings.py`, `shared_models/market.py` and
`deploy/compose.env.example` by `make settings`.

A laptop needs none of them. "A fleet" is `PICKY_ENVIRONMENT=production`, or any role but `all`; it
does not start without what it needs, and says what is missing. No secret has a default there.

```toml
port = 9000                        # the variable's name without PICKY_, in small letters
allowed_origins = ["https://market.example"]

[limits]
title_min = 3
```

A name in the file that is no setting is refused; a variable `PICKY_…` that is none is noted by the
doctor.
"""

_STORE = """\
## Credentials of the object store

They are found the AWS way, so that a role of the machine or of the task needs no variable at all.

| variable | meaning | needed |
|---|---|---|
| `AWS_ACCESS_KEY_ID` | The key that signs. | by a fleet without a role |
| `AWS_SECRET_ACCESS_KEY` | Its secret. | by a fleet without a role |
| `AWS_SESSION_TOKEN` | Goes with temporary keys. | with temporary keys |
| `AWS_CA_BUNDLE` | A file of certificates, for a store with one of its own. | no |
"""

_COMPOSE = """\
## Of `deploy/compose.yaml`

What `deploy/.env` says, of which it makes the settings of each process. Any other setting goes into
`deploy/market.env`; on ECS into the table `[settings]` of the parameters.
"""

_LIMITS = """\
## Limits

The numbers of the market's rules and how fast an account may send; `GET /v1/market` tells them. All
processes of a market have the same ones. None is needed anywhere.
"""


def page() -> str:
    """The whole page."""
    own = {name: field for name, field in Settings.model_fields.items() if name != "limits"}
    needed = fleet_needs()
    rows = [
        [*_described(name, field), "by a fleet" if variable(name) in needed else "no"]
        for name, field in own.items()
    ]
    limits = [_described(f"limits__{name}", field) for name, field in Rules.model_fields.items()]
    columns = ["variable", "type", "default", "meaning"]
    parts = [_HEAD, "## The server\n", _table([*columns, "needed"], rows), _STORE]
    parts += [_COMPOSE, _table(["variable", "meaning", "needed"], _of_compose())]
    return "\n".join([*parts, _LIMITS, _table(columns, limits)])


def _of_compose() -> list[list[str]]:
    """The variables of compose's own, each with the line above it in the form to fill in."""
    form = (_DEPLOY / "compose.env.example").read_text("utf-8")
    return [
        [f"`{name}`", meaning, "no" if left_out else "yes"]
        for meaning, left_out, name in re.findall(r"^# (.+)\n(#?)(\w+)=$", form, re.MULTILINE)
    ]


def variable(name: str) -> str:
    """The environment variable of a setting; ``limits__title_min`` is the name of a limit."""
    return f"PICKY_{name}".upper()


def fleet_needs() -> frozenset[str]:
    """The variables without which a fleet does not start, as it says itself."""
    try:
        Settings.model_construct(role=Role.API).check()
    except SettingsError as refused:
        return frozenset(re.findall(r"PICKY_\w+", str(refused)))
    return frozenset()


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n".replace("| --- ", "|---") for line in lines)


def _described(name: str, field: FieldInfo) -> list[str]:
    return [f"`{variable(name)}`", _kind(field), _default(field), field.description or ""]


def _kind(field: FieldInfo) -> str:
    """What may be written there."""
    kind = _plain(field.annotation)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return " ".join(f"`{one}`" for one in kind)
    if get_origin(kind) is list:
        return "a JSON list of texts"
    names = {str: "text", int: "a whole number", float: "a number", bool: "`on` or `off`"}
    names |= {Path: "a path", SecretStr: "a secret text"}
    return " ".join([names[kind], *filter(None, map(_bound, field.metadata))])


def _bound(bound: Any) -> str:
    if isinstance(bound, Gt):
        return f"above {bound.gt}"
    if isinstance(bound, Ge):
        return f"from {bound.ge}"
    return f"to {bound.le}" if isinstance(bound, Le) else ""


def _plain(annotation: Any) -> Any:
    """The type without `| None`."""
    if isinstance(annotation, UnionType):
        return next(one for one in get_args(annotation) if one is not type(None))
    return annotation


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "the user's data folder"
    if field.default is None:
        return "not set"
    if isinstance(field.default, bool):
        return "`on`" if field.default else "`off`"
    value = field.default.value if isinstance(field.default, Enum) else field.default
    return f"`{value}`"


if __name__ == "__main__":
    sys.stdout.write(page())
