"""What media counts: uploads, by how far they are."""

from prometheus_client import Counter, Gauge

UPLOADS_FINISHED = Counter(
    "picky_uploads_finished", "Uploads that were processed here: ready or failed.", ["state"]
)
UPLOADS = Gauge(
    "picky_uploads",
    "Uploads of the last day in the database that nothing holds yet, up to 10,000.",
    ["state"],
)
