"""``picky-server doctor``: where each setting comes from, and whether what it names can be used.

It leaves nothing changed, and never says a secret's value.
"""

import asyncio
import os
import re
import ssl
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from server.app.container import open_database
from server.app.doctor_database import examine_postgres, examine_rights
from server.app.doctor_files import examine_folder, examine_privacy, examine_secret, examine_sqlite
from server.app.doctor_otlp import examine_collector
from server.app.doctor_replica import examine_replica
from server.app.doctor_store import examine_bucket
from server.app.findings import Finding, bad, good, noted
from server.app.harmless import harmless
from server.app.roles import Role
from server.app.settings import CONFIG_VARIABLE, Settings, SettingsError, load_settings
from server.platform.clock import Clock, SystemClock
from server.platform.database import Database
from server.platform.dumps import sqlite_file
from server.platform.failures import DATABASE_FAILURES, first_line, is_forbidden
from server.platform.migrate import SchemaTooOld, require_schema
from server.platform.object_store import ObjectStoreError, S3ObjectStore, parse_s3_url

_VALUE_WIDTH = 44
_BUS_ANSWERS_S = 3.0
_PAGE = "docs/settings.md has all settings"
_OF_OTHERS = {
    CONFIG_VARIABLE,
    *("PICKY_HOME", "PICKY_DEBUG", "PICKY_SERVER", "PICKY_CREDENTIALS"),
    *("PICKY_SITE", "PICKY_IMAGE", "PICKY_BACKUPS_IMAGE"),
}
"""Variables of the same beginning: of the client, and of `deploy/compose.yaml`."""


def examine(flags: Mapping[str, Any], clock: Clock | None = None) -> Iterator[Finding]:
    """The whole report, line by line. ``flags`` that are None were not given."""
    try:
        settings = load_settings(**flags)
    except SettingsError as error:
        yield bad("settings", str(error), "correct the flag, the variable or the file it names")
        return
    yield Finding("settings")
    yield from _settings(settings, flags)
    yield from _unknown_variables()
    yield Finding("checks")
    yield examine_folder("data dir", settings.data_dir)
    yield from examine_secret(settings)
    yield from asyncio.run(_dependencies(settings, clock or SystemClock()))


def _settings(settings: Settings, flags: Mapping[str, Any]) -> Iterator[Finding]:
    file = _file_settings()
    rows = [
        (name, _shown(settings, name), _source(name, flags, file))
        for name in Settings.model_fields
        if name != "limits"
    ]
    changed = settings.limits.model_dump()
    usual = type(settings.limits)().model_dump()
    for name, value in changed.items():
        source = _source(f"limits__{name}", {}, _flattened(file))
        if source != "default" or value != usual[name]:
            rows.append((f"limits.{name}", str(value), source))
    width = max(len(name) for name, *_ in rows)
    for name, shown, source in rows:
        yield Finding(f"  {name:<{width}} {shown:<{_VALUE_WIDTH}} {source}")


def _unknown_variables() -> Iterator[Finding]:
    """Slips of the pen: the environment is not this server's alone, so none is refused."""
    known = {f"PICKY_{name}".upper() for name in Settings.model_fields} | _OF_OTHERS
    for name in sorted(map(str.upper, os.environ)):
        is_limit = name.startswith("PICKY_LIMITS__")  # what is none there is refused
        if name.startswith("PICKY_") and not is_limit and name not in known:
            yield noted("environment", f"{name} is no setting and counts for nothing", _PAGE)


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


async def _dependencies(settings: Settings, clock: Clock) -> list[Finding]:
    return [
        *await _database(settings, clock),
        *await _object_store(settings, clock),
        *await _bus(settings),
        *await _collector(settings),
    ]


async def _database(settings: Settings, clock: Clock) -> list[Finding]:
    file = sqlite_file(settings.effective_database_url)
    if file is not None and not file.exists():
        return [good("database", f"{file} is made at the first start")]
    if file is not None and (wrong := await asyncio.to_thread(examine_sqlite, file)):
        return [wrong]
    database = open_database(settings)
    try:
        async with database.reader.connect():
            pass
        findings = [*examine_privacy(file)] if file else await examine_rights(database)
        findings += await _schema(database)
        if not database.is_sqlite:
            findings += await examine_postgres(database, settings, clock)
        if database.replica is not None:
            lag_s = settings.database_replica_lag_s
            findings.append(await examine_replica(database.replica, lag_s))
    except Exception as error:  # noqa: BLE001 - whatever a driver raises is what is wrong
        reason = first_line(error)
        what = "sslmode and sslrootcert in " if isinstance(error, ssl.SSLError) else ""
        mend = f"{'' if what else 'start the database, or '}correct {what}PICKY_DATABASE_URL"
        return [bad("database", f"it cannot be reached: {reason}", mend)]
    finally:
        await database.close()
    return findings


async def _schema(database: Database) -> list[Finding]:
    try:
        await require_schema(database)
    except SchemaTooOld:
        return [bad("database", "its schema is not the newest", "run `picky-server migrate`")]
    except DATABASE_FAILURES as error:
        if is_forbidden(error):  # it is told what rights are lacking
            return []
        raise
    return [good("database", "reachable, with the newest schema")]


async def _object_store(settings: Settings, clock: Clock) -> list[Finding]:
    if settings.role is Role.REALTIME:
        return [good("object store", "the role realtime has nothing to do with it")]
    if not settings.object_store_url:
        return [
            examine_folder("object store", settings.data_dir / "object-store"),
            *_unused(settings),
        ]
    mend = "start the store, make the bucket, or correct PICKY_OBJECT_STORE_URL and its credentials"
    try:
        address = parse_s3_url(settings.object_store_url)
        store = S3ObjectStore(address, clock, settings.object_store_public_url)
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


def _unused(settings: Settings) -> Iterator[Finding]:
    if settings.object_store_public_url is not None:
        mend = "set PICKY_OBJECT_STORE_URL, or no PICKY_OBJECT_STORE_PUBLIC_URL"
        yield noted("CDN", "it is not used: the embedded store has none", mend)


async def _collector(settings: Settings) -> list[Finding]:
    if not settings.otlp_endpoint:
        return []
    return [await examine_collector(settings.otlp_endpoint)]


async def _bus(settings: Settings) -> list[Finding]:
    if not settings.bus_urls:
        return [good("bus", "inside the one process")]
    return [await _instance(url) for url in settings.bus_urls]


async def _instance(url: str) -> Finding:
    """One of the bus's addresses: whether it takes what a process tells the others."""
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    where = harmless(url)
    try:
        bus = Redis.from_url(
            re.sub(r"^valkey(?=s?://)", "redis", url),
            socket_connect_timeout=_BUS_ANSWERS_S,
            socket_timeout=_BUS_ANSWERS_S,
        )
        async with bus:
            await bus.publish("picky:doctor", b"")
    except (RedisError, OSError, ValueError) as error:
        return bad("bus", f"{where} cannot be used: {error}", "start it, or correct PICKY_BUS_URL")
    return good("bus", f"{where} takes hints")
