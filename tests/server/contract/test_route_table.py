"""What every route of the server keeps, taken from the route table so that none is forgotten."""

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from server.platform.clock import MovableClock
from server.platform.context import Context
from tests.server.conftest import SignUpPerson, problem
from tests.server.trades.market import Market, done

OPEN_TO_ALL = {("GET", "/v1/market"), ("POST", "/v1/accounts"), ("POST", "/v1/sessions")}
PUBLIC = {"account_id", "listing_id", "photo_id"}
"""Objects that anybody signed in may see while they are shown."""
NOBODY = "019a0000-0000-7000-8000-000000000000"
BODIES: dict[str, dict[str, Any]] = {
    "/messages": {"cid": NOBODY, "text": "hello"},
    "/offers": {"amount": 90_000},
    "/counter": {"amount": 95_000},
    "/appointments": {"at": "2026-03-05T10:00:00Z", "place": "Mapo station"},
    "/cancel": {"expected_version": 1, "reason": "price"},
    "/ship": {"expected_version": 1, "carrier": "cj", "tracking_number": "123456"},
    "/problem": {"expected_version": 1, "reason": "damaged", "detail": "It is broken."},
    "/review": {"rating": 5},
    "/answer": {"text": "Thanks"},
    "/read": {"seq": 1},
}


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path of every route of the contract."""
    paths = app.openapi()["paths"]
    return [(method.upper(), path) for path, item in paths.items() for method in item]


def body_for(path: str) -> dict[str, Any]:
    """A good body for a route."""
    return BODIES.get(path[path.rindex("/") :], {"expected_version": 1})


@pytest.fixture
def market(context: Context, clock: MovableClock, sign_up: SignUpPerson) -> Market:
    """A market with nobody on it yet."""
    return Market(context, clock, sign_up)


async def test_without_a_token_every_route_but_three_is_401(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    refused = 0
    for method, path in routes(app):
        if (method, path) in OPEN_TO_ALL:
            continue
        url = re.sub(r"\{seq\}", "1", path)
        url = re.sub(r"\{\w+\}", NOBODY, url)
        for headers in (
            {},
            {"Authorization": "Bearer " + "x" * 43},
            {"Authorization": "Basic eA=="},
        ):
            answer = await client.request(method, url, headers=headers, json=body_for(path))
            problem(answer, 401, "unauthenticated")
            refused += 1
    assert refused > 100


async def test_a_stranger_gets_404_wherever_an_id_is_not_theirs(
    app: FastAPI, market: Market
) -> None:
    deal = await market.deal()
    sold = await market.completed(await market.deal_with(deal.seller, deal.buyer))
    reviewed = await done(deal.buyer.post(f"/v1/trades/{sold['id']}/review", BODIES["/review"]))
    offer = await done(deal.buyer.post(f"/v1/chatrooms/{deal.room_id}/offers", {"amount": 90_000}))
    meeting = await done(
        deal.buyer.post(f"/v1/chatrooms/{deal.room_id}/appointments", BODIES["/appointments"])
    )
    trade = await market.reserved(deal)
    await deal.buyer.get("/v1/listings?q=camera")
    past = (await done(deal.buyer.get("/v1/me/searches")))["items"]
    photo = {"name": "a.png", "content_type": "image/png", "size": 10, "sha256": "0" * 64}
    uploads = await done(deal.seller.post("/v1/uploads", {"purpose": "message", "files": [photo]}))
    ids = {
        "room_id": deal.room_id,
        "offer_id": offer["id"],
        "appointment_id": meeting["id"],
        "trade_id": trade["id"],
        "review_id": reviewed["id"],
        "upload_id": uploads["uploads"][0]["id"],
        "session_id": str(deal.seller.session_id),
        "search_id": past[0]["id"] if past else NOBODY,
        "seq": "1",
    }
    stranger = await market.person("stranger")
    private = 0
    for method, path in routes(app):
        names = set(re.findall(r"\{(\w+)\}", path))
        if not names or names & PUBLIC:
            continue
        assert names <= set(ids), f"{path} names something this test does not know"
        answer = await stranger.request(method, path.format_map(ids), json=body_for(path))
        problem(answer, 404, "not_found")
        private += 1
    assert private > 25
    assert (await market.trade(deal.buyer, trade["id"]))["version"] == trade["version"]
    # Once published, everybody sees the review, and the one it is about may answer it.
    await done(deal.seller.post(f"/v1/trades/{sold['id']}/review", BODIES["/review"]))
    path = f"/v1/reviews/{reviewed['id']}/answer"
    problem(await stranger.post(path, BODIES["/answer"]), 403, "wrong_role")
    await done(deal.seller.post(path, BODIES["/answer"]))


async def test_the_public_profile_and_listing_routes_hide_what_is_not_there(
    app: FastAPI, market: Market
) -> None:
    visitor = await market.person("visitor")
    for method, path in routes(app):
        names = set(re.findall(r"\{(\w+)\}", path))
        if names and names <= PUBLIC:
            url = path.format_map(dict.fromkeys(names, NOBODY))
            headers = {"If-Match": '"1"'} if method == "PATCH" else {}
            answer = await visitor.request(method, url, headers=headers, json=body_for(path))
            problem(answer, 404, "not_found")
