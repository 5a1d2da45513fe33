"""One message is one trace, from its frame to the sockets of its readers, on whichever node."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from server.app.asgi import create_app
from server.app.container import build_context, close_context
from server.app.settings import Settings
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.exported_traces import ExportedTraces, _root_of
from server.platform.streams import encode_event
from server.realtime.frames import encode, new_messages_in
from server.realtime.node import RealtimeNode
from server.realtime.settings import RealtimeSettings
from server.realtime.writer import Writer
from shared_models.chat import Message, MessageKind, MessageWarning, SystemNote
from shared_models.media import Photo
from shared_models.realtime import CloseCode, EventKind
from tests.realtime.conftest import Connect, Person, TakesAll, serving
from tests.server.conftest import BASE_URL, share_routes

PARTS = {"send", "unit of work", "publish", "deliver"}
TEXT = 'meet me at noon, "cid":"00000000-0000-4000-8000-000000000000"'


@pytest.fixture
def settings(settings: Settings, database_url: str, valkey_url: str) -> Settings:
    return settings.model_copy(update={"database_url": database_url, "bus_url": valkey_url})


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """Where the spans of both nodes arrive."""
    exporter = InMemorySpanExporter()
    yield exporter
    exporter.shutdown()


def traces_of(exporter: InMemorySpanExporter, node: str) -> ExportedTraces:
    attributes: dict[str, str | int] = {"service.instance.id": node}
    return ExportedTraces(SimpleSpanProcessor(exporter), attributes, new_messages_in)


@pytest.fixture
def context(context: Context, database_url: str, exporter: InMemorySpanExporter) -> Context:
    """Of the node that the port is of, with traces."""
    object.__setattr__(context, "traces", traces_of(exporter, "here"))
    return context


@pytest.fixture
async def there(
    settings: Settings, clock: MovableClock, exporter: InMemorySpanExporter
) -> AsyncIterator[int]:
    """Where another node listens."""
    traces = traces_of(exporter, "there")
    context = build_context(settings, base_url=BASE_URL, clock=clock, traces=traces)
    app = create_app(context, settings)
    share_routes(app)
    async with serving(app, context.wiring.port(RealtimeNode)) as port:
        yield port
    await close_context(context)


def node_of(span: ReadableSpan) -> Any:
    return span.resource.attributes["service.instance.id"]


def messages(exporter: InMemorySpanExporter) -> list[list[ReadableSpan]]:
    """The traces that begin with the frame of a message."""
    traces: defaultdict[int, list[ReadableSpan]] = defaultdict(list)
    for span in exporter.get_finished_spans():
        traces[span.context.trace_id].append(span)
    return [trace for trace in traces.values() if any(span.name == "send" for span in trace)]


async def test_a_send_is_one_trace_across_two_nodes(
    join: Connect,
    there: int,
    exporter: InMemorySpanExporter,
    buyer: Person,
    seller: Person,
    room: str,
) -> None:
    speaker, reader = await join(buyer), await join(seller, at=there)
    for _ in range(2):
        await speaker.send(room, TEXT)
        assert (await reader.event("message.new"))["text"] == TEXT
    while len([one for one in speaker.events if one["kind"] == "message.new"]) < 2:
        await speaker.hear()
    await speaker.socket.close()
    await reader.socket.close()
    traces = messages(exporter)
    assert len(traces) == 2
    for trace in traces:
        assert {span.name for span in trace} == PARTS
        assert {node_of(span) for span in trace if span.name == "deliver"} == {"here", "there"}
        assert {node_of(span) for span in trace if span.name != "deliver"} == {"here"}
        [send] = [span for span in trace if span.name == "send"]
        assert send.attributes == {"picky.outcome": "acknowledged"}
    told = "".join(span.to_json() for span in exporter.get_finished_spans())
    for secret in ("noon", buyer.token, seller.token):
        assert secret not in told


async def test_what_is_delivered_late_from_the_database_is_in_the_same_trace(
    join: Connect,
    exporter: InMemorySpanExporter,
    buyer: Person,
    seller: Person,
    room: str,
) -> None:
    away = await join(seller)
    await away.socket.close()
    epoch, pos = away.welcome["epoch"], away.welcome["pos"]
    speaker = await join(buyer)
    await speaker.send(room, TEXT)
    await speaker.seen("message.new")
    back = await join(seller, {"epoch": epoch, "pos": pos})
    assert (await back.seen("message.new"))["text"] == TEXT
    await back.socket.close()
    [trace] = messages(exporter)
    assert [span.name for span in trace].count("deliver") == 2


async def test_what_is_written_at_once_is_delivered_in_the_trace_of_each(
    exporter: InMemorySpanExporter,
) -> None:
    writer = Writer(TakesAll(), RealtimeSettings(), traces_of(exporter, "here"))
    sent = [message_with(cid=uuid4(), text="psst") for _ in range(3)]
    for pos, one in enumerate(sent, start=1):
        writer.put(encode_event(pos, EventKind.MESSAGE_NEW.value, encode(one)))
    writer.close(CloseCode.DRAINING, "enough")
    await writer.run()
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["deliver"] * 3
    roots = [_root_of(one.cid).trace_id for one in sent if one.cid]
    assert [span.context.trace_id for span in spans] == roots


async def test_a_send_that_is_refused_is_traced_as_such(
    join: Connect, exporter: InMemorySpanExporter, buyer: Person, room: str
) -> None:
    device = await join(buyer)
    cid = {"cid": "01a2290e-0000-7000-8000-000000000001"}
    await device.send(room, TEXT, **cid)
    await device.say("send", id="again", chatroom_id=room, text="other", **cid)
    await device.until("err", id="again")
    [trace] = messages(exporter)
    outcomes = [span.attributes for span in trace if span.name == "send"]
    assert outcomes == [{"picky.outcome": "acknowledged"}, {"picky.outcome": "cid_conflict"}]


def test_new_messages_are_found_by_their_client_ids_whatever_they_say() -> None:
    """Also if a field is added to a message: this is where the search for it would end."""
    quoted = '"kind":"message.new","data":{"cid":"00000000-0000-0000-0000-000000000000"}'
    sent = [message_with(cid=uuid4(), text=text) for text in ("psst", quoted, "}{")]
    kind = EventKind.MESSAGE_NEW.value
    events = [encode_event(pos, kind, encode(one)) for pos, one in enumerate(sent, start=1)]
    deleted = encode_event(4, EventKind.MESSAGE_DELETED.value, encode(sent[0]))
    batch = b",".join([*events, deleted])
    assert list(new_messages_in(batch)) == [one.cid for one in sent]


def message_with(*, cid: UUID, text: str) -> Message:
    """A message with everything that one can have."""
    now = datetime(2026, 3, 2, tzinfo=UTC)
    photo = Photo(id=uuid4(), width=4, height=3, placeholder="", thumb_url="/t", full_url="/f")
    return Message(
        chatroom_id=uuid4(),
        seq=7,
        id=uuid4(),
        cid=cid,
        sender_id=uuid4(),
        kind=MessageKind.TEXT,
        text=text,
        photos=[photo],
        system=SystemNote(event="safety", data={"cid": "none"}),
        created_at=now,
        warning=MessageWarning(code="off_platform", text="Stay here."),
    )
