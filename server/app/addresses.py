"""What addresses of other parts must look like. What is refused is never said, only why: it may
hold a password.
"""

from urllib.parse import urlsplit

from server.platform import postgres_address

POSTGRESQL = "postgresql://"
SQLITE = "sqlite:///"
_BUSES = ("redis://", "rediss://", "valkey://", "valkeys://")
_WEB = ("http://", "https://")


def check_database(url: str) -> None:
    """Raise :class:`ValueError` unless a market can be kept there."""
    _check_scheme(url, POSTGRESQL, SQLITE)
    if url.startswith(POSTGRESQL):
        check_replica(url)
    elif not url.removeprefix(SQLITE):
        raise ValueError(f"it must name a file after {SQLITE}")


def check_replica(url: str) -> None:
    """Raise :class:`ValueError` unless it is a PostgreSQL's."""
    _check_scheme(url, POSTGRESQL)
    postgres_address.check(url)


def check_bus(url: str) -> None:
    """Raise :class:`ValueError` unless it is an instance's of the bus."""
    _check_scheme(url, *_BUSES)
    _check_host(url)


def check_web(url: str) -> None:
    """Raise :class:`ValueError` unless HTTP goes there."""
    _check_scheme(url, *_WEB)
    _check_host(url)


def _check_scheme(url: str, *schemes: str) -> None:
    if not url.startswith(schemes):
        raise ValueError(f"it must start with {' or '.join(schemes)}")


def _check_host(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("its host or its port is none") from None
    if not host:
        raise ValueError("it must name a host")
