"""Server addresses as people write them, made into the URLs that are called."""

from urllib.parse import urlsplit

from client_tui.core.errors import BadServerAddress

_LOOPBACK = frozenset({"localhost", "::1"})


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine."""
    return host in _LOOPBACK or host.startswith("127.")


def server_address(text: str) -> str:
    """``https://host[:port]`` without a slash at the end; a bare name gets the fitting scheme.

    Raises :class:`BadServerAddress`: passwords and tokens go unencrypted to this machine only.
    """
    written = text.strip().rstrip("/")
    try:
        parts = urlsplit(written if "://" in written else f"//{written}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise BadServerAddress(
            f"{written or 'An empty text'} is no server address; write one like https://market.example."
        )
    scheme = parts.scheme or ("http" if is_loopback(host) else "https")
    if scheme not in ("http", "https") or parts.path or parts.query or parts.username:
        raise BadServerAddress(
            f"{written} is no server address; write only scheme, name and port, "
            "like https://market.example:8443."
        )
    if scheme == "http" and not is_loopback(host):
        raise BadServerAddress(
            f"{written} would send your password unencrypted. Use https:// "
            "(http:// is for this machine only)."
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + (f":{port}" if port is not None else "")


def realtime_url(server: str) -> str:
    """The websocket's URL on a server."""
    return "ws" + server.removeprefix("http") + "/v1/realtime"
