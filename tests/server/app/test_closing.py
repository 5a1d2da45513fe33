"""A process lets go of all that it holds, whatever of it does not let itself be closed."""

import asyncio
from pathlib import Path
from threading import Event

import pytest
from structlog.testing import capture_logs

from server.app import container
from server.app.container import build_context, close_context
from server.app.settings import Settings
from server.platform.exported_traces import ExportedTraces
from tests.servers.mute import mute

PATIENCE_S = 20


async def test_a_part_that_fails_to_close_leaves_none_half_closed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = build_context(settings, base_url="http://here")
    is_closed = False

    async def fail() -> None:
        raise ConnectionError("what it says may name addresses")

    async def close_in_a_while() -> None:
        nonlocal is_closed
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        is_closed = True

    monkeypatch.setattr(context.bus, "close", fail)
    monkeypatch.setattr(context.database, "close", close_in_a_while)
    with capture_logs() as logs:
        await close_context(context)
    assert is_closed
    assert logs == [{"event": "not_closed", "error": "ConnectionError", "log_level": "warning"}]


def test_the_end_waits_for_no_collector_that_never_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up, has_ended, close = Event(), Event(), ExportedTraces.close

    def close_and_tell(traces: ExportedTraces) -> None:
        has_ended.wait(PATIENCE_S)  # that long it tries, however soon it may
        close(traces)
        given_up.set()

    async def live(url: str) -> None:
        context = build_context(
            Settings(data_dir=tmp_path, otlp_endpoint=url), base_url="http://here"
        )
        with context.traces.span("the last thing it does"):
            pass
        await close_context(context)

    monkeypatch.setattr(ExportedTraces, "close", close_and_tell)
    monkeypatch.setattr(container, "_CLOSES_S", 0.1)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1")
    with mute() as port:
        asyncio.run(live(f"http://127.0.0.1:{port}"))
        assert not given_up.is_set()
        has_ended.set()
        assert given_up.wait(PATIENCE_S)
