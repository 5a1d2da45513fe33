"""The handshake's second half: from a client's position to live, without a gap."""

from collections.abc import Sequence
from typing import Literal

import structlog

from server.accounts import api as accounts
from server.platform import streams
from server.platform.bus import Hint
from server.platform.context import Context
from server.platform.errors import Unauthenticated
from server.platform.failures import DATABASE_FAILURES
from server.platform.streams import Position
from server.platform.unit_of_work import reading
from server.realtime.connection import Connection
from server.realtime.frames import encode
from server.realtime.hub import Stream
from server.realtime.metrics import DELIVERIES, HANDSHAKES
from server.realtime.settings import RealtimeSettings
from shared_models.realtime import CloseCode, Hello, Reset, Welcome

Reason = Literal["epoch", "too_old", "too_far"]

log = structlog.get_logger("realtime")


def why_reset(hello: Hello, position: Position, most_behind: int) -> Reason | None:
    """Why the client must bootstrap, or None when it can resume or asks for nothing."""
    if hello.pos is None:
        return None
    if hello.epoch != position.epoch or hello.pos > position.head:
        return "epoch"
    if hello.pos + 1 < position.oldest:
        return "too_old"
    return "too_far" if position.head - hello.pos > most_behind else None


async def welcome(
    context: Context,
    settings: RealtimeSettings,
    connection: Connection,
    stream: Stream,
    hello: Hello,
) -> None:
    """Welcome a registered connection; what it missed is still to be sent.

    ``welcome.pos`` is where its events begin: the next one is ``pos + 1``, resumed or not. A
    session that ended before the connection was registered raises :class:`Unauthenticated`.
    """
    async with reading(context) as work:
        if not await accounts.live_sessions(work, {connection.actor.session_id}):
            raise Unauthenticated
        position = await streams.position(work, connection.account_id)
        now = work.now
    reason = why_reset(hello, position, settings.resume_most)
    resumed = hello.pos is not None and reason is None
    HANDSHAKES.labels(reason or ("resumed" if resumed else "new")).inc()
    if reason is not None:
        connection.writer.put(encode(Reset(reason=reason)))
    start = hello.pos if resumed and hello.pos is not None else position.head
    frame = Welcome(
        connection=connection.id,
        account_id=connection.account_id,
        epoch=position.epoch,
        pos=start,
        resumed=resumed,
        ping_s=settings.ping_s,
        limits=settings.told_to_clients(context.limits),
        server_time=now,
    )
    connection.writer.put(encode(frame))
    connection.reached = start
    stream.know(position.head)


async def catch_up(
    context: Context, settings: RealtimeSettings, connection: Connection, stream: Stream
) -> None:
    """Send a connection that has fallen behind what it missed, and make it live again."""
    try:
        await send_missed(context, settings, connection, stream)
    except DATABASE_FAILURES as error:
        log.warning("not_caught_up", error=type(error).__name__)
        connection.close(CloseCode.POSITION_LOST, "try again")


async def send_missed(
    context: Context, settings: RealtimeSettings, connection: Connection, stream: Stream
) -> None:
    """Batches up to the head, then what was held; reads on while events fell out of the buffer.
    Then the connection is live.
    """
    while not connection.writer.closing:
        if connection.reached < stream.head:
            await _send_page(context, settings, connection, stream)
            continue
        # No await from here to going live: no event can come in between.
        stream.settle(connection.reached)
        connection.take_held()
        if connection.reached >= stream.head:
            connection.go_live()
            return


async def _send_page(
    context: Context, settings: RealtimeSettings, connection: Connection, stream: Stream
) -> None:
    async with reading(context) as work:
        events = await streams.read_after(
            work, connection.account_id, connection.reached, settings.batch_events
        )
    positions = [event.pos for event in events]
    first = connection.reached + 1
    if not events or positions != list(range(first, first + len(events))):
        connection.close(CloseCode.POSITION_LOST, "position lost")
        return
    for batch in _cut(events, settings.batch_bytes):
        await connection.writer.room()
        connection.reached = batch[-1].pos
        connection.writer.put(_batch(batch, more=connection.reached < stream.head))
        DELIVERIES.inc(len(batch))


def _cut(events: Sequence[Hint], most_bytes: int) -> list[list[Hint]]:
    batches: list[list[Hint]] = [[]]
    size = 0
    for event in events:
        if batches[-1] and size + len(event.data) > most_bytes:
            batches.append([])
            size = 0
        batches[-1].append(event)
        size += len(event.data)
    return batches


def _batch(events: Sequence[Hint], *, more: bool) -> bytes:
    joined = b",".join(event.data for event in events)
    return b'{"t":"batch","events":[%s],"more":%s}' % (joined, b"true" if more else b"false")
