"""Two devices of one account, each with all of the app but its screens, stay in step."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

import pytest

from client_tui.core.drafts import Draft
from client_tui.core.paths import Paths
from client_tui.core.status import LineState
from client_tui.link import Link
from client_tui.store import Change, MessageChanged
from shared_models.chat import Chatroom, Message
from tests.journeys.devices import Device, device, open_room
from tests.journeys.people import PASSWORD
from tests.servers.picky import PickyServer

pytestmark = pytest.mark.timeout(120)


class Machine:
    """One machine with a link of its own, and what it has heard."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.messages: dict[tuple[UUID, int], Message] = {}
        self._heard = asyncio.Event()
        link.store.subscribe(self._on_change)
        link.on_status = self._heard.set

    def _on_change(self, change: Change) -> None:
        if isinstance(change, MessageChanged):
            self.messages[change.message.chatroom_id, change.message.seq] = change.message
        self._heard.set()

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(50):
            while not holds():
                self._heard.clear()
                await self._heard.wait()

    def room(self, room_id: UUID) -> Chatroom:
        return self.link.store.state.rooms[room_id]

    def texts(self) -> list[str]:
        """What was said, in order."""
        said = [self.messages[key] for key in sorted(self.messages)]
        return [one.text for one in said if one.kind == "text"]


@asynccontextmanager
async def machine(server: str, handle: str, home: Path) -> AsyncIterator[Machine]:
    """Somebody signs in there, and is online."""
    link = Link(Paths(home / "config", home / "data", home / "cache"))
    await link.sign_in(server, handle, PASSWORD)
    made = Machine(link)
    await link.start()
    running = asyncio.create_task(link.run())
    try:
        await made.until(lambda: link.status.state is LineState.ONLINE)
        yield made
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await link.close()


@asynccontextmanager
async def bora_with_two(
    server: str, folder: Path
) -> AsyncIterator[tuple[Machine, Machine, Device, UUID]]:
    """Bora at two machines, minji, and the room of the two."""
    async with AsyncExitStack() as stack:
        seller = await stack.enter_async_context(device(server, "minji", folder / "seller"))
        buyer = await stack.enter_async_context(device(server, "bora", folder / "buyer"))
        room_id = await open_room(seller, buyer, folder)
        await stack.enter_async_context(seller.live())
        one = await stack.enter_async_context(machine(server, "bora", folder / "one"))
        two = await stack.enter_async_context(machine(server, "bora", folder / "two"))
        yield one, two, seller, room_id


async def test_messages_marks_mute_and_deletes_are_the_same_on_both(
    picky_server: PickyServer, tmp_path: Path
) -> None:
    async with bora_with_two(picky_server.url, tmp_path) as (one, two, seller, room_id):
        for number in range(5):
            await one.link.send_message(room_id, f"from one {number}")
            await two.link.send_message(room_id, f"from two {number}")
        await seller.outbox.put(room_id, "from minji")
        seller.delivery.wake()
        for here in (one, two):
            await here.until(lambda here=here: len(here.texts()) == 11)  # type: ignore[misc]
        assert one.texts() == two.texts()
        for sender in ("one", "two"):
            mine = [text for text in one.texts() if text.startswith(f"from {sender}")]
            assert mine == [f"from {sender} {number}" for number in range(5)]

        head = one.room(room_id).last_seq
        one.link.session.mark_read(room_id, head)
        for here in (one, two):
            await here.until(lambda here=here: here.room(room_id).read_seq == head)  # type: ignore[misc]
        assert (one.room(room_id).unread, two.room(room_id).unread) == (0, 0)

        await two.link.api.mute(room_id)
        await one.until(lambda: one.room(room_id).muted)

        seq = next(key[1] for key, said in one.messages.items() if said.text == "from one 2")
        await two.link.api.delete_message(room_id, seq)
        for here in (one, two):
            await here.until(lambda here=here: here.messages[room_id, seq].deleted)  # type: ignore[misc]
        assert one.link.store.state == two.link.store.state


async def test_drafts_are_of_each_device(picky_server: PickyServer, tmp_path: Path) -> None:
    async with bora_with_two(picky_server.url, tmp_path) as (one, two, _, room_id):
        await one.link.outbox.drafts.save(room_id, Draft("half a thou"))
        assert (await two.link.outbox.drafts.read(room_id)).text == ""


async def test_a_chat_left_on_one_is_off_the_list_of_the_other_and_comes_back_to_both(
    picky_server: PickyServer, tmp_path: Path
) -> None:
    async with bora_with_two(picky_server.url, tmp_path) as (one, two, seller, room_id):
        await one.link.send_message(room_id, "before")
        await two.until(lambda: two.texts() == ["before"])
        await one.link.leave_room(one.room(room_id))
        for here in (one, two):
            await here.until(lambda here=here: here.link.store.rooms_by_activity() == [])  # type: ignore[misc]
            assert await here.link.cache.messages(room_id) == []
        await seller.outbox.put(room_id, "are you there?")
        seller.delivery.wake()
        for here in (one, two):
            await here.until(lambda here=here: len(here.link.store.rooms_by_activity()) == 1)  # type: ignore[misc]
            assert here.room(room_id).unread == 1
            page = await here.link.api.messages(room_id)
            assert [message.text for message in page.items] == ["are you there?"]
            assert not page.has_more_before
