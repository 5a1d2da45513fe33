"""What realtime counts: sockets, what goes through them, and how far behind they are."""

from prometheus_client import Counter, Gauge, Histogram

SOCKETS = Gauge("picky_sockets", "Realtime sockets that are open on this process.")
STREAMS = Gauge("picky_streams", "Accounts with a device on this process.")
CLOSED = Counter(
    "picky_sockets_closed", "Sockets that were closed from here, by the close code.", ["reason"]
)
HANDSHAKES = Counter(
    "picky_handshakes",
    "Devices that were welcome: new, resumed, or reset (they bootstrap) because of their epoch, or "
    "because what they missed is too old or too far away; or, too many coming at once, busy.",
    ["outcome"],
)
UNDER_WAY = Gauge(
    "picky_handshakes_under_way", "Handshakes that are worked on, from the token up to the welcome."
)

SEND_SECONDS = Histogram(
    "picky_send_duration_seconds",
    "From when a socket's message is taken up to its answer, after the commit.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
DELIVERIES = Counter("picky_deliveries", "Events that were queued for a device.")
GAPS = Counter("picky_gaps_filled", "Gaps in an account's stream that were read from the database.")

QUEUED_FRAMES = Gauge("picky_writer_queue_frames", "Frames that wait in the queues of all sockets.")
QUEUED_BYTES = Gauge("picky_writer_queue_bytes", "Their bytes.")
LONGEST_QUEUE = Gauge("picky_writer_queue_frames_max", "Frames in the longest of these queues.")
