"""A server whose disk is full, its log's disk too: it refuses for the moment and loses nothing."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.servers.lifetime import Lifetime
from tests.servers.picky import PickyServer, start_picky


def account(handle: str) -> dict[str, str]:
    return {"handle": handle, "password": "a password that nobody guesses", "display_name": "me"}


@contextmanager
def full_disk(server: PickyServer) -> Iterator[None]:
    """No file of the process takes another byte."""
    none = (0, resource.RLIM_INFINITY)
    before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE, none)
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before)


def test_a_server_with_a_full_disk_says_try_again_and_then_goes_on(
    private_lifetime: Lifetime,
) -> None:
    server = start_picky(private_lifetime)
    with httpx.Client(base_url=server.url, timeout=30) as client:
        token = client.post("/v1/accounts", json=account("seller")).json()["token"]
        reader = {"Authorization": f"Bearer {token}"}
        with full_disk(server):
            refused = client.post("/v1/accounts", json=account("buyer"))
            assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
            assert refused.json()["retryable"]
            assert client.get("/v1/me", headers=reader).status_code == 200
        assert client.post("/v1/accounts", json=account("buyer")).status_code == 201
