"""No input gives a 500, with a token or without: the served OpenAPI, fuzzed."""

from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok

from tests.servers.picky import PickyServer

EXAMPLES = 6
ENDS_THE_TOKEN = {("DELETE", "/v1/me"), ("DELETE", "/v1/sessions/{session_id}")}
"""With these the account would be gone; each has tests of its own."""
_QUICK = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def token_of(server: PickyServer) -> str:
    """The token of a new account."""
    body = {"handle": "fuzzer", "password": "correct horse battery", "display_name": "Fuzzer"}
    answer = httpx.post(f"{server.url}/v1/accounts", json=body)
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["token"]
    return token


@pytest.mark.timeout(240)
def test_no_input_gives_a_500(picky_server: PickyServer) -> None:
    schema = schemathesis.openapi.from_url(f"{picky_server.url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) > 50
    token = token_of(picky_server)
    sent = 0
    with requests.Session() as session:
        for operation in operations:
            if (operation.method.upper(), operation.path) not in ENDS_THE_TOKEN:
                sent += fuzz(session, picky_server.url, operation, None)
                sent += fuzz(session, picky_server.url, operation, token)
    assert sent > EXAMPLES * len(operations)


def fuzz(
    session: requests.Session,
    url: str,
    operation: schemathesis.APIOperation[Any, Any, Any, Any],
    token: str | None,
) -> int:
    """Send generated input to one operation; how many requests there were."""
    sent = 0

    @_QUICK
    @given(case=operation.as_strategy())
    def run(case: schemathesis.Case[Any]) -> None:
        nonlocal sent
        request = case.as_transport_kwargs(base_url=url)
        if token is not None:
            request["headers"]["Authorization"] = f"Bearer {token}"
        answer = session.request(**request, timeout=20, allow_redirects=False)
        assert answer.status_code < 500, f"{request}\n{answer.text}"
        sent += 1

    run()
    return sent
