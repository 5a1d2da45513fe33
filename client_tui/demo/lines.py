"""What people of the demo market answer: a fitting line for what was said or done."""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

_HANGUL = re.compile(r"[가-힣]")


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("lines.toml").read_text("utf-8"))


def _topic(text: str) -> dict[str, Any]:
    """The first topic that fits; the last one fits everything."""
    topics: list[dict[str, Any]] = _texts()["topics"]
    return next(one for one in topics if re.search(one["words"], text, re.IGNORECASE))


def topic_of(text: str) -> str:
    """What a message is about; empty when that is hard to tell."""
    name: str = _topic(text)["name"]
    return name


def answer_to(text: str, rng: Random, *, buying: bool) -> str:
    """An answer to a message, in its language."""
    topic = _topic(text)
    choices = topic.get("buying", topic["answers"]) if buying else topic["answers"]
    return _said(choices, rng, korean=_HANGUL.search(text) is not None)


def line_about(event: str, rng: Random) -> str | None:
    """What one says with or after something that happens; None for what needs no words."""
    choices = _texts()["events"].get(event)
    return _said(choices, rng, korean=False) if choices else None


def _said(choices: Sequence[str], rng: Random, *, korean: bool) -> str:
    english, _, hangul = rng.choice(choices).partition(" | ")
    return hangul if korean else english
