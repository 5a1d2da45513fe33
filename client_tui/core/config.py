"""The person's settings: a small TOML file that may also be edited by hand."""

import io
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from client_tui.core.errors import StorageFailed
from client_tui.core.files import write_atomically
from client_tui.core.locks import alone

MEGABYTE = 1024 * 1024
_MARK = "\ufeff"
"""Some editors begin a file with it."""


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
    return _parsed(path, _read(path) or "")


def change_config(path: Path, **changes: object) -> Config:
    """Write these settings to the file as it is now, and return all that it says then.

    What others have written meanwhile stays, and so does what is written by hand, comments, line
    ends and all, and where ``path`` is a link to it. The file is the old one or the new one, never
    half of one. Raises :class:`StorageFailed`, also where the file cannot be read: it stays as it
    is.
    """
    try:
        with alone(path.with_suffix(".lock")):
            before = _read(path)
            _parsed(path, before or "")
            lines = _usual() if before is None else _lines(before)
            for name, value in changes.items():
                lines = _with_setting(lines, name, value)
            after = "".join(lines)
            config = _parsed(path, after)
            mark = _MARK if before and before.startswith(_MARK) else ""
            write_atomically(path.resolve(), f"{mark}{after}".encode())
    except UnicodeEncodeError as error:
        raise StorageFailed(f"{path} cannot be written: a setting is no valid text.") from error
    except OSError as error:
        raise StorageFailed(f"{path} cannot be written: {error.strerror}.") from error
    return config


def _read(path: Path) -> str | None:
    """None: there is no such file."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise StorageFailed(f"{path} is not valid TOML: {error}.") from error
    except OSError as error:
        raise StorageFailed(f"{path} cannot be read: {error.strerror}.") from error


def _parsed(path: Path, text: str) -> Config:
    try:
        found = tomllib.loads(text.removeprefix(_MARK))
    except tomllib.TOMLDecodeError as error:
        raise StorageFailed(f"{path} is not valid TOML: {error}.") from error
    config = Config()
    for name, kind, check in _FIELDS:
        if name in found:
            if not check(found[name]):
                raise StorageFailed(f"{path}: {name} must be {kind}.")
            config = replace(config, **{name: _kept(found[name])})
    return replace(config, keys=_keys(path, found.get("keys", {})))


def _usual() -> list[str]:
    """A new file has all the usual settings, to be seen and edited by hand."""
    usual = {name: getattr(Config(), name) for name, _, _ in _FIELDS}
    return [f"{name} = {_toml(value)}\n" for name, value in usual.items() if value is not None]


def _lines(text: str) -> list[str]:
    """Each with its own end, as the editor wrote it."""
    return list(io.StringIO(text.removeprefix(_MARK), newline="\n"))


def _end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _with_setting(lines: Sequence[str], name: str, value: object) -> list[str]:
    """The lines with a setting changed where it stands, or added above the tables; None takes it
    away.
    """
    start, end, comment = _place(lines, name)
    above, below = list(lines[:start]), lines[end:]
    if value is None:
        return [*above, *below]
    setting = f"{name} = {_toml(value)}{comment}"
    if start < end:
        return [*above, setting + _end(lines[end - 1]), *below]
    usual_end = (_end(lines[0]) if lines else "") or "\n"
    if above and not _end(above[-1]):  # at the end of a file whose last line has none
        return [*above[:-1], above[-1] + usual_end, setting]
    return [*above, setting + usual_end, *below]


def _place(lines: Sequence[str], name: str) -> tuple[int, int, str]:
    """From which line to which a setting stands and the comment behind it; where it may be added
    if it stands nowhere.
    """
    at = last = 0
    while at < len(lines) and not lines[at].lstrip().startswith("["):
        end = next(end for end in range(at + 1, len(lines) + 1) if _is_toml(lines[at:end]))
        found = tomllib.loads("".join(lines[at:end]))
        if name in found:
            return at, end, _comment(lines[at:end])
        at, last = end, end if found else last
    return last, last, ""


def _comment(setting: Sequence[str]) -> str:
    """What stands behind a setting: from the first ``#`` that is not in a text."""
    *above, last = setting
    line = last.rstrip("\r\n")
    for at, character in enumerate(line):
        if character == "#" and _is_toml([*above, line[:at]]):
            return line[len(line[:at].rstrip()) :]
    return ""


def _is_toml(lines: Sequence[str]) -> bool:
    """Whether these lines are whole settings: a text or a list may go on below."""
    try:
        tomllib.loads("".join(lines))
    except tomllib.TOMLDecodeError:
        return False
    return True


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
    """JSON's texts, numbers, switches and lists are TOML's as well, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
