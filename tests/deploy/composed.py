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
def composed() -> dict[str, Any]:
    """The file with its anchors resolved and its variables as they are written."""
    document = yaml.safe_load(FILE.read_text())
    assert isinstance(document, dict)
    return document


def services() -> dict[str, dict[str, Any]]:
    """All services by name."""
    found = composed()["services"]
    assert isinstance(found, dict)
    return found


def is_market(service: dict[str, Any]) -> bool:
    """Whether the service is one of the market's own processes."""
    return "build" in service


def roles() -> dict[str, str]:
    """The role of each of the market's services; that of the migrations is empty."""
    return {
        name: service["environment"].get("PICKY_ROLE", "")
        for name, service in services().items()
        if is_market(service)
    }


def filled_in(text: str, values: dict[str, str]) -> str:
    """What compose makes of a text with these values."""
    return re.sub(r"\$\{(\w+)(?::[?-][^}]*)?\}", lambda found: values[found[1]], text)
