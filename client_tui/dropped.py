"""Paths that were pasted or dropped onto the terminal."""

import shlex
from pathlib import Path
from urllib.parse import unquote, urlsplit

PICTURES = (".jpg", ".jpeg", ".png", ".webp")


def dropped_paths(text: str) -> list[Path]:
    """The picture files that a pasted text names; empty when it is any other text.

    Terminals paste a dropped file as its path, quoted, escaped or as a ``file://`` URL.
    """
    try:
        words = shlex.split(text.strip())
    except ValueError:
        words = text.split("\n")
    return _pictures(words) or _pictures([text.strip()])


def _pictures(words: list[str]) -> list[Path]:
    """The files of these names; none when any of them is something else than a picture."""
    try:
        paths = [_path(word) for word in words if word.strip()]
        named = all(path.suffix.lower() in PICTURES and path.is_file() for path in paths)
    except (OSError, ValueError, RuntimeError):
        # ``~nobody``, ``file://[``, names that are too long, folders one may not look into:
        # whatever can't be looked at was meant as text.
        return []
    return paths if named else []


def _path(word: str) -> Path:
    if word.startswith("file://"):
        word = unquote(urlsplit(word).path)
    return Path(word).expanduser()
