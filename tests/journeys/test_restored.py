"""A server is lost and restored elsewhere from a backup that is older than what its people saw."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from client_tui.core.changes import Position
from client_tui.core.forms import fill
from shared_models.chat import Message, SendMessage
from shared_models.listings import ListingFilter
from tests.faults.accounts import read_history
from tests.journeys.devices import Device, device, open_room
from tests.servers.command import run_command
from tests.servers.lifetime import Lifetime
from tests.servers.picky import PickyServer, start_picky
from tests.servers.postgres import installation
from tests.servers.s3 import S3Store

pytestmark = pytest.mark.timeout(180)

SECRET = "one-secret-for-both-places-0123456789"
EARLY, LATE, WAITING = 3, 4, 9
"""How many messages are said before the backup, after it, and while no server is there. The last
are more than those that are lost: positions that the clients have seen are taken anew."""

PLACES = ["sqlite and files", "postgresql and s3"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a market may be, and how a server or a command is told so."""

    name: str
    lifetime: Lifetime
    settings: dict[str, str]

    def start(self, port: int = 0) -> PickyServer:
        return start_picky(self.lifetime, self.name, port=port, secret_key=SECRET, **self.settings)

    def run(self, *arguments: str | Path) -> None:
        """Run a command of `picky-server`."""
        data_dir = self.lifetime.directory / f"{self.name}-data"
        settings = {f"PICKY_{name.upper()}": value for name, value in self.settings.items()}
        environment = settings | {"PICKY_SECRET_KEY": SECRET}
        run_command(*arguments, "--data-dir", data_dir, environment=environment).check_returncode()


@pytest.fixture(params=PLACES)
def places(
    request: pytest.FixtureRequest, private_lifetime: Lifetime, monkeypatch: pytest.MonkeyPatch
) -> Sequence[Place]:
    """Where the market is, and an empty place for it."""
    if request.param == PLACES[0]:
        return [Place(name, private_lifetime, {}) for name in ("lost", "found")]
    programs, _ = installation(request.getfixturevalue("lifetime"))
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    s3: S3Store = request.getfixturevalue("s3")
    worker = request.getfixturevalue("worker_id")
    places = []
    for name in ("lost", "found"):
        url = request.getfixturevalue("postgres_url" if name == "lost" else "empty_postgres_url")
        bucket = s3.create_bucket(f"{worker}-{name}")
        for variable, value in bucket.environment.items():
            monkeypatch.setenv(variable, value)
        settings = {"database_url": url, "object_store_url": bucket.url}
        places.append(Place(name, private_lifetime, settings))
    return places


async def say(speaker: Device, room_id: UUID, texts: Sequence[str]) -> None:
    """Write messages, which wait until the device is live."""
    for text in texts:
        await speaker.outbox.put(room_id, text)
    speaker.delivery.wake()


def numbered(name: str, count: int) -> list[str]:
    return [f"{name} {number}" for number in range(count)]


def texts(history: Sequence[Message]) -> list[str]:
    return [message.text for message in history if message.kind == "text"]


async def hears(client: Device, newest: str) -> None:
    """Wait for a message, and for what else the server has told of it."""
    await client.until(lambda: client.messages[-1].text == newest)
    head = (await client.api.bootstrap()).pos
    await client.until(lambda: client.pos >= head)


async def is_as_the_server_says(client: Device, room_id: UUID) -> None:
    """Whether the device's copies are the server's state, to the last message."""
    server, copies = await client.api.bootstrap(), await client.cache.copies()
    assert copies is not None
    assert (copies.position.epoch, copies.position.pos) == (str(server.epoch), server.pos)
    assert copies.rooms == server.chatrooms
    assert copies.trades == server.trades
    kept = await client.cache.messages(room_id, limit=100)
    history = {message.seq: message for message in await read_history(client.api, room_id)}
    assert kept == [history[message.seq] for message in kept]


async def backed_up_amid_talk(
    lost: Place, seller: Device, buyer: Device, room_id: UUID, backup: Path
) -> Position:
    """Talk, and a backup that has all but the end of it; where the seller is then."""
    await say(buyer, room_id, numbered("early", EARLY))
    async with seller.live(), buyer.live():
        await seller.until(lambda: len(seller.messages) == EARLY)
        await buyer.until(lambda: buyer.sent_count == EARLY)
    unanswered = await buyer.outbox.put(room_id, "its answer was lost")
    form = fill(SendMessage, cid=unanswered.cid, text=unanswered.text)
    await buyer.api.send_message(room_id, form)
    await asyncio.to_thread(lost.run, "backup", "--to", backup)
    await say(seller, room_id, numbered("late", LATE))
    async with seller.live():
        await seller.until(lambda: len(seller.messages) == EARLY + 1 + LATE)
        await seller.until(lambda: seller.sent_count == LATE)  # or it would send the last anew
    ahead = await seller.cache.position()
    assert ahead is not None
    return ahead


async def is_found_with_its_picture(visitor: Device) -> None:
    found = await visitor.api.listings(ListingFilter(q="oak chair"))
    [cover] = [card.cover for card in found.items]
    assert cover is not None
    assert (await visitor.api.photo(cover.thumb_url))[:2] == b"\xff\xd8"


async def test_who_was_ahead_starts_anew_and_what_waited_arrives_once(
    places: Sequence[Place], tmp_path: Path
) -> None:
    lost, found = places
    server = await asyncio.to_thread(lost.start)
    async with (
        device(server.url, "minji", tmp_path / "seller") as seller,
        device(server.url, "bora", tmp_path / "buyer") as buyer,
    ):
        room_id = await open_room(seller, buyer, tmp_path)
        ahead = await backed_up_amid_talk(lost, seller, buyer, room_id, tmp_path / "backup")
        await asyncio.to_thread(server.kill)
        await say(buyer, room_id, numbered("waiting", WAITING))

        await asyncio.to_thread(found.run, "restore", "--from", tmp_path / "backup")
        server = await asyncio.to_thread(found.start, server.port)
        async with buyer.live():
            await buyer.until(lambda: buyer.sent_count == EARLY + 1 + WAITING)
            assert await buyer.outbox.waiting() == []
            head = (await seller.api.bootstrap()).pos
            assert head > ahead.pos, "the seller's position was to be overtaken"
            await say(seller, room_id, ["here I am"])
            async with seller.live():
                for client in (seller, buyer):
                    await hears(client, "here I am")
        said = texts(await read_history(seller.api, room_id))
        early = [*numbered("early", EARLY), "its answer was lost"]
        assert said == [*early, *numbered("waiting", WAITING), "here I am"]
        for client in (seller, buyer):
            await is_as_the_server_says(client, room_id)
        await is_found_with_its_picture(buyer)
        await asyncio.to_thread(server.stop)
