"""Which reads go to the replica, and that nobody misses there what they have just done.

The replica shows nothing new in these tests, so who is told something old has asked it.
"""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.app.settings import Settings
from server.platform import replica as asked
from server.platform.clock import MovableClock
from server.platform.context import Context
from server.platform.migrate import upgrade
from server.platform.replica import State
from tests.server.conftest import Person, SignUpPerson, settings_of
from tests.server.platform.test_replica import near
from tests.server.trades.market import Deal, Market, done
from tests.servers.postgres import empty_database
from tests.servers.replica import Pair

DATABASE = "market"
LONG_AGO = timedelta(minutes=2)
PATIENCE_S = 20


@pytest.fixture(scope="session")
def replicated(pair: Pair) -> Pair:
    """The pair with a database of the newest schema."""
    upgrade(pair.primary.create_database(DATABASE))
    return pair


@pytest.fixture
async def settings(replicated: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a server with a replica that may be behind for longer than a test takes, and
    that a busy machine does not take for one that is away.
    """
    monkeypatch.setattr(asked, "_ANSWERS_WITHIN_S", PATIENCE_S)
    await empty_database(replicated.primary.url(DATABASE))
    return settings_of(
        replicated.primary.url(DATABASE),
        tmp_path,
        database_replica_url=replicated.replica.url(DATABASE),
        database_replica_lag_s=60,
    )


@pytest.fixture
async def deal(context: Context, clock: MovableClock, sign_up: SignUpPerson) -> Deal:
    """Two people and a listing, long after they wrote anything."""
    made = await Market(context, clock, sign_up).deal()
    clock.advance(LONG_AGO)
    return made


async def title(person: Person, path: str = "/v1/listings") -> Any:
    page = await done(person.get(path))
    return page["items"][0]["title"]


async def test_pages_of_listings_are_read_from_the_replica_but_not_by_who_has_just_written(
    replicated: Pair, context: Context, clock: MovableClock, deal: Deal
) -> None:
    await known_to_be_near(replicated, context)
    before = await title(deal.buyer)
    with replicated.replay_paused():
        await rename(deal)
        for path in "/v1/listings", f"/v1/accounts/{deal.seller.id}/listings":
            assert await title(deal.seller, path) == "Renamed"
            assert await title(deal.buyer, path) == before
        clock.advance(LONG_AGO)
        assert await title(deal.seller) == before
    await asyncio.to_thread(replicated.catch_up)
    assert await title(deal.buyer) == "Renamed"


async def test_a_listing_and_what_is_ones_own_are_read_from_the_primary(
    replicated: Pair, context: Context, clock: MovableClock, deal: Deal
) -> None:
    await known_to_be_near(replicated, context)
    with replicated.replay_paused():
        await rename(deal)
        clock.advance(LONG_AGO)
        read = await done(deal.buyer.get(f"/v1/listings/{deal.listing_id}"))
        assert read["title"] == "Renamed"
        message = {"cid": str(deal.buyer.id), "text": "said just now"}
        path = f"/v1/chatrooms/{deal.room_id}/messages"
        assert (await deal.buyer.post(path, message)).status_code == 201
        page = await done(deal.seller.get(path))
        assert page["items"][-1]["text"] == "said just now"


async def test_a_profile_and_its_reviews_are_read_from_the_replica(
    replicated: Pair, context: Context, deal: Deal
) -> None:
    path = f"/v1/accounts/{deal.seller.id}"
    await known_to_be_near(replicated, context)
    name = (await done(deal.buyer.get(path)))["display_name"]
    with replicated.replay_paused():
        await done(deal.seller.patch("/v1/me", {"display_name": "somebody"}))
        assert (await done(deal.seller.get(path)))["display_name"] == "somebody"
        assert (await done(deal.buyer.get(path)))["display_name"] == name
        assert (await done(deal.buyer.get(f"{path}/reviews")))["items"] == []


async def test_whether_it_is_used_is_told_with_readiness_and_in_the_figures(
    replicated: Pair, context: Context, client: httpx.AsyncClient
) -> None:
    await known_to_be_near(replicated, context)
    assert (await client.get("/readyz")).json() == {"status": "ready", "replica": "near"}
    replica = context.database.replica
    assert replica is not None
    replica.state, replica._ask_at = State.AWAY, 0.0
    await asyncio.to_thread(replicated.catch_up)
    told = (await client.get("/metrics")).text
    assert 'picky_database_replica{state="near"} 1.0' in told


async def known_to_be_near(replicated: Pair, context: Context) -> None:
    assert context.database.replica is not None
    await near(replicated, context.database.replica)


async def rename(deal: Deal) -> None:
    path = f"/v1/listings/{deal.listing_id}"
    version = (await done(deal.seller.get(path)))["version"]
    answer = await deal.seller.patch(
        path, {"title": "Renamed"}, headers={"If-Match": f'"{version}"'}
    )
    assert answer.status_code == 200, answer.text
