"""No input gives a 500, with a token or without: the served OpenAPI, fuzzed."""

import os
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from server.platform.clock import MovableClock, SystemClock
from server.platform.context import Context
from tests.server.conftest import PASSWORD, SignUpPerson
from tests.server.trades.market import Market, done
from tests.servers.lifetime import Lifetime
from tests.servers.picky import start_picky

GOOD, BAD = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
Operation: TypeAlias = schemathesis.APIOperation[Any, Any, Any, Any]
Case: TypeAlias = schemathesis.Case[Any]
PATIENCE_S = 60
SEED_VARIABLE = "PICKY_FUZZ_SEED"
"""Set it to the number that a failed run printed, and the same requests are sent again."""
ENDS_THE_TOKEN = {("DELETE", "/v1/me"), ("DELETE", "/v1/sessions/{session_id}")}
"""With these the account would be gone; each has tests of its own."""


@dataclass(frozen=True)
class Fuzzer:
    """Sends generated requests as somebody who has rooms, trades, offers and listings."""

    url: str
    session: requests.Session
    ids: Mapping[str, Sequence[str]]
    """What there is on the market, by the names of the paths' parameters."""
    answers: Counter[int]
    seed: int

    def send(
        self,
        operation: Operation,
        mode: GenerationMode,
        token: str | None,
        examples: int,
    ) -> None:
        """So many requests to one operation; with a token, half of them about things that exist."""

        @settings(
            max_examples=examples,
            database=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
        def run(case: Case, data: st.DataObject) -> None:
            if token is not None and data.draw(st.booleans()):
                self.aim(case, data)
            request = case.as_transport_kwargs(base_url=self.url)
            if token is not None:
                request["headers"]["Authorization"] = f"Bearer {token}"
            answer = self.session.request(**request, timeout=PATIENCE_S, allow_redirects=False)
            assert answer.status_code < 500, f"{request}\n{answer.text}"
            self.answers[answer.status_code] += 1

        seed(self.seed)(run)()

    def aim(self, case: Case, data: st.DataObject) -> None:
        """Put things that exist into the path and the body."""
        body: Any = case.body
        for values in (case.path_parameters, body):
            for name in list(values) if isinstance(values, dict) else ():
                if name in self.ids:
                    values[name] = data.draw(st.sampled_from(self.ids[name]))
                if name == "expected_version":
                    values[name] = data.draw(st.integers(1, 4))


@pytest.fixture
def clock() -> MovableClock:
    """The market is filled now, for a server whose clock is the machine's."""
    return MovableClock(SystemClock().now())


@pytest.fixture
async def seller(context: Context, clock: MovableClock, sign_up: SignUpPerson) -> str:
    """The handle of somebody with an offer, a meeting, an open trade and a review to answer."""
    market = Market(context, clock, sign_up)
    deal = await market.deal()
    done_deal = await market.deal_with(deal.seller, deal.buyer)
    trade = await market.completed(done_deal)
    for person in (deal.seller, deal.buyer):
        await done(person.post(f"/v1/trades/{trade['id']}/review", {"rating": 5}))
    await market.reserved(await market.deal_with(deal.seller, deal.buyer))
    room = f"/v1/chatrooms/{deal.room_id}"
    await done(deal.buyer.post(f"{room}/offers", {"amount": 90_000}))
    soon = (clock.now() + timedelta(days=1)).isoformat()
    await done(deal.buyer.post(f"{room}/appointments", {"at": soon, "place": "Mapo station"}))
    return deal.seller.handle


def things_of(client: httpx.Client) -> dict[str, list[str]]:
    """The ids of what the client's account can see."""

    def read(path: str) -> Any:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ids(items: Sequence[Any]) -> list[str]:
        return [item["id"] for item in items if item is not None]

    state = read("/v1/sync/bootstrap")
    me = state["account"]["id"]
    rooms = [read(f"/v1/chatrooms/{room}") for room in ids(state["chatrooms"])]
    found = {
        "account_id": [*{room["other"]["id"]: None for room in rooms}, me],
        "listing_id": ids(read(f"/v1/accounts/{me}/listings")["items"])
        + ids(read("/v1/listings")["items"]),
        "room_id": ids(rooms),
        "offer_id": ids([room["offer"] for room in rooms]),
        "appointment_id": ids([room["appointment"] for room in rooms]),
        "trade_id": ids(state["trades"]),
        "review_id": ids(read(f"/v1/accounts/{me}/reviews")["items"]),
        "seq": ["1", "2", "3", "20"],
        "up_to_id": ids(read("/v1/notifications")["items"]),
    }
    assert all(found.values()), found
    return found | {"chatroom_id": found["room_id"], "target_id": found["listing_id"]}


def takes_input(operation: Operation) -> bool:
    """Whether there is anything that could be bad."""
    return any(operation.iter_parameters()) or bool(list(operation.body))


@pytest.mark.timeout(240)
def test_no_input_gives_a_500(private_lifetime: Lifetime, database_url: str, seller: str) -> None:
    number = int(os.environ.get(SEED_VARIABLE) or secrets.randbits(32))
    print(f"{SEED_VARIABLE}={number}")
    server = start_picky(private_lifetime, database_url=database_url)
    who = {"handle": seller, "password": PASSWORD}
    token = httpx.post(f"{server.url}/v1/sessions", json=who, timeout=PATIENCE_S).json()["token"]
    signed_in = {"Authorization": f"Bearer {token}"}
    with (
        httpx.Client(base_url=server.url, headers=signed_in, timeout=PATIENCE_S) as client,
        requests.Session() as session,
    ):
        fuzzer = Fuzzer(server.url, session, things_of(client), Counter(), number)
        schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json", timeout=PATIENCE_S)
        operations: list[Operation] = [
            found.ok()  # type: ignore[union-attr]
            for found in schema.get_all_operations()
        ]
        assert len(operations) > 50
        for operation in operations:
            fuzzer.send(operation, GOOD, None, 1)
            if (operation.method.upper(), operation.path) in ENDS_THE_TOKEN:
                continue
            fuzzer.send(operation, GOOD, token, 7)
            if takes_input(operation):
                fuzzer.send(operation, BAD, token, 4)
    assert {200, 201, 204, 401, 404, 409, 422} <= set(fuzzer.answers)
    assert "Traceback" not in server.log.read_text()
