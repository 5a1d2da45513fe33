"""The composition root: builds the tools of one process and plugs the rooms together."""

import asyncio
import time
from collections.abc import Awaitable
from threading import Thread

import structlog

from server.app.settings import Settings, SettingsError
from server.app.wiring import wire
from server.media.jobs import ConvertPool
from server.platform.bus import Bus, LocalBus
from server.platform.clock import Clock, SystemClock
from server.platform.context import Context
from server.platform.database import Database
from server.platform.ids import MakeId, uuid7
from server.platform.jobs import Bell
from server.platform.object_store import (
    EmbeddedFiles,
    EmbeddedObjectStore,
    ObjectStore,
    S3ObjectStore,
    parse_s3_url,
)
from server.platform.passwords import Passwords
from server.platform.rates import RateLimiter
from server.platform.secrets import Secret
from server.platform.traces import NO_TRACES, Traces
from shared_models.market import Limits

_ON_THE_WAY_S = 5.0
"""How much longer than a statement may take its answer may take to come."""
_CLOSES_S = 5.0
"""How long a process that has done its work may take to end: it is killed soon."""

log = structlog.get_logger("container")


def build_context(
    settings: Settings,
    *,
    base_url: str,
    clock: Clock | None = None,
    make_id: MakeId = uuid7,
    passwords: Passwords | None = None,
    bus: Bus | None = None,
    database: Database | None = None,
    traces: Traces | None = None,
    watched: bool = True,
) -> Context:
    """Everything a process needs, wired; ``base_url`` is how clients reach this server.

    ``database`` is given where it is used again after this context is closed.

    ``watched`` is false only while a fresh market is filled: then no stream gets events. Raises
    :class:`SettingsError`.
    """
    settings.make_data_dir()
    clock = clock or SystemClock()
    with settings.using_data_dir():
        secret = Secret(settings.secret_bytes())
    context = Context(
        database=database or open_database(settings),
        clock=clock,
        make_id=make_id,
        limits=Limits(**settings.limits.model_dump()),
        secret=secret,
        passwords=passwords or Passwords(),
        rates=RateLimiter(time.monotonic, enabled=settings.rate_limits),
        bus=bus or _bus(settings),
        traces=traces or _traces(settings),
    )
    _provide_object_store(context, settings, base_url)
    context.wiring.provide(Bell, Bell())
    context.wiring.provide(ConvertPool, ConvertPool())
    wire(context, watched=watched)
    return context


def open_database(settings: Settings) -> Database:
    """The database that the settings name, with its limits and its replica."""
    return Database(
        settings.effective_database_url,
        pool_size=settings.database_pool,
        statement_s=settings.database_statement_timeout_s,
        lock_s=settings.database_lock_timeout_s,
        answer_s=settings.database_statement_timeout_s + _ON_THE_WAY_S,
        pooler=settings.database_pooler,
        replica_url=settings.database_replica_url or None,
        replica_lag_s=settings.database_replica_lag_s,
    )


def _bus(settings: Settings) -> Bus:
    if not settings.bus_urls:
        return LocalBus()
    from server.platform.valkey_bus import ValkeyBus  # costs 40 ms to import

    return ValkeyBus(settings.bus_urls)


def _traces(settings: Settings) -> Traces:
    if not settings.otlp_endpoint:
        return NO_TRACES
    try:
        from server.app.otlp import traces_to  # costs 100 ms to import
    except ImportError as error:
        raise SettingsError(
            "PICKY_OTLP_ENDPOINT needs the extra `traces`: pip install 'picky[traces]'"
        ) from error
    return traces_to(settings.otlp_endpoint, settings.role)


def _provide_object_store(context: Context, settings: Settings, base_url: str) -> None:
    if settings.object_store_url:
        address = parse_s3_url(settings.object_store_url)
        public_url = settings.object_store_public_url
        context.wiring.provide(ObjectStore, S3ObjectStore(address, context.clock, public_url))
        return
    with settings.using_data_dir():
        files = EmbeddedFiles(settings.data_dir / "object-store")
    context.wiring.provide(EmbeddedFiles, files)
    context.wiring.provide(
        ObjectStore, EmbeddedObjectStore(files, base_url.rstrip("/"), context.clock)
    )


async def close_context(context: Context) -> None:
    """Let go of everything the context holds; what does not let itself be closed in time is left
    to the end of the process.
    """
    context.passwords.close()
    closing = (
        context.bus.close(),
        context.wiring.port(ConvertPool).close(),
        context.wiring.port(ObjectStore).close(),
        context.database.close(),
        asyncio.to_thread(_close_traces, context.traces),
    )
    try:
        async with asyncio.timeout(_CLOSES_S):
            await asyncio.gather(*map(_close, closing))
    except TimeoutError:
        log.warning("not_closed_in_time")


def _close_traces(traces: Traces) -> None:
    """A collector that does not answer is left to a thread that the end of the process cuts off:
    the end of the loop waits for those of the loop.
    """
    closing = Thread(target=traces.close, name="close traces", daemon=True)
    closing.start()
    closing.join(_CLOSES_S)


async def _close(closing: Awaitable[None]) -> None:
    """What fails to close keeps nothing else from it."""
    try:
        await closing
    except Exception as error:  # noqa: BLE001 - the process has done its work, and ends
        log.warning("not_closed", error=type(error).__name__)
