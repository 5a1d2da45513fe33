"""What the environment says of proxies: no way through one is said, never a crash."""

import ssl
from collections.abc import Callable

import pytest

from client_tui.core.api import Api, Http
from client_tui.core.errors import ServerUnreachable
from client_tui.core.line import Ended, open_line
from client_tui.core.proxies import proxy_of_line

SERVER = "https://market.example"
LINE = "wss://market.example/v1/realtime"
NAMES = ("all_proxy", "http_proxy", "https_proxy", "socks_proxy", "ws_proxy", "wss_proxy")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets proxies, and nothing else is set."""
    for name in (*NAMES, "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def set_only(**proxies: str) -> None:
        for name, value in proxies.items():
            monkeypatch.setenv(name.upper(), value)

    return set_only


@pytest.mark.parametrize(
    ("proxy", "reason"),
    [
        ("socks5h://127.0.0.1:9", "socksio and python-socks, which that needs, are not installed"),
        ("gopher://127.0.0.1:9", "names a proxy that cannot be used"),
        ("http://[::", "names a proxy that cannot be used"),
    ],
)
@pytest.mark.parametrize("name", ["all_proxy", "https_proxy"])
async def test_a_proxy_through_which_there_is_no_way_is_said_by_calls_photos_and_line(
    environment: Callable[..., None], name: str, proxy: str, reason: str
) -> None:
    environment(**{name: proxy})
    async with Api(Http(SERVER)) as api:
        with pytest.raises(ServerUnreachable, match=reason):
            await api.market()
        with pytest.raises(ServerUnreachable, match=reason):
            await api.http.store.put("https://photos.example/1")
    with pytest.raises(Ended, match=reason):
        await open_line(SERVER, "token")


async def test_a_server_that_is_exempt_is_reached_past_any_proxy(
    environment: Callable[..., None],
) -> None:
    environment(all_proxy="socks5h://127.0.0.1:9", no_proxy="0.0.0.0")
    async with Http("https://0.0.0.0:1", chance=lambda: 0.0) as http:
        with pytest.raises(ServerUnreachable, match="nothing is listening there"):
            await http.call("POST", "/v1/accounts")
    assert proxy_of_line("wss://0.0.0.0:1/v1/realtime") is None


async def test_this_machine_is_reached_past_any_proxy(environment: Callable[..., None]) -> None:
    environment(all_proxy="socks5h://127.0.0.1:9")
    async with Http("http://127.0.0.1:1", chance=lambda: 0.0) as http:
        with pytest.raises(ServerUnreachable, match="nothing is listening there"):
            await http.call("POST", "/v1/accounts")
    assert proxy_of_line("ws://127.0.0.1:1/v1/realtime") is None


async def test_a_certificate_that_is_refused_is_no_matter_of_proxies(
    environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is a ValueError too."""
    environment()

    async def refuse(*_: object, **__: object) -> None:
        raise ssl.SSLCertVerificationError(1, "certificate verify failed")

    monkeypatch.setattr("client_tui.core.line.connect", refuse)
    with pytest.raises(Ended, match="the server was not reached"):
        await open_line(SERVER, "token")


def test_the_line_goes_by_the_proxy_by_which_everything_goes(
    environment: Callable[..., None],
) -> None:
    environment(all_proxy="http://proxy.example:3128")
    assert proxy_of_line(LINE) == "http://proxy.example:3128"
    environment(wss_proxy="http://other.example:3128")
    assert proxy_of_line(LINE) is True
