"""The client's core against a real server: the outbox drains and the copies are right."""

import asyncio
from pathlib import Path

import pytest

from client_tui.core.status import LineState
from tests.client.core.fakes import kept_rooms
from tests.journeys.devices import device, open_room
from tests.servers.lifetime import Lifetime
from tests.servers.picky import PickyServer, start_picky

COUNT = 120


@pytest.mark.timeout(150)
async def test_an_outbox_drains_across_crashes_in_order_and_without_a_double(
    picky_server: PickyServer, private_lifetime: Lifetime, database_url: str, tmp_path: Path
) -> None:
    server = picky_server
    async with (
        device(server.url, "minji", tmp_path / "seller") as seller,
        device(server.url, "bora", tmp_path / "buyer") as buyer,
    ):
        room_id = await open_room(seller, buyer, tmp_path)
        for number in range(COUNT):
            await buyer.outbox.put(room_id, f"message {number}")
        async with seller.live(), buyer.live():
            for crash_after in (COUNT // 4, COUNT // 2):
                await seller.until(lambda after=crash_after: len(seller.messages) >= after)  # type: ignore[misc]
                server.kill()
                server = await asyncio.to_thread(
                    start_picky, private_lifetime, port=server.port, database_url=database_url
                )
            await seller.until(lambda: len(seller.messages) >= COUNT)
            await buyer.until(lambda: len(buyer.messages) == buyer.sent_count == COUNT)
        expected = [f"message {number}" for number in range(COUNT)]
        for person in (seller, buyer):
            assert [message.text for message in person.messages] == expected
            kept = await person.cache.messages(room_id, limit=1000)
            assert [message.text for message in kept if message.kind == "text"] == expected
        assert await buyer.outbox.waiting() == []


@pytest.mark.timeout(90)
async def test_a_device_that_was_away_catches_up_and_counts_what_it_missed(
    picky_server: PickyServer, tmp_path: Path
) -> None:
    async with (
        device(picky_server.url, "minji", tmp_path / "seller") as seller,
        device(picky_server.url, "bora", tmp_path / "buyer") as buyer,
    ):
        room_id = await open_room(seller, buyer, tmp_path)
        async with seller.live():
            await seller.until(lambda: seller.session.status.state is LineState.ONLINE)
        async with buyer.live():
            for number in range(5):
                await buyer.outbox.put(room_id, f"message {number}")
            buyer.delivery.wake()
            await buyer.until(lambda: len(buyer.messages) >= 5)
        async with seller.live():
            await seller.until(lambda: len(seller.messages) >= 5)
            [room] = await kept_rooms(seller.cache)
            with_the_safety_line = 6
            assert room.unread == with_the_safety_line
            assert room.unread == (await seller.api.room(room_id)).unread
            seller.session.mark_read(room_id, room.last_seq)
            await seller.until(lambda: bool(seller.marks))
            await buyer.outbox.put(room_id, "after the read mark")
            async with buyer.live():
                await seller.until(lambda: len(seller.messages) >= 6)
            [kept], present = await kept_rooms(seller.cache), await seller.api.room(room_id)
            assert (kept.last_seq, kept.unread) == (present.last_seq, present.unread) == (7, 1)


@pytest.mark.timeout(120)
async def test_a_session_ended_elsewhere_ends_the_line_for_good(
    picky_server: PickyServer, tmp_path: Path
) -> None:
    async with device(picky_server.url, "minji", tmp_path) as person, person.live():
        await person.until(lambda: person.session.status.state is LineState.ONLINE)
        await person.api.end_session()
        await person.until(lambda: person.session.status.state is LineState.SIGNED_OUT)
        assert person.session.status.retry_at is None
