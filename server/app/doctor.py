"""``picky-server doctor``: where each setting comes from, and whether what it names can be used.

It leaves nothing changed, and never says a secret's value.
"""

import asyncio
import os
import re
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from server.app.container import open_database
from server.app.doctor_database import examine_postgres
from server.app.doctor_store import examine_bucket
from server.app.findings import Finding, bad, good, harmless
from server.app.settings import CONFIG_VARIABLE, Settings, SettingsError, load_settings
from server.platform.clock import Clock, SystemClock
from server.platform.migrate import schema_is_current
from server.platform.object_store import ObjectStoreError, S3ObjectStore, parse_s3_url


def examine(flags: Mapping[str, Any], clock: Clock | None = None) -> Iterator[Finding]:
    """The whole report, line by line. ``flags`` that are None were not given."""
    try:
        settings = load_settings(**flags)
    except SettingsError as error:
        yield bad("settings", str(error), "correct the flag, the variable or the file it names")
        return
    yield Finding("settings")
    yield from _settings(settings, flags)
    yield Finding("checks")
    yield _directory("data dir", settings.data_dir)
    yield from _secret(settings)
    yield from asyncio.run(_dependencies(settings, clock or SystemClock()))


def _settings(settings: Settings, flags: Mapping[str, Any]) -> Iterator[Finding]:
    file = _file_settings()
    for name in Settings.model_fields:
        if name != "limits":
            source = _source(name, flags, file)
            yield Finding(f"  {name:<18} {_shown(settings, name):<44} {source}")
    changed = settings.limits.model_dump()
    usual = type(settings.limits)().model_dump()
    for name, value in changed.items():
        source = _source(f"limits__{name}", {}, _flattened(file))
        if source != "default" or value != usual[name]:
            yield Finding(f"  {'limits.' + name:<18} {value!s:<44} {source}")


def _file_settings() -> dict[str, Any]:
    path = os.environ.get(CONFIG_VARIABLE)
    return tomllib.loads(Path(path).read_text("utf-8")) if path else {}


def _flattened(file: Mapping[str, Any]) -> dict[str, Any]:
    return {f"limits__{name}": value for name, value in file.get("limits", {}).items()}


def _source(name: str, flags: Mapping[str, Any], file: Mapping[str, Any]) -> str:
    """Where the value that counts was written."""
    variable = f"PICKY_{name}".upper()
    if flags.get(name) is not None:
        return "flag --" + name.replace("_", "-")
    if any(known.upper() == variable for known in os.environ):
        return f"environment {variable}"
    if name in file:
        return f"file {os.environ[CONFIG_VARIABLE]}"
    return "default"


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if name == "secret_key":
        return "(set, not shown)" if value else "(made once, kept in the data dir)"
    if value is None:
        return "(not set)"
    return harmless(str(value))


def _directory(what: str, path: Path) -> Finding:
    """Whether files can be written there, or the folder made."""
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    mend = f"make {path} writable for this user, or choose another with --data-dir"
    if not there.is_dir():
        return bad(what, f"{there} is no folder", mend)
    if there != path:
        if os.access(there, os.W_OK | os.X_OK):
            return good(what, f"{path} is made at the first start")
        return bad(what, f"{path} cannot be made", mend)
    try:
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        return bad(what, f"{path} cannot be written: {error.strerror}", mend)
    return good(what, f"{path} can be written")


def _secret(settings: Settings) -> Iterator[Finding]:
    kept = settings.data_dir / "secret.key"
    if settings.secret_key is not None or not kept.exists():
        return
    if os.name == "posix" and kept.stat().st_mode & 0o077:
        yield bad("secret key", f"{kept} can be read by others", f"chmod 600 {kept}")
    else:
        yield good("secret key", f"{kept} can be read by its owner only")


async def _dependencies(settings: Settings, clock: Clock) -> list[Finding]:
    return [
        *await _database(settings, clock),
        *await _object_store(settings, clock),
        *await _bus(settings),
    ]


async def _database(settings: Settings, clock: Clock) -> list[Finding]:
    if settings.database_url is None and not settings.sqlite_path.exists():
        return [good("database", f"{settings.sqlite_path} is made at the first start")]
    database = open_database(settings)
    try:
        async with database.reader.connect():
            pass
        findings = [_schema(await schema_is_current(database))]
        if not database.is_sqlite:
            findings += await examine_postgres(database, settings, clock)
    except Exception as error:  # noqa: BLE001 - whatever a driver raises is what is wrong
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        mend = "start the database, or correct PICKY_DATABASE_URL"
        return [bad("database", f"it cannot be reached: {reason}", mend)]
    finally:
        await database.close()
    return findings


def _schema(current: bool) -> Finding:
    if not current:
        return bad("database", "its schema is not the newest", "run `picky-server migrate`")
    return good("database", "reachable, with the newest schema")


async def _object_store(settings: Settings, clock: Clock) -> list[Finding]:
    if settings.object_store_url is None:
        return [_directory("object store", settings.data_dir / "object-store")]
    mend = "start the store, make the bucket, or correct PICKY_OBJECT_STORE_URL and its credentials"
    try:
        store = S3ObjectStore(parse_s3_url(settings.object_store_url), clock)
    except ValueError as error:
        return [bad("object store", str(error), mend)]
    try:
        await store.check()
        reached = good("object store", "the bucket can be reached")
        return [reached, *await examine_bucket(store, settings, clock)]
    except ObjectStoreError as error:
        return [bad("object store", str(error), mend)]
    finally:
        await store.close()


async def _bus(settings: Settings) -> list[Finding]:
    if settings.bus_url is None:
        return [good("bus", "inside the one process")]
    return [await _instance(url.strip()) for url in settings.bus_url.split(",")]


async def _instance(url: str) -> Finding:
    """One of the bus's addresses: whether it takes what a process tells the others."""
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    where = harmless(url)
    try:
        async with Redis.from_url(re.sub(r"^valkey(?=s?://)", "redis", url)) as bus:
            await bus.publish("picky:doctor", b"")
    except (RedisError, OSError, ValueError) as error:
        return bad("bus", f"{where} cannot be used: {error}", "start it, or correct PICKY_BUS_URL")
    return good("bus", f"{where} takes hints")
