"""A market is filled through its own calls, and afterwards every invariant holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from server.app.asgi import create_app
from server.app.container import build_context, close_context
from server.app.demo.casting import SMALL
from server.app.demo.content import people
from server.app.demo.seed import Seeded, fill
from server.app.demo.visitor import SeedingFailed
from server.app.settings import Settings
from server.platform import postgresql
from server.platform.clock import MovableClock
from tests.server.conftest import PATIENCE_S, settings_of
from tests.server.demo.recount import Market, read_market

END = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
BASE_URL = "http://testserver"

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six pictures at once have their turn with the database however busy the machine is."""
    monkeypatch.setattr(postgresql, "_TURN_S", PATIENCE_S)


def settings_for(database_url: str, directory: Path) -> Settings:
    return settings_of(database_url, directory / "data")


async def fill_small(settings: Settings) -> tuple[Seeded, list[tuple[int, int, str]]]:
    told: list[tuple[int, int, str]] = []
    seeded = await fill(
        settings, seed=1, scale=SMALL, end=END, report=lambda *step: told.append(step)
    )
    return seeded, told


def has_every_state(market: Market) -> None:
    states = {trade.state for trade in market.trades}
    assert states == {
        "reserved",
        "handed_over",
        "shipped",
        "disputed",
        "completed",
        "canceled",
    }
    assert any(trade.auto_completed for trade in market.trades)
    assert len({t.cancel_reason for t in market.trades if t.state == "canceled"}) >= 2
    assert {"pending", "countered", "declined"} <= {offer.state for offer in market.offers}
    assert {review.published_at is None for review in market.reviews} == {True, False}


def check_the_order_of_time(market: Market) -> None:
    for room in market.rooms:
        mine = sorted((m for m in market.messages if m.room_id == room.id), key=lambda m: m.seq)
        moments = [message.created_at for message in mine]
        assert moments == sorted(moments)


async def check_what_the_demo_person_finds(settings: Settings, seeded: Seeded) -> None:
    """Sign in and look around, with the real clock's rules."""
    context = build_context(settings, base_url=BASE_URL, clock=MovableClock(END))
    transport = httpx.ASGITransport(app=create_app(context, settings))
    async with httpx.AsyncClient(transport=transport, base_url=f"{BASE_URL}/v1") as client:
        credentials = {"handle": seeded.handle, "password": seeded.password}
        answer = await client.post("/sessions", json=credentials)
        assert answer.status_code == 201, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"

        rooms = (await client.get("/chatrooms?limit=100")).json()["items"]
        assert sum(room["unread"] for room in rooms) > 0
        longest = max(rooms, key=lambda room: room["last_seq"])
        assert longest["last_seq"] >= SMALL.talk_messages
        page = (await client.get(f"/chatrooms/{longest['id']}/messages?limit=50")).json()
        assert len(page["items"]) == 50

        notices = (await client.get("/notifications?limit=100")).json()["items"]
        assert {notice["read"] for notice in notices} == {True, False}
        assert (await client.get("/me/likes")).json()["items"]
        assert (await client.get("/me/recently-viewed")).json()["items"]

        card = (await client.get("/listings?limit=1")).json()["items"][0]
        view = await client.get(card["cover"]["thumb_url"].removeprefix("/v1"))
        assert view.status_code == 302
        picture = await client.get(view.headers["location"], headers={"Authorization": ""})
        assert picture.headers["content-type"] == "image/jpeg"
        assert picture.content[:3] == b"\xff\xd8\xff"
    await close_context(context)


async def test_a_filled_market_keeps_every_invariant_and_is_lively(
    database_url: str, tmp_path: Path
) -> None:
    settings = settings_for(database_url, tmp_path)
    seeded, told = await fill_small(settings)

    market = await read_market(database_url)
    assert market.broken(END) == []
    assert len(market.accounts) == len(people()) == 30
    assert len([one for one in market.listings if one.state != "draft"]) == SMALL.listings
    assert len(market.rooms) == 17
    has_every_state(market)
    check_the_order_of_time(market)
    moments = [message.created_at for message in market.messages]
    assert max(moments) <= END
    assert min(moments) < END - timedelta(days=100)
    await check_what_the_demo_person_finds(settings, seeded)

    total = told[0][1]
    assert told == [(number, total, label) for number, (_, _, label) in enumerate(told, start=1)]
    assert told[-1][0] == total


async def test_the_same_seed_gives_the_same_market_and_a_filled_one_is_left_alone(
    tmp_path: Path,
) -> None:
    markets = []
    for name in ("first", "second"):
        url = f"sqlite:///{tmp_path / name}.db"
        settings = settings_for(url, tmp_path / name)
        await fill_small(settings)
        markets.append(without_secrets(await read_market(url)))
    assert markets[0] == markets[1]

    with pytest.raises(SeedingFailed, match="handle_taken"):
        await fill_small(settings)
    assert without_secrets(await read_market(url)) == markets[1]


def without_secrets(market: Market) -> Market:
    """A market without what is random on purpose."""
    accounts = [(one.id, one.handle, one.avatar, one.manner_score) for one in market.accounts]
    return replace(market, accounts=accounts)
