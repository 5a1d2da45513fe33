"""Old state plus events is new state, for everybody, after each thing that somebody can do."""

from uuid import UUID

import pytest
from fastapi import FastAPI

from server.platform.clock import MovableClock
from server.platform.context import Context
from tests.realtime import actions, deals
from tests.realtime.clients import Client
from tests.realtime.conftest import Person
from tests.realtime.world import World
from tests.server.conftest import SignUpPerson
from tests.server.trades.market import Market

CASES = actions.CASES.made | deals.CASES.made
UNSEEN = {
    ("POST", "/v1/accounts"),
    ("POST", "/v1/sessions"),
    ("DELETE", "/v1/sessions/{session_id}"),
    ("PUT", "/v1/me/password"),
    ("POST", "/v1/me/export"),
    ("DELETE", "/v1/me/searches"),
    ("DELETE", "/v1/me/searches/{search_id}"),
    ("PUT", "/v1/accounts/{account_id}/follow"),
    ("DELETE", "/v1/accounts/{account_id}/follow"),
    ("POST", "/v1/realtime/tickets"),
    ("POST", "/v1/reports"),
    ("POST", "/v1/uploads"),
    ("POST", "/v1/uploads/{upload_id}/complete"),
}
"""What these change is in no bootstrap, room or trade: it is read when it is looked at."""


@pytest.fixture
def world(
    context: Context,
    clock: MovableClock,
    sign_up: SignUpPerson,
    seller: Person,
    buyer: Person,
    stranger: Person,
) -> World:
    return World(Market(context, clock, sign_up), seller, buyer, stranger)


@pytest.mark.parametrize("name", CASES)
async def test_an_action_leaves_everybody_with_the_servers_state(
    world: World, context: Context, name: str
) -> None:
    act = await CASES[name](world)
    clients = [Client(context, person) for person in world.people]
    for client in clients:
        await client.begin()
    answer = await act()
    assert answer.is_success, answer.text
    for client in clients:
        if (await client.person.get("/v1/me")).status_code != 401:
            await client.check(after=name)


def test_no_action_of_the_contract_is_without_a_case(app: FastAPI) -> None:
    covered = actions.CASES.covered | deals.CASES.covered
    in_contract = {
        (method.upper(), path)
        for path, item in app.openapi()["paths"].items()
        for method in item
        if method != "get"
    }
    assert in_contract == covered | UNSEEN
    assert not covered & UNSEEN


async def test_a_no_show_that_counts_leaves_everybody_with_the_servers_state(
    world: World, context: Context
) -> None:
    trade, _ = await deals.missed(world)
    await world.market.act(world.seller, trade, "cancel", reason="other")
    clients = [Client(context, person) for person in world.people]
    for client in clients:
        await client.begin()
    await world.market.later(hours=72)
    for client in clients:
        await client.check(after="72 h")
    assert "review" in clients[1].store.state.trades[UUID(trade["id"])].allowed_actions
