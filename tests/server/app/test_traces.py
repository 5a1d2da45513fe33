"""Traces of requests and jobs: where time went, and nothing of what people wrote or hold."""

import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from server.app.container import build_context, close_context
from server.app.settings import Settings, SettingsError, load_settings
from server.platform.context import Context
from server.platform.exported_traces import ExportedTraces
from server.platform.jobs import Worker, enqueue
from server.platform.traces import NO_TRACES
from server.platform.unit_of_work import transact
from server.realtime.frames import new_messages_in
from tests.house.test_start import packages_after_importing
from tests.server.chat.conftest import OpenRoom, Sell, listing, message, open_room, sell
from tests.server.conftest import Person, SignUpPerson

__all__ = ["listing", "open_room", "sell"]


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    """The spans of the server."""
    exporter = InMemorySpanExporter()
    yield exporter
    exporter.shutdown()


@pytest.fixture
def context(context: Context, database_url: str, kept: InMemorySpanExporter) -> Context:
    """Of a server whose traces are on."""
    traces = ExportedTraces(SimpleSpanProcessor(kept), {}, new_messages_in)
    object.__setattr__(context, "traces", traces)
    return context


@pytest.fixture
async def seller(sign_up: SignUpPerson) -> Person:
    return await sign_up("seller")


@pytest.fixture
async def buyer(sign_up: SignUpPerson) -> Person:
    return await sign_up("buyer")


def named(kept: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in kept.get_finished_spans() if span.name == name]


async def test_a_request_is_named_by_its_route_and_holds_its_unit_of_work(
    kept: InMemorySpanExporter, seller: Person
) -> None:
    kept.clear()
    assert (await seller.patch("/v1/me", json={"display_name": "Mina"})).status_code == 200
    [request] = named(kept, "PATCH /v1/me")
    [work] = named(kept, "unit of work")
    assert request.attributes == {"picky.status": 200}
    assert work.parent is not None
    assert work.parent.span_id == request.context.span_id


async def test_what_people_look_for_is_in_no_span(
    kept: InMemorySpanExporter, seller: Person
) -> None:
    query = {"q": "grandmother's accordion"}
    assert (await seller.get("/v1/listings", params=query)).status_code == 200
    await seller.get("/object-store/picky/photo", params={"X-Amz-Signature": "abcdef"})
    told = "".join(span.to_json() for span in kept.get_finished_spans())
    assert named(kept, "GET /v1/listings")
    assert named(kept, "GET /object-store")
    for secret in ("accordion", "abcdef", seller.token, "seller"):
        assert secret not in told


async def test_a_message_over_http_is_in_its_own_trace_which_links_to_the_request(
    kept: InMemorySpanExporter, seller: Person, buyer: Person, sell: Sell, open_room: OpenRoom
) -> None:
    room = await open_room(buyer, await sell(seller))
    kept.clear()
    path = f"/v1/chatrooms/{room}/messages"
    assert (await buyer.post(path, message("psst"))).status_code == 201
    [request] = named(kept, "POST /v1/chatrooms/{room_id}/messages")
    for name in ("unit of work", "publish"):
        inside, own = sorted(
            named(kept, name), key=lambda span: span.context.trace_id != request.context.trace_id
        )
        assert inside.context.trace_id == request.context.trace_id
        assert [link.context.span_id for link in own.links] == [request.context.span_id]


async def test_a_request_that_breaks_tells_the_kind_of_its_error_only(
    kept: InMemorySpanExporter, app: FastAPI
) -> None:
    async def broken() -> None:
        raise RuntimeError("a value that somebody sent")

    app.add_api_route("/v1/broken", broken)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        await client.get("/v1/broken")
    [request] = named(kept, "GET /v1/broken")
    assert not request.status.is_ok
    assert request.status.description == "RuntimeError"
    assert "somebody" not in request.to_json()


async def test_a_job_is_a_span_and_fails_by_its_kind_of_error(
    kept: InMemorySpanExporter, context: Context
) -> None:
    async def fail(_context: Context, _payload: dict[str, Any]) -> None:
        raise LookupError("a value that somebody sent")

    await transact(context, None, lambda work: enqueue(work, "test.job", {"text": "psst"}))
    await Worker(context, {"test.job": fail}).run_due()
    [job] = named(kept, "job test.job")
    assert job.status.description == "LookupError"
    told = "".join(span.to_json() for span in kept.get_finished_spans())
    assert "somebody" not in told
    assert "psst" not in told


async def test_without_an_endpoint_nothing_is_kept(settings: Settings) -> None:
    context = build_context(settings, base_url="http://testserver")
    assert context.traces is NO_TRACES
    await close_context(context)


def test_without_an_endpoint_nothing_is_imported() -> None:
    """FastAPI brings OpenTelemetry's interface; protobuf comes with what exports."""
    assert "google" not in packages_after_importing("server.app.serve")


def test_an_endpoint_must_be_an_address() -> None:
    with pytest.raises(SettingsError, match="PICKY_OTLP_ENDPOINT"):
        load_settings(otlp_endpoint="collector:4318")


async def test_an_endpoint_without_the_library_says_what_to_install(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "server.app.otlp", None)
    asked = settings.model_copy(update={"otlp_endpoint": "http://127.0.0.1:4318"})
    with pytest.raises(SettingsError, match=r"picky\[traces\]"):
        build_context(asked, base_url="http://testserver")
