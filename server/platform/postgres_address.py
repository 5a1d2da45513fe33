"""What a PostgreSQL URL says after its ``?``, in libpq's words, which asyncpg has as arguments of
other names or not at all. Whatever else somebody writes there is refused, and not passed over: who
asks for TLS must not get along without.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

_TLS = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}
_FILES = ("sslrootcert", "sslcert", "sslkey")
_ALIASES = {"ssl": "sslmode"}
"""What asyncpg calls it."""
_REST = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
_SEVERAL = ("host", "port")
_MOST_PORT = 65535
_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_VERIFYING = ("verify-ca", "verify-full")

_QUERY = re.compile(r"^\w+://(?:[^:/]*(?::[^@]*)?@)?+[^?]*\?(.*)$", re.DOTALL)
"""As SQLAlchemy reads it: a password may hold a question mark."""

Query = Mapping[str, str | tuple[str, ...]]
"""The same after SQLAlchemy has read it."""


def check(url: str) -> None:
    """Raise :class:`ValueError` with what is wrong, and without what might be a secret."""
    from sqlalchemy.engine import make_url  # costs 100 ms to import
    from sqlalchemy.exc import ArgumentError

    try:
        if (make_url(url).port or 0) > _MOST_PORT:
            raise ValueError
    except (ValueError, ArgumentError):
        raise ValueError("its host or its port is none") from None
    found = _QUERY.match(url)
    said = parse_qsl(found[1], keep_blank_values=True) if found else []
    pairs = [(_ALIASES.get(name, name), value) for name, value in said]
    for wrong in (*_wrong_names([name for name, _ in pairs]), *_wrong_tls(dict(pairs))):
        raise ValueError(wrong)


def _wrong_names(names: list[str]) -> Iterator[str]:
    for name in names:
        if name not in _TLS and name not in _REST:
            what = name if re.fullmatch(r"[a-z_]{1,30}", name) else "something"
            known = ", ".join((*_TLS, *_REST))
            yield f"it says {what} after the question mark; what counts there is {known}"
        elif names.count(name) > 1 and name not in _SEVERAL:
            yield f"it says {name} twice"


def _wrong_tls(said: Mapping[str, str]) -> Iterator[str]:
    mode = said.get("sslmode")
    if mode is not None and mode not in _MODES:
        yield f"sslmode must be one of {', '.join(_MODES)}"
    for name in _FILES:
        if name in said and not _is_file(Path(said[name])):
            yield f"{name} names {said[name]}, which is no file"
    if "sslkey" in said and "sslcert" not in said:
        yield "sslkey needs its sslcert"
    if mode in _VERIFYING and "sslrootcert" not in said and not _has_usual_root():
        yield f"sslmode={mode} needs sslrootcert, a file of the certificates that are trusted"


def _has_usual_root() -> bool:
    """Whether there is what libpq and asyncpg take when no other is named."""
    if "PGSSLROOTCERT" in os.environ:
        return True
    try:
        return _is_file(Path.home() / ".postgresql" / "root.crt")
    except RuntimeError:  # nobody's home
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # in a folder that is closed to us
        return False


def tls_of(query: Query) -> dict[str, str]:
    """What a URL says of TLS, by libpq's names."""
    named = {_ALIASES.get(name, name): value for name, value in query.items()}
    return {name: str(named[name]) for name in _TLS if name in named}


def without_tls(query: Query) -> dict[str, str | tuple[str, ...]]:
    """The rest of it."""
    return {name: value for name, value in query.items() if _ALIASES.get(name, name) not in _TLS}


def for_asyncpg(query: Query) -> dict[str, str]:
    """What it says of TLS as asyncpg takes it, which reads files only where a URL names them."""
    tls = tls_of(query)
    return {"dsn": f"postgresql://?{urlencode(tls)}"} if tls else {}


def for_programs(parts: Query) -> dict[str, str]:
    """A URL's parts and what it says there as PostgreSQL's programs take it: other users of the
    machine see the arguments of a command, but not its environment.
    """
    variables = {**_REST, "database": "PGDATABASE"}
    told = {
        variable: ",".join(part) if isinstance(part, tuple) else part
        for name, variable in variables.items()
        if (part := parts.get(name)) is not None
    }
    return told | {_TLS[name]: value for name, value in tls_of(parts).items()}
