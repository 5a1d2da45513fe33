"""A client as the contract wants it: an outbox, a position, and nothing applied twice."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid5

from starlette.websockets import WebSocket

from client_tui.core.rooms import with_message, with_read_mark
from server.platform.context import Actor
from server.platform.unit_of_work import reading
from server.realtime.bootstrap import bootstrap
from shared_models.chat import Chatroom, Message, ReadMark
from shared_models.realtime import SUBPROTOCOL, CloseCode, EventKind
from shared_models.sync import Bootstrap
from tests.realtime.model.world import Node, World

Frame = dict[str, Any]
IN_FLIGHT = 16


class Socket:
    """Both ends of one websocket."""

    def __init__(self, token: str) -> None:
        self._incoming: asyncio.Queue[Frame] = asyncio.Queue()
        self._incoming.put_nowait({"type": "websocket.connect"})
        self.reads = asyncio.Event()
        self.reads.set()
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
        self.reads.set()

    def stall(self) -> None:
        """The client reads no more."""
        self.reads.clear()

    async def _take(self, message: Any) -> None:
        await self.reads.wait()
        if message["type"] == "websocket.send" and self.code is None:
            self.heard.append(json.loads(message["text"]))
        elif message["type"] == "websocket.close" and self.code is None:
            self.code = message.get("code", 1000)


class Device:
    """One device of an account, and everything it believes."""

    def __init__(self, world: World, actor: Actor, token: str, state: Bootstrap) -> None:
        self.world = world
        self.actor = actor
        self._token = token
        self.socket: Socket | None = None
        self.epoch: str | None = None
        self.pos: int | None = None
        self.outbox: dict[str, tuple[UUID, str]] = {}
        self.acknowledged: dict[str, tuple[str, int]] = {}
        self.rooms: dict[UUID, Chatroom] = {}
        self._came: dict[UUID, int] = {}
        self._read_seq: dict[tuple[UUID, UUID], int] = {}
        self.revoked = False
        self._believe(state)

    @property
    def counts(self) -> dict[UUID, tuple[int, int, int]]:
        """The last message of each room, the last one read, and how many are unread."""
        rooms = self.rooms.values()
        return {room.id: (room.last_seq, room.read_seq, room.unread) for room in rooms}

    @property
    def online(self) -> bool:
        """Whether it believes to have a line."""
        return self.socket is not None

    @property
    def stalled(self) -> bool:
        """Whether it reads no more."""
        return self.socket is not None and not self.socket.reads.is_set()

    def connect(self, node: Node) -> None:
        """A fresh line, from where the last one ended."""
        self.hang_up()
        self.socket = Socket(self._token)
        node.serve(self.socket.served, self.socket.cut)
        place = {"epoch": self.epoch, "pos": self.pos} if self.pos is not None else {}
        self.socket.say({"t": "hello", **place})

    def hang_up(self) -> None:
        """The line breaks."""
        if self.socket is not None:
            self.socket.cut()
            self.socket = None

    def send(self, room_id: UUID, text: str) -> None:
        """Write it to the outbox, and then to the line."""
        cid = str(uuid5(self.actor.session_id, text))
        self.outbox[cid] = room_id, text
        if len(self.outbox) <= IN_FLIGHT:
            self._send(cid)

    def send_again(self) -> None:
        """The oldest of what was not acknowledged, as many as may be in flight."""
        for cid in list(self.outbox)[:IN_FLIGHT]:
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
            await self._take(socket, socket.heard.pop(0))
        if socket is not None and socket.code is not None:
            if socket.code >= CloseCode.UNAUTHENTICATED:
                assert self.revoked, f"it is sent away for good: {socket.code}"
            self.socket = None

    async def _take(self, socket: Socket, frame: Frame) -> None:
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
                place = frame["chatroom_id"], frame["seq"]
                known = self.acknowledged.setdefault(frame["cid"], place)
                assert known == place, "one cid, one message"
            case "ping":
                socket.say({"t": "pong", "n": frame["n"]})
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
            self._believe(await bootstrap(work))

    def _believe(self, state: Bootstrap) -> None:
        self.epoch, self.pos = str(state.epoch), state.pos
        self.rooms = {room.id: room for room in state.chatrooms}
        self._came = {}
        mine = self.actor.account_id
        self._read_seq = {(room.id, mine): room.read_seq for room in state.chatrooms}

    def _event(self, frame: Frame) -> None:
        assert self.pos is not None
        if frame["pos"] <= self.pos:
            return  # it was in the bootstrap already
        assert frame["pos"] == self.pos + 1, "R1: applied events are a contiguous prefix"
        self.pos = frame["pos"]
        if frame["kind"] == EventKind.MESSAGE_NEW:
            self._message(Message.model_validate(frame["data"]))
        elif frame["kind"] == EventKind.CHATROOM_READ:
            self._mark(ReadMark.model_validate(frame["data"]))

    def _message(self, message: Message) -> None:
        """A bootstrap reads its position first: what it knows may still come, but nothing twice."""
        room, seq = self.rooms[message.chatroom_id], message.seq
        last = self._came.get(room.id, min(seq - 1, room.last_seq))
        assert seq == last + 1, "R2: the next one in its room, neither again nor after a hole"
        self._came[room.id] = seq
        self.rooms[room.id] = with_message(room, message, self.actor.account_id)

    def _mark(self, mark: ReadMark) -> None:
        whose = mark.chatroom_id, mark.account_id
        assert mark.seq >= self._read_seq.get(whose, 0), "read marks only rise"
        self._read_seq[whose] = mark.seq
        room = self.rooms[mark.chatroom_id]
        self.rooms[room.id] = with_read_mark(room, mark, self.actor.account_id)
