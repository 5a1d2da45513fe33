"""Pages are read along an index, so that their cost does not grow with the market."""

import re
from typing import Any

import pytest

from server.platform.context import Context
from tests.server.conftest import SignUpPerson
from tests.server.listings.conftest import Sell
from tests.server.plans import last_statement, plan_of

TEXT = "(search_id=?)"
PLANS: list[tuple[dict[str, Any], str]] = [
    ({}, "ix_listings_newest"),
    ({"state": "sold", "condition": "good"}, "ix_listings_newest"),
    ({"state": "any"}, "ix_listings_any_newest"),
    ({"category": "music"}, "ix_listings_category_newest"),
    ({"place": "Mapo"}, "ix_listings_place_newest"),
    ({"sort": "price_asc"}, "ix_listings_price"),
    ({"sort": "price_desc", "category": "music"}, "ix_listings_price"),
    ({"sort": "most_liked"}, "ix_listings_liked"),
    ({"q": "guitar"}, TEXT),
    ({"q": "guitar", "sort": "relevance"}, TEXT),
    ({"q": "guitar", "sort": "price_asc"}, TEXT),
    ({"q": "-drum"}, "ix_listings_newest"),
]


@pytest.mark.parametrize(("params", "index"), PLANS)
async def test_a_page_is_read_along_an_index(
    context: Context,
    sign_up: SignUpPerson,
    sell: Sell,
    params: dict[str, Any],
    index: str,
) -> None:
    mina = await sign_up("mina")
    for number in range(2):
        await sell(mina, title=f"Guitar {number}")
    for cursor in (False, True):
        with last_statement(context, "listings_listing") as found:
            first = (await mina.get("/v1/listings", params=params | {"limit": 1})).json()
            if cursor and first["next_cursor"]:
                after = {"limit": 1, "cursor": first["next_cursor"]}
                assert (await mina.get("/v1/listings", params=params | after)).status_code == 200
        plan = await plan_of(context, *found, only_along_indexes=True)
        if context.database.is_sqlite:
            assert index in plan, plan
            text = "SCAN listings_search_index VIRTUAL TABLE INDEX 0:="
            assert not [line for line in plan.splitlines() if line.startswith(text)], plan
        else:  # with so few rows PostgreSQL may take another index of the same order
            assert re.search(r"using (ix|uq)_listings_\w+ on listings_listing", plan), plan
            assert "Sort" not in plan or "sort" in params, plan
