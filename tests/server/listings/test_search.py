"""Rule 8: text, filters and orders, the same on both databases."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from server.listings.tables import Listing
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.unit_of_work import UnitOfWork, transact
from tests.server.conftest import Person, SignUpPerson, problem
from tests.server.listings.conftest import Neighbours, Sell

TEXTS = {
    "guitar": ("Acoustic guitar", "Warm sound, new strings, comes with a case."),
    "amp": ("Tube amplifier", "For electric guitar or bass, hardly used."),
    "기타": ("통기타 팝니다", "줄을 새로 갈았어요. 케이스 포함."),
    "전자": ("일렉 기타 앰프", "Electric guitar amp, 거의 새것입니다."),
    "자전거": ("자전거 거치대", "실내용 bike stand, 기타 공구는 없음."),
    "phone": ("iPhone 15 Pro", "Battery 92%, ＩＭＥＩ clean, CAFÉ brown."),
    "lego": ("レゴ 레고 Lego set", "한국어 설명서 없음, 日本語 only."),
    "wood": ("Woodwind stand", "Sturdy, folds flat. Guitarist not included."),
}


@pytest.fixture
async def texts(mina: Person, sell: Sell, clock: MovableClock) -> dict[str, str]:
    """Listings on sale, one a minute: their names here by their ids."""
    names = {}
    for name, (title, description) in TEXTS.items():
        clock.advance(timedelta(minutes=1))
        names[(await sell(mina, title=title, description=description))["id"]] = name
    return names


async def pages(person: Person, path: str = "/v1/listings", **params: Any) -> list[dict[str, Any]]:
    """Every item of a list, page by page."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        answer = await person.get(path, params=params | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        body = answer.json()
        items += body["items"]
        cursor = body["next_cursor"]
        if cursor is None:
            return items
        assert len(body["items"]) == params.get("limit", 20)


FOUND: list[tuple[str, set[str]]] = [
    ("guitar", {"guitar", "amp", "전자", "wood"}),
    ("GUITAR", {"guitar", "amp", "전자", "wood"}),
    ("gui", {"guitar", "amp", "전자", "wood"}),
    ("guitar case", {"guitar"}),
    ("guitar -case", {"amp", "전자"}),
    ("guita strings", set()),
    ("기타", {"기타", "전자", "자전거"}),
    ("통기타", {"기타"}),
    ("기타 앰프", {"전자"}),
    ("기타 amp", {"전자"}),
    ("기타 -앰프", {"기타", "자전거"}),
    ("팝", {"기타"}),
    ("니", {"기타", "전자"}),
    ("-guitar", {"기타", "자전거", "phone", "lego", "wood"}),
    ("-기타 -guitar -iphone", {"lego", "wood"}),
    ("-electric guitar", {"guitar", "wood"}),
    ("레고", {"lego"}),
    ("レゴ", {"lego"}),
    ("日本", {"lego"}),
    ("iphone15", set()),
    ("iphone 15", {"phone"}),
    ("IMEI", {"phone"}),
    ("café", {"phone"}),
    ("cafe\u0301", {"phone"}),
    ("92%", {"phone"}),
    ("nothing like this", set()),
    ("' OR 1=1 --", set()),
    ('"guitar" AND NEAR(', set()),
    ("guitar*", {"guitar", "amp", "전자", "wood"}),
    ("all_terms:guitar", set()),
    ("!!!", set(TEXTS)),
    ("-", set(TEXTS)),
    ("   ", set(TEXTS)),
]


async def test_words_find_the_same_in_both_scripts_on_both_databases(
    joon: Person, texts: dict[str, str]
) -> None:
    for q, found in FOUND:
        for sort in ("newest", "relevance", "price_asc"):
            items = await pages(joon, q=q, sort=sort)
            assert {texts[item["id"]] for item in items} == found, (q, sort)
            assert len(items) == len(found), (q, sort)


async def test_relevance_is_all_words_in_the_title_first_then_the_newest(
    joon: Person, texts: dict[str, str]
) -> None:
    async def order(q: str, **params: Any) -> list[str]:
        return [texts[item["id"]] for item in await pages(joon, q=q, sort="relevance", **params)]

    assert await order("guitar") == ["guitar", "wood", "전자", "amp"]
    assert await order("기타") == ["전자", "기타", "자전거"]
    assert await order("기타 앰프") == ["전자"]
    for limit in (1, 2, 3):
        assert await order("guitar", limit=limit) == ["guitar", "wood", "전자", "amp"]
    newest_first = list(reversed(TEXTS))
    assert await order("") == newest_first
    without = [name for name in newest_first if name not in ("guitar", "amp", "전자")]
    assert await order("-guitar", limit=2) == without


async def test_the_newest_matches_come_first_whatever_the_order_of_their_ids(
    joon: Person, mina: Person, sell: Sell, clock: MovableClock
) -> None:
    start = clock.now()
    for minutes in (5, 1, 9, 3, 7):
        clock.move_to(start + timedelta(minutes=minutes))
        await sell(mina, title=f"Guitar {minutes}")
    for params in ({}, {"q": "guitar"}, {"q": "guitar", "sort": "relevance"}):
        titles = [item["title"] for item in await pages(joon, limit=2, **params)]
        assert titles == [f"Guitar {minutes}" for minutes in (9, 7, 5, 3, 1)]


@pytest.fixture
async def stock(
    mina: Person, joon: Person, sell: Sell, clock: MovableClock
) -> list[dict[str, Any]]:
    """Two dozen listings that differ in everything, many of them equal in what is sorted by."""
    conditions = ("new", "like_new", "good", "fair", "for_parts")
    listings = []
    for number in range(24):
        if number % 4 == 0:
            clock.advance(timedelta(hours=1))
        listings.append(
            await sell(
                joon if number % 3 == 0 else mina,
                title=f"Thing {number}",
                category=("music", "books", "other")[number % 3],
                condition=conditions[number % 5],
                price=(0, 1000, 5000, 5000, 20_000)[number % 5],
                negotiable=number % 2 == 0,
                method=("meet", "post", "both")[number % 3],
                place=("Mapo", "Jongno", None)[number % 3],
            )
        )
    return listings


Check = Callable[[dict[str, Any]], bool]
FILTERS: list[tuple[dict[str, Any], Check]] = [
    ({}, lambda _: True),
    ({"category": "books"}, lambda x: x["category"] == "books"),
    ({"condition": "good"}, lambda x: x["condition"] == "good"),
    ({"condition": ["good", "new"]}, lambda x: x["condition"] in ("good", "new")),
    ({"min_price": 1000}, lambda x: x["price"] >= 1000),
    ({"max_price": 1000}, lambda x: x["price"] <= 1000),
    ({"min_price": 1000, "max_price": 5000}, lambda x: 1000 <= x["price"] <= 5000),
    ({"giveaway": True}, lambda x: x["price"] == 0),
    ({"giveaway": False}, lambda x: x["price"] > 0),
    ({"giveaway": True, "min_price": 1}, lambda _: False),
    ({"negotiable": True}, lambda x: x["negotiable"]),
    ({"negotiable": False}, lambda x: not x["negotiable"]),
    ({"method": "meet"}, lambda x: x["method"] in ("meet", "both")),
    ({"method": "post"}, lambda x: x["method"] in ("post", "both")),
    ({"place": "Mapo"}, lambda x: x["place"] == "Mapo"),
    ({"place": "nowhere"}, lambda _: False),
    ({"state": "any"}, lambda _: True),
    ({"state": "sold"}, lambda _: False),
    ({"since": "2026-03-02T12:00:00Z"}, lambda x: x["bumped_at"] >= "2026-03-02T12"),
    (
        {"q": "thing", "place": "Mapo", "giveaway": False},
        lambda x: x["place"] == "Mapo" and x["price"],
    ),
    (
        {"q": "-7", "category": "books"},
        lambda x: x["category"] == "books" and x["title"] != "Thing 7",
    ),
]
ORDERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "newest": lambda x: (x["bumped_at"], x["id"]),
    "price_desc": lambda x: (x["price"], x["id"]),
    "price_asc": lambda x: (-x["price"], -UUID(x["id"]).int),
    "most_liked": lambda x: (x["like_count"], x["id"]),
}


async def test_every_filter_in_every_order_page_by_page(
    mina: Person, stock: list[dict[str, Any]], sign_up: SignUpPerson, context: Context
) -> None:
    async def like_some(work: UnitOfWork) -> None:
        for number, listing in enumerate(stock):
            listing["like_count"] = number % 4
            liked = update(Listing).where(Listing.id == UUID(listing["id"]))
            await work.execute(liked.values(like_count=number % 4))

    await transact(context, None, like_some)
    for params, wanted in FILTERS:
        for sort, key in ORDERS.items():
            expected = sorted(filter(wanted, stock), key=key, reverse=True)
            found = await pages(mina, sort=sort, limit=5, **params)
            assert [x["id"] for x in found] == [x["id"] for x in expected], (params, sort)


@pytest.mark.parametrize("sort", ["price_asc", "price_desc"])
async def test_drafts_without_a_price_have_a_place_among_the_others(
    mina: Person, sort: str
) -> None:
    prices = [None, 300, 0, None, 100, None]
    for price in prices:
        draft = {"state": "draft", "price": price}
        assert (await mina.post("/v1/listings", draft)).status_code == 201
    known = sorted((price for price in prices if price is not None), reverse=sort == "price_desc")
    without = [None] * 3
    expected = without + known if sort == "price_asc" else known + without
    for limit in (1, 2, 4, 20):
        found = await pages(mina, state="draft", sort=sort, limit=limit)
        assert [x["price"] for x in found] == expected, limit
        assert len({x["id"] for x in found}) == len(prices)


async def test_of_a_seller_and_nobody_else(
    mina: Person, joon: Person, stock: list[dict[str, Any]]
) -> None:
    expected = {x["id"] for x in stock if x["seller"]["id"] == str(joon.id)}
    by_filter = await pages(mina, seller=str(joon.id))
    by_account = await pages(mina, f"/v1/accounts/{joon.id}/listings", limit=3)
    assert {x["id"] for x in by_filter} == {x["id"] for x in by_account} == expected
    problem(await mina.get(f"/v1/accounts/{uuid4()}/listings"), 404, "not_found")


async def test_what_is_listed_meanwhile_neither_repeats_nor_hides_anything(
    mina: Person, joon: Person, stock: list[dict[str, Any]], sell: Sell, clock: MovableClock
) -> None:
    first = (await joon.get("/v1/listings", params={"limit": 10})).json()
    clock.advance(timedelta(hours=1))
    await sell(mina, title="Newer than all")
    await mina.delete(f"/v1/listings/{first['items'][-1]['id']}")
    rest = await pages(joon, limit=10, cursor=first["next_cursor"])
    seen = [x["id"] for x in first["items"] + rest]
    assert len(seen) == len(set(seen)) == len(stock)


async def test_a_cursor_is_good_for_its_own_question_only(
    mina: Person, joon: Person, stock: list[dict[str, Any]]
) -> None:
    del stock
    cursor = (await joon.get("/v1/listings", params={"limit": 5})).json()["next_cursor"]
    good = await mina.get("/v1/listings", params={"limit": 7, "cursor": cursor})
    assert len(good.json()["items"]) == 7
    flipped = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    bad = [flipped, cursor[:-4], cursor + "AAAA", "", "x", "%00", "é", "=" * 40]
    for tampered in bad:
        params: dict[str, Any] = {"cursor": tampered}
        answer = await joon.get("/v1/listings", params=params)
        if tampered:
            problem(answer, 400, "cursor_invalid")
    others: list[dict[str, Any]] = [
        {"sort": "price_asc"},
        {"q": "thing"},
        {"category": "music"},
        {"state": "any"},
    ]
    for params in others:
        problem(
            await joon.get("/v1/listings", params=params | {"cursor": cursor}),
            400,
            "cursor_invalid",
        )
    for path in ("/v1/me/likes", "/v1/me/recently-viewed", "/v1/me/searches", "/v1/sessions"):
        problem(await joon.get(path, params={"cursor": cursor}), 400, "cursor_invalid")


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 101},
        {"sort": "random"},
        {"state": "gone"},
        {"condition": "shiny"},
        {"method": "drone"},
        {"min_price": -1},
        {"max_price": 10**20},
        {"seller": "me"},
        {"since": "yesterday"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"q": "q" * 101},
        {"place": "p" * 61},
    ],
)
async def test_a_filter_that_makes_no_sense_is_refused(
    joon: Person, params: dict[str, Any]
) -> None:
    refused = problem(await joon.get("/v1/listings", params=params), 422, "invalid")
    assert refused["errors"][0]["field"] in params


async def test_a_refusal_of_a_filter_says_what_is_wrong(joon: Person) -> None:
    unknown = await joon.get("/v1/listings", params={"category": "\x00"})
    problem(unknown, 422, "unknown_category")
    empty = await joon.get("/v1/listings", params={"min_price": 5, "max_price": 4})
    problem(empty, 422, "range_empty")


async def test_no_text_breaks_the_search(joon: Person, texts: dict[str, str]) -> None:
    del texts
    for q in (
        "\x00",
        "\ufeff",
        "a\x00b",
        "\U0010ffff",
        "ﷺ" * 30,
        "가" * 100,
        "-" * 100,
        "a -" * 30,
    ):
        for sort in ("newest", "relevance", "most_liked"):
            params = {"q": q, "sort": sort}
            assert (await joon.get("/v1/listings", params=params)).status_code == 200, (q, sort)


async def test_the_blocked_see_nothing_of_each_other(
    mina: Person, joon: Person, sell: Sell
) -> None:
    listing = await sell(mina)
    await joon.put(f"/v1/listings/{listing['id']}/like")
    await joon.get(f"/v1/listings/{listing['id']}")
    lists = [
        ("/v1/listings", {}),
        ("/v1/listings", {"q": "guitar"}),
        ("/v1/listings", {"q": "guitar", "sort": "relevance"}),
        ("/v1/listings", {"seller": str(mina.id)}),
        (f"/v1/accounts/{mina.id}/listings", {}),
        ("/v1/me/likes", {}),
        ("/v1/me/recently-viewed", {}),
    ]

    async def seen() -> list[int]:
        return [len(await pages(joon, path, **params)) for path, params in lists]

    assert await seen() == [1] * len(lists)
    await mina.put(f"/v1/accounts/{joon.id}/block")
    assert await seen() == [0] * len(lists)
    await mina.delete(f"/v1/accounts/{joon.id}/block")
    await joon.put(f"/v1/accounts/{mina.id}/block")
    assert await seen() == [0] * len(lists)


async def test_a_page_costs_the_same_number_of_queries_whatever_it_holds(
    mina: Person,
    joon: Person,
    stock: list[dict[str, Any]],
    count_queries: Callable[[], Any],
) -> None:
    for listing in stock:
        await mina.put(f"/v1/listings/{listing['id']}/like")
        await mina.get(f"/v1/listings/{listing['id']}")
    lists: list[tuple[str, dict[str, Any]]] = [
        ("/v1/listings", {}),
        ("/v1/listings", {"sort": "most_liked", "condition": ["new", "good"]}),
        (f"/v1/accounts/{joon.id}/listings", {}),
        ("/v1/me/likes", {}),
        ("/v1/me/recently-viewed", {}),
        ("/v1/me/searches", {}),
    ]
    for path, params in lists:
        counts = []
        for limit in (1, 5, 24):
            with count_queries() as queries:
                await mina.get(path, params=params | {"limit": limit})
            counts.append(queries.count)
        assert counts == [counts[0]] * 3, path
        assert counts[0] <= 4, path


async def test_for_a_search_that_is_too_fast_nothing_is_settled(
    joon: Person, neighbours: Neighbours, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    context.rates.enabled = True
    monkeypatch.setattr(context.rates, "_monotonic", lambda: 0.0)
    for _ in range(60):
        assert (await joon.get("/v1/listings")).status_code == 200
    problem(await joon.get("/v1/listings"), 429, "rate_limited")
    assert neighbours.settled == 60
