"""One server of the bus, as one process speaks with it.

Publishing only queues: a task sends what has gathered in one pipeline, so a slow or dead server
holds up nobody. What it loses is in the database: when the server is back, whoever listens is told
that there may be gaps, and so is everybody when more was to be told than the queue takes.
"""

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import redis.asyncio
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Unreached
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as Unanswered

from server.platform.bus import BusError
from server.platform.metrics import BUS_DROPPED, BUS_LINES_LOST, BUS_PUBLISHED
from server.platform.valkey_line import ANSWER_S, Line

LOOK = b"picky:look"
"""Whoever hears something here looks into the database."""
_NOBODY_HEARS = b"picky:check"

_LOOKS_EVERY_S = 1.0
MOST_QUEUED = 10_000
"""Hints that wait for an instance; beyond that the oldest are dropped, and everybody told to look:
a commit with more than that is cheaper to find in the database than to carry.
"""
_A_PIPELINE = 256
_AT_ONCE = 1_000
"""Channels that are asked for at once: a server answers for each of them."""
_PING_S = 5.0
_JOIN_S = 1.0
_STOPS_S = 1.0
_AGAIN_AFTER_S = (0.1, 0.2, 0.5, 1.0, 2.0)

FAILURES = (RedisError, OSError, TimeoutError)
_PERHAPS_UNSENT = (Unreached, Unanswered, OSError, TimeoutError)

log = structlog.get_logger("bus")


def _address(client: redis.asyncio.Redis) -> str:
    """Where a client connects, without what signs in there: a password that is changed moves
    nothing, and processes with the old and the new one agree.
    """
    parts = client.connection_pool.connection_kwargs
    host = str(parts.get("host", "localhost")).lower()
    return f"{host}:{parts.get('port', 6379)}/{parts.get('db', 0)}"


class Instance:
    """One server of the bus: a queue of what is to be sent, and the channels that are wanted.

    Who wants a channel or does not want it any more only says so: the listener alone speaks on the
    line, and asks for what has changed.
    """

    def __init__(self, url: str, heard: Callable[[bytes, bytes], None]) -> None:
        self._on_gap: Callable[[], None] = lambda: None
        self._heard = heard
        self._client = redis.asyncio.from_url(
            "redis" + url.removeprefix("valkey") if url.startswith("valkey") else url,
            socket_connect_timeout=2,
            socket_timeout=ANSWER_S,
            # Once: a connection that was kept may be of a server that is gone. The rest is for
            # `_keep`, which knows that the server is away while it tries.
            retry=Retry(NoBackoff(), 1),
        )
        self.address = _address(self._client)
        self._away = False
        self._failing: set[str] = set()
        """What has not worked since it failed, of sending and hearing."""
        self._wanted: set[bytes] = set()
        self._subscribed: set[bytes] = set()
        self._changed: set[bytes] = set()
        self._late: set[bytes] = set()
        """Those that somebody has joined without waiting for the server to the end."""
        self._stirred = asyncio.Event()
        self._news = asyncio.Event()
        self._queue: deque[tuple[bytes, bytes]] = deque(maxlen=MOST_QUEUED)
        self._queued = asyncio.Event()
        self._dropping = False
        self._signals: set[bytes] = set()
        """Channels on which something is to be said, each once."""
        self._ripe: set[bytes] = set()
        """Those on which it is time to."""
        self._quiet_until: dict[bytes, float] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def weight(self, key: bytes) -> bytes:
        """How much this instance is the place of a key."""
        return hashlib.blake2b(self.address.encode() + key, digest_size=8).digest()

    def put(self, channel: bytes, payload: bytes) -> None:
        """Send this soon."""
        if len(self._queue) == MOST_QUEUED:
            self._dropped(1)
        self._queue.append((channel, payload))
        self._queued.set()
        self._start()

    def signal(self, channel: bytes, *, every_s: float) -> None:
        """Say on a channel that there is something: at once, but only once in so many seconds."""
        if channel in self._signals:
            return
        self._signals.add(channel)
        loop = asyncio.get_running_loop()
        at = max(loop.time(), self._quiet_until.get(channel, 0.0))
        self._quiet_until[channel] = at + every_s
        loop.call_at(at, self._ripen, channel)
        self._start()

    def _ripen(self, channel: bytes) -> None:
        self._ripe.add(channel)
        self._queued.set()

    def tell_of_gaps(self, tell: Callable[[], None]) -> None:
        """Set who is told, also by other processes."""
        self._on_gap = tell
        self._wanted.add(LOOK)
        self._change(LOOK)

    def want(self, channel: bytes) -> None:
        """Hear a channel soon."""
        self._wanted.add(channel)
        self._change(channel)
        self._start()

    async def subscribe(self, channel: bytes) -> None:
        """Want a channel; waits for the server to say that it is heard, but not for long."""
        self.want(channel)
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
        """Raise unless it takes what is published and both tasks do their work."""
        if self._away or any(task.done() for task in self._tasks):
            raise BusError("the bus is not listened to")
        if self._failing:
            raise BusError("the bus takes nothing")
        async with asyncio.timeout(ANSWER_S):
            await self._client.publish(_NOBODY_HEARS, b"")

    async def close(self) -> None:
        """Stop both tasks and hang up."""
        while working := [task for task in self._tasks if not task.done()]:
            # Once may not do: one that comes as a connection breaks can be lost in the library.
            for task in working:
                task.cancel()
            await asyncio.wait(working, timeout=_STOPS_S)
        await self._client.aclose()

    def _start(self) -> None:
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._keep(name, work), name=f"bus {name}")
                for name, work in (("sender", self._send), ("listener", self._hear))
            ]

    def _change(self, channel: bytes) -> None:
        self._changed.add(channel)
        self._stirred.set()

    def _tell_the_news(self) -> None:
        """Let those who join look again."""
        self._news.set()
        self._news = asyncio.Event()

    async def _keep(self, name: str, work: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
        """Do it again whenever the connection is lost, sooner after one that worked."""
        tries = 0

        def worked() -> None:
            nonlocal tries
            if tries:
                log.info("bus_is_back")
            tries = 0
            self._failing.discard(name)

        while True:
            try:
                await work(worked)
            except Exception as error:  # a task that ended would leave this process deaf or dumb
                if not tries:
                    unknown = None if isinstance(error, FAILURES) else error
                    log.warning("bus_lost", error=type(error).__name__, exc_info=unknown)
                    BUS_LINES_LOST.inc()
                self._failing.add(name)
                await asyncio.sleep(_AGAIN_AFTER_S[min(tries, len(_AGAIN_AFTER_S) - 1)])
                tries += 1

    async def _send(self, worked: Callable[[], None]) -> None:
        while True:
            await self._queued.wait()
            some = [self._queue.popleft() for _ in range(min(len(self._queue), _A_PIPELINE))]
            signals = self._take_signals()
            if not self._queue:
                self._queued.clear()
            pipeline = self._client.pipeline(transaction=False)
            for channel, payload in [*some, *((channel, b"") for channel in signals)]:
                pipeline.publish(channel, payload)
            try:
                await pipeline.execute()
            except _PERHAPS_UNSENT:
                self._put_back(some, signals)
                raise
            except RedisError:
                self._dropped(len(some))
                self._say_again(signals)
                raise
            BUS_PUBLISHED.inc(len(some))
            self._dropping = self._dropping and bool(self._queue)
            worked()

    def _take_signals(self) -> set[bytes]:
        """What is said from now on is said anew: this may be heard before it."""
        ripe, self._ripe = self._ripe, set()
        self._signals -= ripe
        return ripe

    def _put_back(self, some: Sequence[tuple[bytes, bytes]], signals: set[bytes]) -> None:
        """Send these again: the line of whoever listens may be whole, and nobody tells it of a gap.

        What comes twice is dropped there.
        """
        room = MOST_QUEUED - len(self._queue)
        self._queue.extendleft(list(reversed(some))[:room])
        self._dropped(max(0, len(some) - room))
        self._say_again(signals)
        self._queued.set()

    def _say_again(self, signals: set[bytes]) -> None:
        """With what is sent next, and if it is nothing else."""
        self._signals |= signals
        self._ripe |= signals
        if signals:
            self._queued.set()

    def _dropped(self, number: int) -> None:
        """Hints are not sent: have all look into the database as soon as they can be told to."""
        if not number:
            return
        BUS_DROPPED.inc(number)
        if not self._dropping:
            log.warning("bus_hints_dropped")
        self._dropping = True
        self.signal(LOOK, every_s=_LOOKS_EVERY_S)

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
        self._on_gap()
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
                self._on_gap()

    def _take(self, channel: bytes, payload: bytes) -> None:
        try:
            if channel == LOOK:
                self._on_gap()
            else:
                self._heard(channel, payload)
        except Exception:  # one bad message is no reason not to hear the next one
            log.exception("bus_message_dropped")
