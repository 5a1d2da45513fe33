import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from client_tui.core.api import Api, Http, every
from client_tui.core.errors import (
    BadServerAddress,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    ServerFailed,
    ServerUnreachable,
    Stale,
    TooFast,
    Unauthenticated,
    UnreadableAnswer,
)
from shared_models.accounts import AccountPatch
from shared_models.listings import ListingFilter, ListingPatch, ListingState
from shared_models.market import Condition
from tests.client.core.fakes import LISTING, ROOM, FakeClock, account, card

Answers = list[httpx.Response | Exception]
KEY = uuid4()


class Hasty(FakeClock):
    """Waits are over at once and remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


class Wire:
    """Answers one after the other, and what was asked."""

    def __init__(self, answers: Answers) -> None:
        self.asked: list[httpx.Request] = []
        self.clock = Hasty()
        self._answers = answers
        transport = httpx.MockTransport(self._answer)
        self.http = Http(
            "https://market.example",
            "token",
            transport=transport,
            clock=self.clock,
            chance=lambda: 1.0,
        )
        self.api = Api(self.http)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def page(*titles: str, cursor: str | None = None) -> httpx.Response:
    items = [card(title=title).model_dump(mode="json") for title in titles]
    return httpx.Response(200, json={"items": items, "next_cursor": cursor})


def problem(status: int, **fields: Any) -> httpx.Response:
    body = {"title": "No", "status": status, "detail": "Told.", "code": "why"} | fields
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json"})


async def test_the_token_goes_with_every_call() -> None:
    wire = Wire([httpx.Response(200, json=account().model_dump(mode="json"))])
    assert (await wire.api.me()).handle == "me"
    assert wire.asked[0].headers["authorization"] == "Bearer token"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, Unauthenticated),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (412, Stale),
        (413, Invalid),
        (422, Invalid),
        (429, TooFast),
        (500, ServerFailed),
    ],
)
async def test_a_problem_becomes_an_error_of_its_kind(status: int, kind: type[Refused]) -> None:
    wire = Wire([problem(status, current={"version": 3})])
    with pytest.raises(kind) as refused:
        await wire.api.me()
    error = refused.value
    assert (error.status, error.code, error.detail) == (status, "why", "Told.")
    assert error.current == {"version": 3}


async def test_field_errors_are_found_by_their_field() -> None:
    errors = [{"field": "title", "code": "too_short", "message": "Two characters or more."}]
    with pytest.raises(Invalid) as refused:
        await Wire([problem(422, errors=errors)]).api.me()
    assert refused.value.field("title") == "Two characters or more."
    assert refused.value.field("price") is None


async def test_an_error_page_of_something_else_is_still_an_error() -> None:
    answer = httpx.Response(429, text="<h1>slow</h1>", headers={"retry-after": "7"})
    with pytest.raises(TooFast) as refused:
        await Wire([answer]).api.me()
    assert refused.value.retry_after_s == 7
    assert refused.value.code == "http_429"


async def test_a_page_for_people_is_no_answer() -> None:
    welcome = httpx.Response(200, html="<h1>Welcome to nginx</h1>")
    with pytest.raises(ServerUnreachable, match="no Picky server"):
        await Wire([welcome]).api.me()


async def test_an_answer_of_another_shape_is_called_that() -> None:
    with pytest.raises(UnreadableAnswer):
        await Wire([httpx.Response(200, json={"hello": 1})]).api.me()
    with pytest.raises(UnreadableAnswer):
        await Wire([httpx.Response(200, json=[])]).api.listings()


async def test_reads_are_tried_three_times_when_the_line_breaks() -> None:
    wire = Wire([httpx.ReadError("cut"), problem(503), page("chair")])
    found = await wire.api.listings()
    assert [item.title for item in found.items] == ["chair"]
    assert wire.clock.waits == [0.4, 0.8]
    with pytest.raises(ServerUnreachable):
        await Wire([httpx.ReadTimeout("slow")] * 3).api.listings()


async def test_what_one_waits_for_gives_up_sooner_than_what_changes_something() -> None:
    wire = Wire([page(), httpx.Response(204)])
    await wire.api.listings(ListingFilter())
    await wire.http.call("POST", "/any")
    read, write = (asked.extensions["timeout"]["read"] for asked in wire.asked)
    assert read < write == 30.0


async def test_what_a_lost_answer_had_deleted_is_deleted() -> None:
    await Wire([httpx.ReadError("cut"), problem(404)]).api.delete_listing(LISTING)
    with pytest.raises(NotFound):
        await Wire([problem(404)]).api.delete_listing(LISTING)


async def test_a_post_is_repeated_with_the_same_key_and_body() -> None:
    wire = Wire([httpx.ReadError("cut"), problem(409)])
    with pytest.raises(Conflict):
        await wire.api.open_room(LISTING)
    first, second = wire.asked
    assert UUID(first.headers["idempotency-key"])
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.content == second.content


async def test_two_calls_are_two_intents_unless_the_caller_says_otherwise() -> None:
    wire = Wire([problem(409)] * 4)
    for key in (None, None, KEY, KEY):
        with pytest.raises(Conflict):
            await wire.api.accept_offer(LISTING, key=key)
    keys = [asked.headers["idempotency-key"] for asked in wire.asked]
    assert keys[0] != keys[1]
    assert keys[2] == keys[3] == str(KEY)


async def test_a_patch_whose_answer_was_lost_is_not_repeated() -> None:
    """Its second try would find the version moved on by its first."""
    wire = Wire([httpx.ReadError("cut")])
    with pytest.raises(ServerUnreachable):
        await wire.api.update_listing(LISTING, ListingPatch(title="Chair"), version=3)
    assert wire.asked[0].headers["if-match"] == '"3"'


async def test_what_was_never_sent_is_tried_again_whatever_it_is() -> None:
    wire = Wire([httpx.ConnectError("no"), problem(412)])
    with pytest.raises(Stale):
        await wire.api.update_listing(LISTING, ListingPatch(title="Chair"), version=3)


async def test_a_patch_says_only_what_changes() -> None:
    wire = Wire([problem(422), problem(422)])
    with pytest.raises(Invalid):
        await wire.api.update_me(AccountPatch(place=None))
    assert json.loads(wire.asked[0].content) == {"place": None}


async def test_a_filter_becomes_the_query_of_the_contract() -> None:
    wire = Wire([page()])
    wanted = ListingFilter(
        q="의자 -desk",
        condition=(Condition.NEW, Condition.GOOD),
        negotiable=True,
        max_price=50_000,
        state=ListingState.SOLD,
    )
    await wire.api.listings(wanted, cursor="abc", limit=5)
    query = wire.asked[0].url.params
    assert query.get_list("condition") == ["new", "good"]
    assert (query["q"], query["negotiable"], query["max_price"]) == ("의자 -desk", "true", "50000")
    assert (query["state"], query["cursor"], query["limit"]) == ("sold", "abc", "5")
    assert "min_price" not in query


async def test_a_list_is_read_page_after_page_and_no_further_than_wanted() -> None:
    wire = Wire([page("a", "b", cursor="2"), page("c", "d", cursor="3")])
    found = [
        item.title async for item in every(lambda cursor: wire.api.listings(cursor=cursor), limit=3)
    ]
    assert found == ["a", "b", "c"]
    assert [asked.url.params.get("cursor") for asked in wire.asked] == [None, "2"]


async def test_raw_items_stop_at_the_limit_or_the_end() -> None:
    wire = Wire([page("a", cursor="2"), page("b")])
    found = [item["title"] async for item in wire.http.items("/v1/listings", {}, limit=150)]
    assert found == ["a", "b"]
    assert [asked.url.params["limit"] for asked in wire.asked] == ["100", "100"]


async def test_a_photo_is_fetched_from_the_store_without_the_token() -> None:
    there = "https://store.example/photos/1?signature=x"
    wire = Wire(
        [httpx.Response(302, headers={"location": there}), httpx.Response(200, content=b"p")]
    )
    assert await wire.api.photo("/v1/photos/1/thumb") == b"p"
    first, second = wire.asked
    assert first.headers["authorization"] == "Bearer token"
    assert str(second.url) == there
    assert "authorization" not in second.headers


async def test_a_store_on_the_same_host_gets_no_token_either() -> None:
    wire = Wire(
        [
            httpx.Response(302, headers={"location": "/object-store/1?signature=x"}),
            httpx.Response(200, content=b"p"),
        ]
    )
    await wire.api.photo("/v1/photos/1/thumb")
    assert str(wire.asked[1].url) == "https://market.example/object-store/1?signature=x"
    assert "authorization" not in wire.asked[1].headers


@pytest.mark.parametrize(
    ("written", "called"),
    [
        ("market.example", "https://market.example"),
        ("https://market.example/", "https://market.example"),
        ("https://market.example:8443", "https://market.example:8443"),
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("  HTTPS://Market.Example  ", "https://market.example"),
    ],
)
def test_addresses_are_understood_as_people_write_them(written: str, called: str) -> None:
    assert Http(written).server == called


@pytest.mark.parametrize(
    "written",
    [
        "",
        "http://market.example",
        "ftp://market.example",
        "https://market.example/shop",
        "https://me:secret@market.example",
        "https://market.example?x=1",
        "http://[::1",
        "localhost:99999",
    ],
)
def test_an_address_that_cannot_be_used_or_is_unsafe_is_refused(written: str) -> None:
    with pytest.raises(BadServerAddress):
        Http(written)


Call = Callable[[Api], Awaitable[object]]
ROUTES: list[tuple[Call, str]] = [
    (lambda api: api.market(), "GET /v1/market"),
    (lambda api: api.sessions(), "GET /v1/sessions"),
    (lambda api: api.end_session(), "DELETE /v1/sessions/current"),
    (lambda api: api.end_session(ROOM), f"DELETE /v1/sessions/{ROOM}"),
    (lambda api: api.delete_me(), "DELETE /v1/me"),
    (lambda api: api.request_export(), "POST /v1/me/export"),
    (lambda api: api.export(), "GET /v1/me/export"),
    (lambda api: api.profile(ROOM), f"GET /v1/accounts/{ROOM}"),
    (lambda api: api.reviews(ROOM), f"GET /v1/accounts/{ROOM}/reviews"),
    (lambda api: api.account_listings(ROOM), f"GET /v1/accounts/{ROOM}/listings"),
    (lambda api: api.blocks(), "GET /v1/me/blocks"),
    (lambda api: api.block(ROOM, cancel_trade=True), f"PUT /v1/accounts/{ROOM}/block"),
    (lambda api: api.unblock(ROOM), f"DELETE /v1/accounts/{ROOM}/block"),
    (lambda api: api.follow(ROOM), f"PUT /v1/accounts/{ROOM}/follow"),
    (lambda api: api.unfollow(ROOM), f"DELETE /v1/accounts/{ROOM}/follow"),
    (lambda api: api.complete_upload(ROOM), f"POST /v1/uploads/{ROOM}/complete"),
    (lambda api: api.upload(ROOM), f"GET /v1/uploads/{ROOM}"),
    (lambda api: api.listing(ROOM), f"GET /v1/listings/{ROOM}"),
    (lambda api: api.delete_listing(ROOM), f"DELETE /v1/listings/{ROOM}"),
    (lambda api: api.like(ROOM), f"PUT /v1/listings/{ROOM}/like"),
    (lambda api: api.unlike(ROOM), f"DELETE /v1/listings/{ROOM}/like"),
    (lambda api: api.bump(ROOM), f"POST /v1/listings/{ROOM}/bump"),
    (lambda api: api.sold_elsewhere(ROOM), f"POST /v1/listings/{ROOM}/sold-elsewhere"),
    (lambda api: api.undo_sold_elsewhere(ROOM), f"POST /v1/listings/{ROOM}/undo-sold-elsewhere"),
    (lambda api: api.hide(ROOM), f"POST /v1/listings/{ROOM}/hide"),
    (lambda api: api.unhide(ROOM), f"POST /v1/listings/{ROOM}/unhide"),
    (lambda api: api.likes(), "GET /v1/me/likes"),
    (lambda api: api.recently_viewed(), "GET /v1/me/recently-viewed"),
    (lambda api: api.open_room(LISTING), "POST /v1/chatrooms"),
    (lambda api: api.rooms(), "GET /v1/chatrooms"),
    (lambda api: api.room(ROOM), f"GET /v1/chatrooms/{ROOM}"),
    (lambda api: api.messages(ROOM, before=9), f"GET /v1/chatrooms/{ROOM}/messages"),
    (lambda api: api.delete_message(ROOM, 4), f"DELETE /v1/chatrooms/{ROOM}/messages/4"),
    (lambda api: api.mark_read(ROOM, 4), f"PUT /v1/chatrooms/{ROOM}/read"),
    (lambda api: api.mute(ROOM), f"PUT /v1/chatrooms/{ROOM}/mute"),
    (lambda api: api.unmute(ROOM), f"DELETE /v1/chatrooms/{ROOM}/mute"),
    (lambda api: api.leave(ROOM), f"POST /v1/chatrooms/{ROOM}/leave"),
    (lambda api: api.search_messages("hi"), "GET /v1/messages/search"),
    (lambda api: api.make_offer(ROOM, 5), f"POST /v1/chatrooms/{ROOM}/offers"),
    (lambda api: api.accept_offer(ROOM), f"POST /v1/offers/{ROOM}/accept"),
    (lambda api: api.decline_offer(ROOM), f"POST /v1/offers/{ROOM}/decline"),
    (lambda api: api.counter_offer(ROOM, 5), f"POST /v1/offers/{ROOM}/counter"),
    (lambda api: api.withdraw_offer(ROOM), f"POST /v1/offers/{ROOM}/withdraw"),
    (lambda api: api.accept_appointment(ROOM), f"POST /v1/appointments/{ROOM}/accept"),
    (lambda api: api.cancel_appointment(ROOM), f"POST /v1/appointments/{ROOM}/cancel"),
    (lambda api: api.report_no_show(ROOM), f"POST /v1/appointments/{ROOM}/no-show"),
    (lambda api: api.contest_no_show(ROOM), f"POST /v1/appointments/{ROOM}/contest"),
    (lambda api: api.trades(role="seller"), "GET /v1/trades"),
    (lambda api: api.trade(ROOM), f"GET /v1/trades/{ROOM}"),
    (lambda api: api.confirm(ROOM, 1), f"POST /v1/trades/{ROOM}/confirm"),
    (lambda api: api.undo(ROOM, 1), f"POST /v1/trades/{ROOM}/undo"),
    (lambda api: api.cancel(ROOM, 1, "other"), f"POST /v1/trades/{ROOM}/cancel"),
    (lambda api: api.ship(ROOM, 1, "cj", "123456"), f"POST /v1/trades/{ROOM}/ship"),
    (lambda api: api.report_problem(ROOM, 1, "other", "x"), f"POST /v1/trades/{ROOM}/problem"),
    (lambda api: api.withdraw_problem(ROOM, 1), f"POST /v1/trades/{ROOM}/withdraw-problem"),
    (lambda api: api.consent_to_cancel(ROOM, 1), f"POST /v1/trades/{ROOM}/consent-cancel"),
    (lambda api: api.answer_review(ROOM, "hm"), f"POST /v1/reviews/{ROOM}/answer"),
    (lambda api: api.notifications(), "GET /v1/notifications"),
    (lambda api: api.read_notifications(ROOM), "PUT /v1/notifications/read"),
    (lambda api: api.bootstrap(), "GET /v1/sync/bootstrap"),
    (lambda api: api.ticket(), "POST /v1/realtime/tickets"),
]


@pytest.mark.parametrize(("call", "route"), ROUTES, ids=[route for _, route in ROUTES])
async def test_each_method_calls_its_endpoint(call: Call, route: str) -> None:
    wire = Wire([problem(404)])
    with pytest.raises(NotFound):
        await call(wire.api)
    assert f"{wire.asked[0].method} {wire.asked[0].url.path}" == route
    keyed = "idempotency-key" in wire.asked[0].headers
    assert keyed == (route.startswith("POST") and "tickets" not in route)


async def test_what_is_invalid_before_it_is_sent_is_refused_in_the_same_words() -> None:
    wire = Wire([])
    with pytest.raises(Invalid) as refused:
        await wire.api.make_offer(ROOM, -1)
    assert refused.value.field("amount")
    with pytest.raises(Invalid) as refused:
        await wire.api.ship(ROOM, 1, "cj", "?")
    assert refused.value.field("tracking_number") == (
        "A tracking number has 6 to 40 letters and digits."
    )
    assert wire.asked == []
