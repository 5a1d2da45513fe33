"""The person's settings: a small TOML file that may also be edited by hand."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from client_tui.core.errors import StorageFailed
from client_tui.core.files import write_atomically

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Config:
    """Settings. A wrong value in the file is an error that names it; an unknown one is kept out."""

    server: str | None = None
    """The server that sign-in offers first."""
    theme: str = "picky-dark"
    images: str = "auto"
    """How photos are drawn in the viewer: ``auto``, ``kitty``, ``sixel`` or ``blocks``."""
    photo_cache_mb: int = 200
    """How much disk copies of photos may take."""
    send_read_marks: bool = True
    quick_replies: tuple[str, ...] | None = None
    """Answers for the composer, where the person has their own instead of the usual ones."""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Keys by action id, where the person wants others than the usual ones."""


def load_config(path: Path) -> Config:
    """The settings in ``path``; the usual ones when there is no such file.

    Raises :class:`StorageFailed` with a sentence that says what is wrong where.
    """
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Config()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StorageFailed(f"{path} is not valid TOML: {error}.") from error
    except OSError as error:
        raise StorageFailed(f"{path} cannot be read: {error.strerror}.") from error
    config = Config()
    for name, kind, check in _FIELDS:
        if name in found:
            if not check(found[name]):
                raise StorageFailed(f"{path}: {name} must be {kind}.")
            config = replace(config, **{name: _kept(found[name])})
    return replace(config, keys=_keys(path, found.get("keys", {})))


def save_config(path: Path, config: Config) -> None:
    """Write the settings; the file is the old one or the new one, never half of one.

    In a file that is there only the lines of settings that have changed are touched.
    """
    try:
        write_atomically(path, (_edited(path, config) or _fresh(config)).encode())
    except OSError as error:
        raise StorageFailed(f"{path} cannot be written: {error.strerror}.") from error


def _fresh(config: Config) -> str:
    lines = [
        f"{name} = {_toml(value)}"
        for name, _, _ in _FIELDS
        if (value := getattr(config, name)) is not None
    ]
    if config.keys:
        lines += ["", "[keys]"]
        lines += [f"{_toml(name)} = {_toml(list(keys))}" for name, keys in config.keys.items()]
    return "\n".join(lines) + "\n"


def _edited(path: Path, config: Config) -> str | None:
    """The file with the changed settings; None where it must be written anew."""
    try:
        before = load_config(path)
        text = path.read_text("utf-8")
    except (StorageFailed, OSError):
        return None
    lines = text.splitlines()
    wanted = tomllib.loads(text)
    for name, _, _ in _FIELDS:
        value = getattr(config, name)
        if value == getattr(before, name):
            continue
        wanted.pop(name, None)
        if value is not None:
            wanted[name] = list(value) if isinstance(value, tuple) else value
        lines = _with_line(lines, name, value)
    edited = "\n".join(lines) + "\n"
    try:
        is_right = tomllib.loads(edited) == wanted and before.keys == config.keys
    except tomllib.TOMLDecodeError:
        return None
    return edited if is_right else None


def _with_line(lines: list[str], name: str, value: object) -> list[str]:
    """The lines with a setting's own one changed, added above the tables, or taken away."""
    top = next((at for at, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    setting = re.compile(rf"""\s*["']?{name}["']?\s*=.*?(?P<comment>\s*\#[^"']*)?$""")
    new = [] if value is None else [f"{name} = {_toml(value)}"]
    for at, line in enumerate(lines[:top]):
        found = setting.match(line)
        if found:
            told = [line + (found["comment"] or "") for line in new]
            return [*lines[:at], *told, *lines[_end(lines, at) :]]
    return [*lines[:top], *new, *lines[top:]]


def _end(lines: list[str], at: int) -> int:
    """The line after a setting that begins ``at``: a list may go on below."""
    for end in range(at + 1, len(lines) + 1):
        try:
            tomllib.loads("\n".join(lines[at:end]))
        except tomllib.TOMLDecodeError:
            continue
        return end
    return at + 1


def _kept(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 10 <= value <= 100_000


def _is_image_way(value: object) -> bool:
    return value in ("auto", "kitty", "sixel", "blocks")


def _is_switch(value: object) -> bool:
    return isinstance(value, bool)


_FIELDS = (
    ("server", "a text", _is_text),
    ("theme", "a text", _is_text),
    ("images", "auto, kitty, sixel or blocks", _is_image_way),
    ("photo_cache_mb", "a whole number from 10 to 100000", _is_size),
    ("send_read_marks", "true or false", _is_switch),
    ("quick_replies", "a list of texts", _is_texts),
)


def _keys(path: Path, found: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(found, dict):
        raise StorageFailed(f"{path}: [keys] must be a table of action = [keys].")
    keys = {}
    for action, wanted in found.items():
        listed = [wanted] if isinstance(wanted, str) else wanted
        if not isinstance(listed, list) or not all(isinstance(key, str) for key in listed):
            raise StorageFailed(f"{path}: keys.{action} must be a key or a list of keys.")
        keys[action] = tuple(listed)
    return keys


def _toml(value: object) -> str:
    """JSON's texts, numbers, switches and lists are TOML's as well."""
    return json.dumps(value, ensure_ascii=False)
