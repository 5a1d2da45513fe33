"""Rates by address are those of who asks; only a proxy that is trusted says who that is."""

import httpx
import pytest

from server.app.settings import SettingsError, load_settings
from tests.servers.lifetime import Lifetime
from tests.servers.picky import start_picky

BURST = 30
ADDRESS = "X-Forwarded-For"


def sign_in(client: httpx.Client, number: int, address: str) -> int:
    form = {"handle": f"nobody_{number}", "password": "not the right one"}
    return client.post("/v1/sessions", json=form, headers={ADDRESS: address}).status_code


@pytest.mark.parametrize(("trusted", "others"), [('["127.0.0.0/8"]', 401), ("[]", 429)])
def test_a_trusted_proxy_tells_who_asks(
    private_lifetime: Lifetime, trusted: str, others: int
) -> None:
    server = start_picky(private_lifetime, rate_limits="on", trusted_proxies=trusted)
    with httpx.Client(base_url=server.url, timeout=20) as client:
        answers = [sign_in(client, number, "203.0.113.1") for number in range(BURST + 1)]
        assert (set(answers[:BURST]), answers[BURST]) == ({401}, 429)
        assert sign_in(client, BURST + 1, "203.0.113.2") == others
        assert sign_in(client, BURST + 3, "::ffff:203.0.113.1") == 429, "it is the same one"
        forged = "198.51.100.9, 203.0.113.1"
        assert sign_in(client, BURST + 2, forged) == 429, "what a client adds itself counts nothing"


def test_what_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICKY_TRUSTED_PROXIES", '["the proxy"]')
    with pytest.raises(SettingsError, match="PICKY_TRUSTED_PROXIES"):
        load_settings()
