"""The handshake's second half: from a client's position to live, without a gap."""

from collections.abc import Sequence
from typing import Literal

from server.accounts import api as accounts
from server.platform import streams
from server.platform.bus import Hint
from server.platform.context import Context
from server.platform.errors import Unauthenticated
from server.platform.streams import Position
from server.platform.unit_of_work import reading
from server.realtime.connection import Connection
from server.realtime.frames import Frame, encode, frame_of
from server.realtime.hub import Stream
from server.realtime.settings import RealtimeSettings
from shared_models.realtime import CloseCode, Hello, Reset, Welcome

Reason = Literal["epoch", "too_old", "too_far"]


def why_reset(hello: Hello, position: Position, most_behind: int) -> Reason | None:
    """Why the client must bootstrap, or None when it can resume or asks for nothing."""
    if hello.pos is None:
        return None
    if hello.epoch != position.epoch or hello.pos > position.head:
        return "epoch"
    if hello.pos + 1 < position.oldest:
        return "too_old"
    return "too_far" if position.head - hello.pos > most_behind else None


async def catch_up(
    context: Context,
    settings: RealtimeSettings,
    connection: Connection,
    stream: Stream,
    hello: Hello,
) -> None:
    """Welcome a registered connection, send what it missed, and make it live.

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
    if reason is not None:
        connection.writer.put(encode(Reset(reason=reason)))
    start = hello.pos if resumed and hello.pos is not None else position.head
    welcome = Welcome(
        connection=connection.id,
        account_id=connection.account_id,
        epoch=position.epoch,
        pos=start,
        resumed=resumed,
        ping_s=settings.ping_s,
        limits=settings.told_to_clients(),
        server_time=now,
    )
    connection.writer.put(encode(welcome))
    connection.reached = start
    await _send_missed(context, settings, connection, stream, position.head)


async def _send_missed(
    context: Context,
    settings: RealtimeSettings,
    connection: Connection,
    stream: Stream,
    head: int,
) -> None:
    """Batches up to ``head``, then what was held; reads on while events fell out of the buffer."""
    while not connection.writer.closing:
        if connection.reached < head:
            await _send_page(context, settings, connection, head)
        # No await from here to going live: no event can come in between.
        if connection.reached >= head:
            connection.take_held()
            stream.settle(connection.reached)
            assert stream.last is not None
            if connection.reached >= stream.last:
                connection.go_live()
                return
            head = stream.last


async def _send_page(
    context: Context, settings: RealtimeSettings, connection: Connection, head: int
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
        connection.reached = batch[-1].pos
        connection.writer.put(_batch(batch, more=connection.reached < head))
        await connection.writer.room()


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


def _batch(events: Sequence[Hint], *, more: bool) -> Frame:
    joined = b",".join(event.data for event in events)
    data = b'{"t":"batch","events":[%s],"more":%s}' % (joined, b"true" if more else b"false")
    return frame_of(data)
