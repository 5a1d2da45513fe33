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
    resets = sum(handshakes.get(why, 0) for why in ("epoch", "too_old", "too_far"))
    good = ("acknowledged", "duplicate")
    return [
        ("Realtime", ""),
        ("delivered /s", rate(window.rates("picky_deliveries_total"))),
        ("refused sends /s", rate({"": sum(refused.values()) - _sum_of(refused, good)})),
        ("resumed /s", rate({"": handshakes.get("resumed", 0)})),
        ("reset /s", rate({"": resets})),
        ("longest queue", whole(window.most("picky_writer_queue_frames_max"))),
        ("slow consumers", whole({"": closed.get("slow_consumer", 0)})),
        ("", ""),
        ("Bus and database", ""),
        ("published /s", rate(window.rates("picky_bus_published_total"))),
        ("hints dropped", whole(window.total("picky_bus_dropped_total"))),
        ("lines lost", whole(window.total("picky_bus_lines_lost_total"))),
        ("connections", _of_most(window)),
        ("failed requests /s", rate({"": failed.get("5xx", 0)})),
    ]


def stock(window: Window) -> list[Line]:
    """Jobs, uploads and trades."""
    jobs = window.most("picky_jobs_waiting", by="state")
    done = window.rates("picky_jobs_total", by="outcome")
    dead = window.total("picky_jobs_total", by="outcome").get("dead", 0)
    uploads = window.most("picky_uploads", by="state")
    trades = window.most("picky_open_trades", by="state")
    oldest = of(window.most("picky_jobs_oldest_due_seconds"))
    return [
        ("Jobs", ""),
        ("done /s", rate({"": done.get("done", 0)})),
        ("failed /s", rate({"": done.get("failed", 0)})),
        ("dead", whole({"": dead})),
        ("due", f"{jobs.get('due', 0):.0f}, the oldest for {time_taken(oldest)}"),
        ("running", whole({"": jobs.get("running", 0)})),
        ("scheduled", whole({"": jobs.get("scheduled", 0)})),
        ("", ""),
        ("Uploads and trades", ""),
        ("pending, processing", _counts(uploads, "pending", "processing")),
        ("ready, failed", _counts(uploads, "ready", "failed")),
        ("reserved, shipped", _counts(trades, "reserved", "shipped")),
        ("handed over", whole({"": trades.get("handed_over", 0)})),
        ("disputed", whole({"": trades.get("disputed", 0)})),
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


def _sum_of(found: Mapping[str, float], labels: tuple[str, ...]) -> float:
    return sum(found.get(label, 0) for label in labels)


def _counts(found: Mapping[str, float], *states: str) -> str:
    return ", ".join(f"{found.get(state, 0):,.0f}" for state in states)


def _of_most(window: Window) -> str:
    in_use = window.total("picky_database_connections_in_use")
    return f"{whole(in_use)} of {whole(window.total('picky_database_connections_max'))}"
