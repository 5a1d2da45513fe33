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
    paths = [_path(word) for word in words if word.strip()]
    if paths and all(path.suffix.lower() in PICTURES and path.is_file() for path in paths):
        return paths
    whole = _path(text.strip())
    return [whole] if whole.suffix.lower() in PICTURES and whole.is_file() else []


def _path(word: str) -> Path:
    if word.startswith("file://"):
        word = unquote(urlsplit(word).path)
    return Path(word).expanduser()
