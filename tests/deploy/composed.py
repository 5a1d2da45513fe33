"""`deploy/compose.yaml` as its readers see it."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
FILE = DEPLOY / "compose.yaml"
REQUIRED = re.compile(r"\$\{(\w+):\?")
NAMED = re.compile(r"\$\{(\w+)")


@cache
def composed(name: str = FILE.name) -> dict[str, Any]:
    """A file of `deploy/` with its anchors resolved and its variables as they are written."""
    document = yaml.safe_load((DEPLOY / name).read_text())
    assert isinstance(document, dict)
    return document


def services(name: str = FILE.name) -> dict[str, dict[str, Any]]:
    """All services of a file by name."""
    found = composed(name)["services"]
    assert isinstance(found, dict)
    return found


def is_market(service: dict[str, Any]) -> bool:
    """Whether the service is one of the market's own processes."""
    return str(service["image"]).startswith("${PICKY_")


def roles() -> dict[str, str]:
    """The role of each of the market's services; that of the migrations is empty."""
    return {
        name: service["environment"].get("PICKY_ROLE", "")
        for name, service in services().items()
        if is_market(service)
    }


def filled_in(text: str, values: dict[str, str]) -> str:
    """What compose makes of a text with these values."""
    named = r"\$(?:(\$)|\{(\w+)(?::[?-][^}]*)?\})"
    return re.sub(named, lambda found: found[1] or values[found[2]], text)
