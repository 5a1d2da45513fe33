"""An address at which somebody takes connections and never says a word."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def mute() -> Iterator[int]:
    """The port of one on loopback; at the end all who wait are cut."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]
