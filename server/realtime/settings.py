"""Every number of the realtime protocol, so that tests can make them small."""

from dataclasses import asdict, dataclass

from shared_models import bounds
from shared_models.market import Rules

_TOLD = (
    "connections_per_account",
    "frame_bytes",
    "frames_burst",
    "frames_per_s",
    "in_flight",
    "pong_s",
    "typing_every_s",
)
_SENDS = ("sends_burst", "sends_per_s", "sends_sustained_burst", "sends_sustained_per_s")
_USUAL = Rules()


@dataclass(frozen=True, slots=True)
class RealtimeSettings:
    """Times are in seconds unless the name says otherwise."""

    hello_s: float = 10.0
    """How long a client may take to say ``hello``."""
    ping_s: float = 25.0
    ping_spread: float = 0.2
    """Pings come every ``ping_s`` ± this share."""
    pong_s: float = 10.0
    reconcile_s: float = 15.0
    """How often the heads of all streams on this node are compared; jittered by ±20 %."""

    frame_bytes: int = bounds.FRAME_BYTES_MAX
    handshakes_most: int = 1_000
    """Handshakes that are worked on at once; who comes then is sent away until its turn. A client
    waits 15 s for its welcome."""
    handshakes_per_s: float = 300.0
    """How many a process is taken to do a second when turns are given; it does some 350."""
    in_flight: int = 16
    """Commands of one connection under way or waiting; past that the socket is not read."""
    frames_burst: float = _USUAL.frames_burst
    frames_per_s: float = _USUAL.frames_per_s
    flood_s: float = 10.0
    """Above the rate of frames for so long, and the connection is closed."""
    connections_per_account: int = _USUAL.connections_max

    queue_frames: int = 256
    queue_bytes: int = 1024 * 1024
    room_s: float = 30.0
    """How long a peer may take to read enough that there is room for what it has missed."""
    close_s: float = 30.0
    """How long a peer that does not read may take to let a close through."""

    batch_events: int = 200
    batch_bytes: int = 256 * 1024
    resume_most: int = 1000
    """A client further behind than this bootstraps instead."""

    typing_every_s: float = bounds.TYPING_EVERY_S
    typing_ttl_ms: int = bounds.TYPING_TTL_S * 1000
    presence_ttl_ms: int = 60_000

    reconnect_within_ms: int = 20_000
    """A client that is sent away comes back within this: after a random part of it from a process
    that drains, and when its turn is from one that is busy."""
    drain_least_s: float = 3.0
    """How long a process among others is unready before it sends anybody away, for balancers to
    notice: they look every second or two."""
    drain_slices: int = 10
    drain_s: float = 5.0
    """Over how long the slices are spread."""
    drain_most_s: float = 15.0
    """How long the last socket may take to go."""

    allowed_origins: frozenset[str] = frozenset()

    def told_to_clients(self, limits: Rules) -> dict[str, float]:
        """The limits a client must keep, for ``welcome``; how fast it may send is in ``limits``."""
        known = asdict(self)
        sends = {name: getattr(limits, name) for name in _SENDS}
        return {name: known[name] for name in _TOLD} | sends
