"""The figures as words: what the rows and lists of the screen say."""

from collections.abc import Mapping

from server.app.top.figures import Window

REQUESTS = "picky_http_request_duration_seconds"
SENDS = "picky_send_duration_seconds"
COLUMNS = (
    "Process",
    "Sockets",
    "Req/s",
    "p50",
    "p99",
    "Sends/s",
    "p50",
    "p99",
    "Queue",
    "CPU",
    "MB",
)
_MIB = 1024 * 1024

Line = tuple[str, str]
"""What it is, and its figure; without a figure, a title."""


def row(name: str, window: Window) -> tuple[str, ...]:
    """The cells of one process, or of the sum."""
    return (
        name,
        whole(window.total("picky_sockets")),
        rate(window.rates(f"{REQUESTS}_count")),
        *(time_taken(window.quantile(REQUESTS, share)) for share in (0.5, 0.99)),
        rate(window.rates("picky_sends_total")),
        *(time_taken(window.quantile(SENDS, share)) for share in (0.5, 0.99)),
        whole(window.total("picky_writer_queue_frames")),
        percent(window.rates("process_cpu_seconds_total")),
        whole({"": of(window.total("process_resident_memory_bytes")) / _MIB}),
    )


def traffic(window: Window) -> list[Line]:
    """What goes through sockets and over the bus."""
    refused = window.rates("picky_sends_total", by="outcome")
    failed = window.rates(f"{REQUESTS}_count", by="status")
    closed = window.total("picky_sockets_closed_total", by="reason")
    handshakes = window.rates("picky_handshakes_total", by="outcome")
    return [
        ("Realtime", ""),
        ("delivered /s", rate(window.rates("picky_deliveries_total"))),
        ("refused sends /s", rate(_but(refused, "acknowledged", "duplicate"))),
        ("resumed /s", rate(_only(handshakes, "resumed"))),
        ("reset /s", rate(_only(handshakes, "epoch", "too_old", "too_far"))),
        ("longest queue", whole(window.most("picky_writer_queue_frames_max"))),
        ("slow consumers", whole(_only(closed, "slow_consumer"))),
        ("", ""),
        ("Bus and database", ""),
        ("published /s", rate(window.rates("picky_bus_published_total"))),
        ("hints dropped", whole(window.total("picky_bus_dropped_total"))),
        ("lines lost", whole(window.total("picky_bus_lines_lost_total"))),
        ("connections", _of_most(window)),
        ("failed requests /s", rate(_only(failed, "5xx"))),
    ]


def stock(window: Window) -> list[Line]:
    """Jobs, uploads and trades."""
    waiting = window.most("picky_jobs_waiting", by="state")
    ran = window.rates("picky_jobs_total", by="outcome")
    uploads = window.most("picky_uploads", by="state")
    trades = window.most("picky_open_trades", by="state")
    oldest = window.most("picky_jobs_oldest_due_seconds").get("")
    return [
        ("Jobs", ""),
        ("done /s", rate(_only(ran, "done"))),
        ("failed /s", rate(_only(ran, "failed"))),
        ("dead", whole(_only(waiting, "dead"))),
        ("due", whole(_only(waiting, "due"))),
        ("the oldest for", time_taken(oldest)),
        ("running", whole(_only(waiting, "running"))),
        ("scheduled", whole(_only(waiting, "scheduled"))),
        ("of no known kind", whole(_only(waiting, "unknown"))),
        ("", ""),
        ("Uploads and trades", ""),
        ("pending, processing", _each(uploads, "pending", "processing")),
        ("ready, failed", _each(uploads, "ready", "failed")),
        ("reserved, shipped", _each(trades, "reserved", "shipped")),
        ("handed over, disputed", _each(trades, "handed_over", "disputed")),
    ]


def of(found: Mapping[str, float]) -> float:
    """All of it."""
    return sum(found.values())


def whole(found: Mapping[str, float]) -> str:
    """A count; a dash where nothing is known."""
    return f"{of(found):,.0f}" if found else "–"


def rate(found: Mapping[str, float]) -> str:
    """A rate, with as many digits as say something."""
    value = of(found)
    if not found:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def percent(found: Mapping[str, float]) -> str:
    """Seconds of a core in a second."""
    return f"{of(found):.0%}" if found else "–"


def time_taken(seconds: float | None) -> str:
    """A time, short."""
    if seconds is None:
        return "–"
    if seconds >= 100:
        return f"{seconds / 60:,.0f} min"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _only(found: Mapping[str, float], *labels: str) -> dict[str, float]:
    """These of what is known; nothing where nothing is."""
    return {label: found.get(label, 0) for label in labels} if found else {}


def _but(found: Mapping[str, float], *labels: str) -> dict[str, float]:
    return {label: value for label, value in found.items() if label not in labels}


def _each(found: Mapping[str, float], *states: str) -> str:
    return ", ".join(whole(_only(found, state)) for state in states)


def _of_most(window: Window) -> str:
    in_use = window.total("picky_database_connections_in_use")
    return f"{whole(in_use)} of {whole(window.total('picky_database_connections_max'))}"
