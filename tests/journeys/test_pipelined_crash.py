"""A server that is killed amid a flood of messages: what it acknowledged is there, once."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from websockets import ConnectionClosed
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from shared_models.realtime import SUBPROTOCOL
from tests.journeys.devices import Device, device, open_room
from tests.servers.lifetime import Lifetime
from tests.servers.picky import PickyServer, start_picky

COUNT = 1000
CRASH_AFTER = 300
UNANSWERED_MOST = 100
"""More than the server has under way at once, and few enough that no answers of a whole flood can
wait to be heard while the server is still to be killed."""
SAFETY_LINE_SEQ = 1
Frame = dict[str, Any]


def text_of(number: int) -> str:
    return f"message {number}"


class Pipeline:
    """A bare connection that sends without waiting for answers, and collects them."""

    def __init__(self, server: PickyServer, sender: Device, room_id: UUID) -> None:
        self._url = f"{server.url.replace('http', 'ws', 1)}/v1/realtime"
        self._token = sender.token
        self._room_id = str(room_id)
        self.answers: dict[str, Frame] = {}
        self._places = asyncio.Semaphore(UNANSWERED_MOST)

    async def send(self, cids: Sequence[tuple[int, str]], crash: "Crash | None" = None) -> None:
        """Send all of them in order; until every one is answered, or the connection is cut."""
        async with connect(
            self._url,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            additional_headers={"Authorization": f"Bearer {self._token}"},
            compression=None,
            ping_interval=None,
            close_timeout=1,
            proxy=None,
        ) as socket:
            with suppress(ConnectionClosed):
                await socket.send(json.dumps({"t": "hello"}))
                async with asyncio.TaskGroup() as both:
                    sending = both.create_task(self._send_all(socket, cids))
                    await self._hear_all(socket, len(cids), crash)
                    sending.cancel()  # where the connection is cut it may wait for an answer

    async def _send_all(self, socket: Any, cids: Sequence[tuple[int, str]]) -> None:
        with suppress(ConnectionClosed):
            for number, cid in cids:
                await self._places.acquire()
                body = {"cid": cid, "chatroom_id": self._room_id, "text": text_of(number)}
                await socket.send(json.dumps({"t": "send", "id": str(number), **body}))

    async def _hear_all(self, socket: Any, expected: int, crash: "Crash | None") -> None:
        with suppress(ConnectionClosed):
            while len(self.answers) < expected:
                frame = json.loads(await socket.recv())
                assert frame["t"] != "err", frame
                if frame["t"] == "ping":
                    await socket.send(json.dumps({"t": "pong", "n": frame["n"]}))
                if frame["t"] == "ok":
                    self.answers[frame["cid"]] = frame
                    self._places.release()
                    if crash is not None:
                        crash.after(len(self.answers))


class Crash:
    """Kills the server once, amid the flood."""

    def __init__(self, server: PickyServer) -> None:
        self._server = server
        self.happened = False

    def after(self, answered: int) -> None:
        if answered >= CRASH_AFTER and not self.happened:
            self.happened = True
            self._server.kill()


async def read_history(server: PickyServer, sender: Device, room_id: UUID) -> list[Frame]:
    """Every message of the room, page by page."""
    messages: list[Frame] = []
    headers = {"Authorization": f"Bearer {sender.token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as client:
        more = True
        while more:
            after = messages[-1]["seq"] if messages else 0
            page = (
                await client.get(
                    f"/v1/chatrooms/{room_id}/messages", params={"after": after, "limit": 100}
                )
            ).json()
            messages += page["items"]
            more = page["has_more_after"]
    return messages


@pytest.mark.timeout(240)
async def test_a_crash_amid_a_thousand_pipelined_messages_loses_none_that_was_acknowledged(
    picky_server: PickyServer, private_lifetime: Lifetime, database_url: str, tmp_path: Path
) -> None:
    cids = [(number, str(uuid4())) for number in range(COUNT)]
    async with (
        device(picky_server.url, "minji", tmp_path / "seller") as seller,
        device(picky_server.url, "bora", tmp_path / "buyer") as buyer,
    ):
        room_id = await open_room(seller, buyer, tmp_path)
        flood = Pipeline(picky_server, buyer, room_id)
        await flood.send(cids, Crash(picky_server))
        assert CRASH_AFTER <= len(flood.answers) < COUNT, "not killed amid the flood"

        server = await asyncio.to_thread(
            start_picky, private_lifetime, port=picky_server.port, database_url=database_url
        )
        kept = await read_history(server, buyer, room_id)
        assert [message["seq"] for message in kept] == list(range(1, len(kept) + 1))
        stored = {message["cid"]: message for message in kept[SAFETY_LINE_SEQ:]}
        assert len(stored) == len(kept) - SAFETY_LINE_SEQ
        for cid, answer in flood.answers.items():
            assert (stored[cid]["seq"], stored[cid]["id"]) == (answer["seq"], answer["message_id"])

        unanswered = [(number, cid) for number, cid in cids if cid not in flood.answers]
        again = Pipeline(server, buyer, room_id)
        await again.send(unanswered)
        duplicates = {cid for cid, answer in again.answers.items() if answer["duplicate"]}
        assert duplicates == stored.keys() - flood.answers.keys()
        complete = await read_history(server, buyer, room_id)
        assert [message["text"] for message in complete[SAFETY_LINE_SEQ:]] == [
            text_of(number) for number in range(COUNT)
        ]
        assert [message["seq"] for message in complete] == list(range(1, COUNT + 2))
