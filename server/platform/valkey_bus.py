"""The bus between processes: one Valkey or Redis channel a stream, over one instance or several.

Publishing only queues: a task for each instance sends what has gathered in one pipeline, so a slow
or dead bus holds up nobody. What it loses is in the database: when an instance is back, whoever
listens is told that there may be gaps.
"""

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from uuid import UUID

import redis.asyncio
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Unreached
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as Unanswered

from server.platform.bus import BusError, Hint, Receive
from server.platform.metrics import BUS_DROPPED, BUS_LINES_LOST, BUS_PUBLISHED
from server.platform.valkey_line import ANSWER_S, Line

_CHANNEL = b"picky:"
_POS_BYTES = 8
_MOST_QUEUED = 10_000
"""Hints that wait for an instance; beyond that the oldest are dropped, as a dead bus drops all."""
_A_PIPELINE = 256
_AT_ONCE = 1_000
"""Channels that are asked for at once: a server answers for each of them."""
_PING_S = 5.0
_JOIN_S = 1.0
_AGAIN_AFTER_S = (0.1, 0.2, 0.5, 1.0, 2.0)

FAILURES = (RedisError, OSError, TimeoutError)
_PERHAPS_UNSENT = (Unreached, Unanswered, OSError, TimeoutError)

log = structlog.get_logger("bus")


class ValkeyBus:
    """A bus over the instances at these URLs; each stream has its place on one of them."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._receive: Receive = lambda _hint: None
        self._joined: set[UUID] = set()
        self._instances = [_Instance(url, self._heard) for url in urls]

    def listen(self, receive: Receive) -> None:
        """Set who gets the hints."""
        self._receive = receive

    def on_gap(self, tell: Callable[[], None]) -> None:
        """Set who is told when an instance is back: what it did not bring meanwhile is lost."""
        for instance in self._instances:
            instance.on_gap = tell

    async def join(self, stream_id: UUID) -> None:
        """Returns when hints arrive, or after a second; at once when the bus is known to be away.

        What is missed until then is in the database, and whoever listens is told to look there.
        """
        self._joined.add(stream_id)
        await self._place(stream_id).subscribe(_channel(stream_id))

    async def leave(self, stream_id: UUID) -> None:
        """No more hints of this stream."""
        self._joined.discard(stream_id)
        self._place(stream_id).unsubscribe(_channel(stream_id))

    async def publish(self, hints: Iterable[Hint]) -> None:
        """Tell this process at once and the others soon."""
        for hint in hints:
            if hint.pos != 0 and hint.stream_id in self._joined:
                # It comes back over the bus, and what is old by then is dropped.
                self._receive(hint)
            self._place(hint.stream_id).put(_channel(hint.stream_id), _encode(hint))

    async def check(self) -> None:
        """Raise :class:`BusError` when no instance answers and is listened to.

        What one that is away would have told is found in the database: no reason to send people
        elsewhere, where it is away too.
        """
        failures: list[Exception] = []
        for instance in self._instances:
            try:
                await instance.check()
            except (BusError, *FAILURES) as error:
                failures.append(error)
        if len(failures) == len(self._instances):
            reason = str(failures[-1]) or type(failures[-1]).__name__
            raise BusError(f"the bus cannot be used: {reason}")

    async def close(self) -> None:
        """Stop sending and listening."""
        for instance in self._instances:
            await instance.close()

    def place(self, stream_id: UUID) -> str:
        """The URL of the instance that carries a stream."""
        return self._place(stream_id).url

    def _place(self, stream_id: UUID) -> "_Instance":
        """Rendezvous hashing: one instance more or less moves only its own streams."""
        if len(self._instances) == 1:
            return self._instances[0]
        return max(self._instances, key=lambda one: one.weight(stream_id.bytes))

    def _heard(self, channel: bytes, payload: bytes) -> None:
        stream_id = UUID(hex=channel[len(_CHANNEL) :].decode())
        if stream_id in self._joined:
            self._receive(_decode(stream_id, payload))


def _channel(stream_id: UUID) -> bytes:
    return _CHANNEL + stream_id.hex.encode()


def _encode(hint: Hint) -> bytes:
    return hint.pos.to_bytes(_POS_BYTES, signed=True) + hint.data


def _decode(stream_id: UUID, payload: bytes) -> Hint:
    if len(payload) <= _POS_BYTES:
        raise ValueError("this is no hint")
    pos = int.from_bytes(payload[:_POS_BYTES], signed=True)
    return Hint(stream_id, pos, payload[_POS_BYTES:])


class _Instance:
    """One server of the bus: a queue of what is to be sent, and the channels that are wanted.

    Who wants a channel or does not want it any more only says so: the listener alone speaks on the
    line, and asks for what has changed.
    """

    def __init__(self, url: str, heard: Callable[[bytes, bytes], None]) -> None:
        self.on_gap: Callable[[], None] = lambda: None
        self.url = "redis" + url.removeprefix("valkey") if url.startswith("valkey") else url
        self._heard = heard
        self._client = redis.asyncio.from_url(
            self.url,
            socket_connect_timeout=2,
            socket_timeout=ANSWER_S,
            # Once: a connection that was kept may be of a server that is gone. The rest is for
            # `_keep`, which knows that the server is away while it tries.
            retry=Retry(NoBackoff(), 1),
        )
        self._away = False
        self._wanted: set[bytes] = set()
        self._subscribed: set[bytes] = set()
        self._changed: set[bytes] = set()
        self._late: set[bytes] = set()
        """Those that somebody has joined without waiting for the server to the end."""
        self._stirred = asyncio.Event()
        self._news = asyncio.Event()
        self._queue: deque[tuple[bytes, bytes]] = deque(maxlen=_MOST_QUEUED)
        self._queued = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def weight(self, key: bytes) -> bytes:
        """How much this instance is the place of a key."""
        return hashlib.blake2b(self.url.encode() + key, digest_size=8).digest()

    def put(self, channel: bytes, payload: bytes) -> None:
        """Send this soon."""
        if len(self._queue) == _MOST_QUEUED:
            BUS_DROPPED.inc()
        self._queue.append((channel, payload))
        self._queued.set()
        self._start()

    async def subscribe(self, channel: bytes) -> None:
        """Want a channel; waits for the server to say that it is heard, but not for long."""
        self._wanted.add(channel)
        self._change(channel)
        self._start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_JOIN_S):
                while not self._away and channel not in self._subscribed:
                    await self._news.wait()
        if channel not in self._subscribed:
            self._late.add(channel)

    def unsubscribe(self, channel: bytes) -> None:
        """Want it no more."""
        self._wanted.discard(channel)
        self._late.discard(channel)
        self._change(channel)

    async def check(self) -> None:
        """Raise unless it answers and both tasks do their work."""
        if self._away or any(task.done() for task in self._tasks):
            raise BusError("the bus is not listened to")
        async with asyncio.timeout(ANSWER_S):
            await self._client.ping()

    async def close(self) -> None:
        """Stop both tasks and hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def _start(self) -> None:
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._keep(self._send), name="bus sender"),
                asyncio.create_task(self._keep(self._hear), name="bus listener"),
            ]

    def _change(self, channel: bytes) -> None:
        self._changed.add(channel)
        self._stirred.set()

    def _tell_the_news(self) -> None:
        """Let those who join look again."""
        self._news.set()
        self._news = asyncio.Event()

    async def _keep(self, work: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
        """Do it again whenever the connection is lost, sooner after one that worked."""
        tries = 0

        def worked() -> None:
            nonlocal tries
            if tries:
                log.info("bus_is_back")
            tries = 0

        while True:
            try:
                await work(worked)
            except Exception as error:  # a task that ended would leave this process deaf or dumb
                if not tries:
                    unknown = None if isinstance(error, FAILURES) else error
                    log.warning("bus_lost", error=type(error).__name__, exc_info=unknown)
                    BUS_LINES_LOST.inc()
                await asyncio.sleep(_AGAIN_AFTER_S[min(tries, len(_AGAIN_AFTER_S) - 1)])
                tries += 1

    async def _send(self, worked: Callable[[], None]) -> None:
        while True:
            await self._queued.wait()
            some = [self._queue.popleft() for _ in range(min(len(self._queue), _A_PIPELINE))]
            if not self._queue:
                self._queued.clear()
            pipeline = self._client.pipeline(transaction=False)
            for channel, payload in some:
                pipeline.publish(channel, payload)
            try:
                await pipeline.execute()
            except _PERHAPS_UNSENT:
                self._put_back(some)
                raise
            BUS_PUBLISHED.inc(len(some))
            worked()

    def _put_back(self, some: Sequence[tuple[bytes, bytes]]) -> None:
        """Send these again: the line of whoever listens may be whole, and nobody tells it of a gap.

        What comes twice is dropped there.
        """
        room = _MOST_QUEUED - len(self._queue)
        self._queue.extendleft(list(reversed(some))[:room])
        BUS_DROPPED.inc(max(0, len(some) - room))
        self._queued.set()

    async def _hear(self, worked: Callable[[], None]) -> None:
        """Open a line, and read and ask on it until one of the two finds it broken."""
        line = Line(self._client, self._take)
        tasks: list[asyncio.Task[None]] = []
        try:
            await line.open()
            tasks.append(asyncio.create_task(line.read(), name="bus reader"))
            tasks.append(asyncio.create_task(self._ask(line, worked), name="bus asker"))
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._away = True
            self._subscribed.clear()
            self._changed.clear()  # the next line asks for all that is wanted anyway
            self._tell_the_news()
            for task in tasks:
                task.cancel()
            await line.close()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, line: Line, worked: Callable[[], None]) -> None:
        """Ask for all that is wanted, then for what changes; ping when nothing does."""
        self._changed.clear()
        self._stirred.clear()
        await self._ask_about(line, list(self._wanted))
        self._away = False
        self._tell_the_news()
        worked()
        self.on_gap()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PING_S):
                    await self._stirred.wait()
            self._stirred.clear()
            changed = list(self._changed)
            self._changed.clear()
            await self._ask_about(line, changed)

    async def _ask_about(self, line: Line, channels: Sequence[bytes]) -> None:
        for start in range(0, max(len(channels), 1), _AT_ONCE):
            some = set(channels[start : start + _AT_ONCE])
            wanted = (some & self._wanted) - self._subscribed
            unwanted = (some & self._subscribed) - self._wanted
            self._subscribed -= unwanted
            await line.ask(list(wanted), list(unwanted))
            self._subscribed |= wanted
            self._tell_the_news()
            if not self._late.isdisjoint(wanted):
                self._late -= wanted
                self.on_gap()

    def _take(self, channel: bytes, payload: bytes) -> None:
        try:
            self._heard(channel, payload)
        except Exception:  # one bad message is no reason not to hear the next one
            log.exception("bus_message_dropped")
