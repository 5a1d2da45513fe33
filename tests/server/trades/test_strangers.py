"""A stranger finds none of what is between two others: 404 on every route that names it."""

from typing import Any

import httpx
from fastapi import APIRouter
from fastapi.routing import APIRoute

from server.notifications import routes as notification_routes
from server.trades import routes
from tests.server.conftest import problem
from tests.server.trades.market import Market, done

NOBODY = "019a0000-0000-7000-8000-000000000000"
BODIES: dict[str, dict[str, Any]] = {
    "/offers": {"amount": 90_000},
    "/counter": {"amount": 95_000},
    "/appointments": {"at": "2026-03-05T10:00:00Z", "place": "Mapo station"},
    "/cancel": {"expected_version": 1, "reason": "price"},
    "/ship": {"expected_version": 1, "carrier": "cj", "tracking_number": "123456"},
    "/problem": {"expected_version": 1, "reason": "damaged", "detail": "It is broken."},
    "/review": {"rating": 5},
    "/answer": {"text": "Thanks"},
    "/trades": {"chatroom_id": NOBODY, "expected_price": 1},
    "/reports": {"target_kind": "account", "target_id": NOBODY, "reason": "spam"},
    "/read": {"up_to_id": NOBODY},
}


def routes_of(*routers: APIRouter) -> list[tuple[str, str]]:
    """Method and path of every route."""
    return [
        (method, route.path)
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]


def body_for(path: str) -> dict[str, Any]:
    """A good body for a route."""
    return BODIES.get(path[path.rindex("/") :], {"expected_version": 1})


async def test_a_stranger_gets_404_on_every_route_that_names_something(market: Market) -> None:
    deal = await market.deal()
    sold = await market.completed(await market.deal_with(deal.seller, deal.buyer))
    review = await done(deal.buyer.post(f"/v1/trades/{sold['id']}/review", {"rating": 5}))
    offer = await done(deal.buyer.post(f"/v1/chatrooms/{deal.room_id}/offers", {"amount": 90_000}))
    meeting = await done(
        deal.buyer.post(f"/v1/chatrooms/{deal.room_id}/appointments", BODIES["/appointments"])
    )
    trade = await market.reserved(deal)
    ids = {
        "room_id": deal.room_id,
        "offer_id": offer["id"],
        "appointment_id": meeting["id"],
        "trade_id": trade["id"],
        "review_id": review["id"],
    }
    stranger = await market.person("stranger")
    named = [
        (method, path)
        for method, path in routes_of(routes.router)
        if "{" in path and "{account_id}" not in path
    ]
    assert len(named) > 15
    for method, path in named:
        answer = await stranger.request(method, path.format_map(ids), json=body_for(path))
        problem(answer, 404, "not_found")
    assert (await done(stranger.get("/v1/trades")))["items"] == []
    assert (await market.trade(deal.buyer, trade["id"]))["version"] == trade["version"]


async def test_a_stranger_reserves_in_nobodys_room(market: Market) -> None:
    deal = await market.deal()
    stranger = await market.person("stranger")
    body = {"chatroom_id": deal.room_id, "expected_price": 100_000}
    problem(await stranger.post("/v1/trades", body), 404, "not_found")
    problem(await deal.buyer.post("/v1/trades", body), 403, "wrong_role")


async def test_somebody_elses_notice_is_not_there(market: Market) -> None:
    deal = await market.deal()
    await market.reserved(deal)
    notice = (await market.notices(deal.buyer))[0]
    body = {"up_to_id": notice["id"]}
    problem(await deal.seller.put("/v1/notifications/read", body), 404, "not_found")


async def test_nothing_is_done_without_a_token(client: httpx.AsyncClient) -> None:
    names = ("room_id", "offer_id", "appointment_id", "trade_id", "review_id", "account_id")
    for method, path in routes_of(routes.router, notification_routes.router):
        answer = await client.request(
            method, path.format_map(dict.fromkeys(names, NOBODY)), json=body_for(path)
        )
        problem(answer, 401, "unauthenticated")
