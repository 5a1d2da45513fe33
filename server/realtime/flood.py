"""How fast a connection may send frames, and how long it may go on too fast."""

from collections.abc import Callable

from server.realtime.settings import RealtimeSettings

_QUIET_S = 1.0


class FloodGate:
    """A token bucket of frames; ten seconds above it and the connection is to be closed (4006)."""

    def __init__(
        self, settings: RealtimeSettings, monotonic: Callable[[], float], *, enabled: bool
    ) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._enabled = enabled
        self._level = settings.frames_burst
        self._at = monotonic()
        self._above_since: float | None = None
        self._refused_at = 0.0

    def wait_s(self) -> float:
        """0 lets a frame through; else the seconds until there is room for one."""
        if not self._enabled:
            return 0.0
        settings, now = self._settings, self._monotonic()
        refill = (now - self._at) * settings.frames_per_s
        self._level, self._at = min(settings.frames_burst, self._level + refill), now
        if self._level >= 1:
            self._level -= 1
            return 0.0
        if self._above_since is None or now - self._refused_at > _QUIET_S:
            self._above_since = now
        self._refused_at = now
        return (1 - self._level) / settings.frames_per_s

    @property
    def too_long(self) -> bool:
        """Whether frames have been refused for so long that the connection must go."""
        if self._above_since is None:
            return False
        return self._refused_at - self._above_since >= self._settings.flood_s
