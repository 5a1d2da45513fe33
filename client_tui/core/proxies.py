"""The proxies that the environment names: the same for HTTP and for the websocket."""

from typing import Final, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from client_tui.core.address import is_loopback

_KNOWN_TO_WEBSOCKETS: Final = frozenset({"wss", "socks", "https"})


def proxy_of_line(url: str) -> str | Literal[True] | None:
    """What ``websockets`` is to take for a URL; True lets it look itself.

    It does not look at ``ALL_PROXY``, by which everything else goes.
    """
    address = urlsplit(url)
    if is_loopback(address.hostname or ""):
        return None
    proxies = getproxies()
    if "all" in proxies and not proxies.keys() & _KNOWN_TO_WEBSOCKETS:
        return None if proxy_bypass(address.netloc) else proxies["all"]
    return True


def trouble_with(error: Exception) -> str:
    """Why there is no way through the proxy that the environment names."""
    if isinstance(error, ImportError):
        return (
            "the environment names a SOCKS proxy, and the packages socksio and python-socks, "
            "which that needs, are not installed"
        )
    return f"the environment names a proxy that cannot be used: {error}"
