"""A client as the contract wants it: an outbox, a position, and nothing applied twice."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

from starlette.websockets import WebSocket

from server.platform.context import Actor
from server.platform.unit_of_work import reading
from server.realtime.bootstrap import bootstrap
from shared_models.realtime import SUBPROTOCOL
from tests.realtime.model.world import Node, World

Frame = dict[str, Any]
FINAL = {4500, 4501, 4502, 4503, 4504}


class Socket:
    """Both ends of one websocket. ``open`` is false when its peer reads no more."""

    def __init__(self, token: str) -> None:
        self._incoming: asyncio.Queue[Frame] = asyncio.Queue()
        self._incoming.put_nowait({"type": "websocket.connect"})
        self._reads = asyncio.Event()
        self._reads.set()
        self.heard: list[Frame] = []
        self.code: int | None = None
        scope = {
            "type": "websocket",
            "headers": [(b"authorization", f"Bearer {token}".encode())],
            "subprotocols": [SUBPROTOCOL],
        }
        self.served = WebSocket(scope, self._incoming.get, self._take)

    def say(self, frame: Frame) -> None:
        """The client sends."""
        self._incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(frame)})

    def cut(self) -> None:
        """The line breaks; what was not heard by now never is."""
        self.code = self.code or 1006
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": 1006})
        self._reads.set()

    def stall(self) -> None:
        """The client reads no more."""
        self._reads.clear()

    async def _take(self, message: Any) -> None:
        await self._reads.wait()
        if message["type"] == "websocket.send" and self.code is None:
            self.heard.append(json.loads(message["text"]))
        elif message["type"] == "websocket.close" and self.code is None:
            self.code = message.get("code", 1000)


class Device:
    """One device of an account, and everything it believes."""

    def __init__(self, world: World, actor: Actor, token: str) -> None:
        self.world = world
        self.actor = actor
        self.token = token
        self.socket: Socket | None = None
        self.epoch: str | None = None
        self.pos: int | None = None
        self.outbox: dict[str, tuple[UUID, str]] = {}
        self.acknowledged: dict[str, tuple[str, int]] = {}
        self.last_seq: dict[str, int] = {}
        self.read_seq: dict[tuple[str, str], int] = {}
        self.revoked = False

    def connect(self, node: Node) -> None:
        """A fresh line, from where the last one ended."""
        self.hang_up()
        self.socket = Socket(self.token)
        node.serve(self.socket.served)
        place = {"epoch": self.epoch, "pos": self.pos} if self.pos is not None else {}
        self.socket.say({"t": "hello", **place})

    def hang_up(self) -> None:
        """The line breaks."""
        if self.socket is not None:
            self.socket.cut()
            self.socket = None

    def send(self, room_id: UUID, text: str) -> None:
        """Write it to the outbox, and then to the line."""
        cid = str(uuid4())
        self.outbox[cid] = room_id, text
        self._send(cid)

    def send_again(self) -> None:
        """The oldest of what was not acknowledged, as many as may be in flight."""
        for cid in list(self.outbox)[:16]:
            self._send(cid)

    def _send(self, cid: str) -> None:
        if self.socket is not None:
            room_id, text = self.outbox[cid]
            body = {"cid": cid, "chatroom_id": str(room_id), "text": text}
            self.socket.say({"t": "send", "id": cid, **body})

    def say(self, t: str, room_id: UUID, **fields: Any) -> None:
        """Any other frame about a room."""
        if self.socket is not None:
            self.socket.say({"t": t, "chatroom_id": str(room_id), **fields})

    async def listen(self) -> None:
        """Take in everything that was heard."""
        socket = self.socket
        while socket is not None and socket.heard:
            frame = socket.heard.pop(0)
            await self._take(frame)
        if socket is not None and socket.code is not None:
            assert (socket.code in FINAL) == self.revoked, socket.code
            self.socket = None

    async def _take(self, frame: Frame) -> None:
        match frame["t"]:
            case "welcome":
                await self._welcome(frame)
            case "event":
                self._event(frame)
            case "batch":
                for event in frame["events"]:
                    self._event(event)
            case "ok":
                self.outbox.pop(frame["cid"], None)
                known = self.acknowledged.setdefault(
                    frame["cid"], (frame["chatroom_id"], frame["seq"])
                )
                assert known == (frame["chatroom_id"], frame["seq"]), "one cid, one message"
            case "reset":
                self.pos = None
            case "err":
                assert frame["retryable"], frame

    async def _welcome(self, frame: Frame) -> None:
        self.epoch = frame["epoch"]
        if frame["resumed"]:
            assert frame["pos"] == self.pos
            return
        async with reading(self.world.context, self.actor) as work:
            state = await bootstrap(work)
        self.epoch, self.pos = str(state.epoch), state.pos
        self.last_seq = {str(room.id): room.last_seq for room in state.chatrooms}
        mine = str(self.actor.account_id)
        self.read_seq = {(str(room.id), mine): room.read_seq for room in state.chatrooms}

    def _event(self, frame: Frame) -> None:
        assert self.pos is not None
        if frame["pos"] <= self.pos:
            return  # it was in the bootstrap already
        assert frame["pos"] == self.pos + 1, "R1: applied events are a contiguous prefix"
        self.pos = frame["pos"]
        data = frame["data"]
        if frame["kind"] == "message.new":
            room_id, seq = data["chatroom_id"], data["seq"]
            if seq > self.last_seq.get(room_id, 0):
                assert seq == self.last_seq.get(room_id, 0) + 1, "R2: no hole in a room"
                self.last_seq[room_id] = seq
        elif frame["kind"] == "chatroom.read":
            mark = data["chatroom_id"], data["account_id"]
            assert data["seq"] >= self.read_seq.get(mark, 0), "read marks only rise"
            self.read_seq[mark] = data["seq"]
