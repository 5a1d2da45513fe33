"""Who may come in, how, and what they are told when they may not."""

import asyncio
import json
from dataclasses import replace

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from websockets.exceptions import InvalidStatus

from server.accounts import api as accounts
from server.chat import api as chat
from server.platform import streams
from server.platform.context import Actor, Context
from server.platform.errors import Conflict
from server.platform.http import Authenticator, resolve_actor
from server.platform.streams import NewEvent
from server.platform.unit_of_work import UnitOfWork, transact
from server.realtime import gateway
from server.realtime.node import RealtimeNode
from server.realtime.settings import RealtimeSettings
from server.realtime.writer import Writer
from shared_models.realtime import SUBPROTOCOL, Welcome
from tests.realtime.conftest import PATIENCE_S, Connect, Dial, Person
from tests.server.conftest import problem
from tests.servers.figures import Counting, figure


async def test_a_token_on_the_upgrade_and_a_hello_are_welcome(join: Connect, buyer: Person) -> None:
    device = await join(buyer)
    welcome = Welcome.model_validate(device.welcome)
    assert welcome.account_id == buyer.id
    assert (welcome.resumed, welcome.pos, welcome.ping_s) == (False, 0, 25)
    assert device.socket.subprotocol == SUBPROTOCOL
    bootstrap = (await buyer.get("/v1/sync/bootstrap")).json()
    assert (str(welcome.epoch), welcome.pos) == (bootstrap["epoch"], bootstrap["pos"])


async def test_a_ticket_is_good_once(dial: Dial, buyer: Person) -> None:
    ticket = (await buyer.post("/v1/realtime/tickets")).json()["ticket"]
    first, second = await dial(), await dial()
    await first.say("hello", ticket=ticket, device="", client="")
    assert (await first.until("welcome"))["account_id"] == str(buyer.id)
    await second.say("hello", ticket=ticket, device="", client="")
    assert await second.closed() == 4500


async def test_a_dead_token_is_accepted_and_closed_so_that_every_client_can_read_why(
    dial: Dial, buyer: Person
) -> None:
    await buyer.delete("/v1/sessions/current")
    assert await (await dial(buyer)).closed() == 4500
    headers = {"Authorization": "Basic x"}
    assert await (await dial(additional_headers=headers)).closed() == 4500


@pytest.mark.parametrize(
    "failure",
    [
        Conflict("busy", "Somebody else was faster.", retryable=True),
        OperationalError("SELECT", None, OSError("away")),
    ],
)
async def test_who_cannot_be_looked_up_now_may_try_again(
    dial: Dial,
    buyer: Person,
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
) -> None:
    async def fail(*_: object) -> Actor:
        raise failure

    ticket = (await buyer.post("/v1/realtime/tickets")).json()["ticket"]
    monkeypatch.setattr(accounts, "redeem_ticket", fail)
    by_ticket = await dial()
    await by_ticket.say("hello", ticket=ticket, device="", client="")
    assert await by_ticket.closed() == 4003
    context.wiring.provide(Authenticator, replace(context.wiring.port(Authenticator), resolve=fail))
    assert await (await dial(buyer)).closed() == 4003


async def test_without_token_or_ticket_the_hello_is_refused(dial: Dial, port: int) -> None:
    device = await dial()
    await device.say("hello", device="", client="")
    assert await device.closed() == 4500


async def test_a_foreign_origin_is_refused_on_the_upgrade(dial: Dial, buyer: Person) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await dial(buyer, origin="https://evil.example")
    assert refused.value.response.status_code == 403


class TestAnAllowedOrigin:
    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(allowed_origins=frozenset({"https://picky.example"}))

    async def test_is_let_in(self, join: Connect, buyer: Person) -> None:
        device = await join(buyer, origin="https://picky.example")
        assert device.welcome["account_id"] == str(buyer.id)


@pytest.mark.parametrize("subprotocols", [None, ["picky.v9.json"]])
async def test_another_protocol_is_closed_as_unsupported(
    dial: Dial, buyer: Person, subprotocols: list[str] | None
) -> None:
    device = await dial(buyer, subprotocols=subprotocols)
    assert await device.closed() == 4502


@pytest.mark.parametrize(
    "first",
    ['{"t":"pong","n":1}', "not json", "[]", '{"t":"hello","pos":-1}', '{"t":"hello","pos":"1"}'],
)
async def test_the_first_frame_is_a_proper_hello(dial: Dial, buyer: Person, first: str) -> None:
    device = await dial(buyer)
    await device.socket.send(first)
    assert await device.closed() == 4501


async def test_hello_is_said_once(join: Connect, buyer: Person) -> None:
    device = await join(buyer)
    await device.say("hello", device="", client="")
    assert await device.closed() == 4501


async def test_binary_frames_are_a_violation(join: Connect, buyer: Person) -> None:
    device = await join(buyer)
    await device.socket.send(b"\x00")
    assert await device.closed() == 4501


class TestASilentClient:
    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(hello_s=0.05)

    async def test_is_closed_after_ten_seconds(self, dial: Dial, buyer: Person) -> None:
        assert await (await dial(buyer)).closed() == 4007


async def test_a_ninth_connection_closes_the_oldest(join: Connect, buyer: Person) -> None:
    devices = [await join(buyer) for _ in range(9)]
    assert await devices[0].closed() == 4503
    await devices[1].say("nothing")
    assert (await devices[1].until("err"))["code"] == "bad_frame"


async def test_signing_a_device_out_closes_its_sockets_and_no_others(
    join: Connect, buyer: Person
) -> None:
    body = {"handle": "buyer", "password": "correct horse battery"}
    answer = (await buyer.client.post("/v1/sessions", json=body)).json()
    phone = Person(
        id=buyer.id,
        handle="buyer",
        token=answer["token"],
        session_id=answer["session"]["id"],
        client=buyer.client,
    )
    first, second = await join(buyer), await join(phone)
    await buyer.delete(f"/v1/sessions/{phone.session_id}")
    assert await second.closed() == 4500
    await first.say("nothing")
    await first.until("err")


async def test_a_session_that_ends_between_its_token_and_its_hello_is_not_let_in(
    dial: Dial, buyer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved, resolve = asyncio.Event(), resolve_actor

    async def resolving(context: Context, token: str) -> Actor:
        actor = await resolve(context, token)
        resolved.set()
        return actor

    monkeypatch.setattr(gateway, "resolve_actor", resolving)
    device = await dial(buyer)
    await asyncio.wait_for(resolved.wait(), PATIENCE_S)
    await buyer.delete("/v1/sessions/current")
    await device.say("hello", device="", client="")
    assert await device.closed() == 4500
    assert device.welcome == {}


async def test_a_sign_out_that_the_bus_lost_is_found_when_heads_are_compared(
    join: Connect, buyer: Person, context: Context, node: RealtimeNode
) -> None:
    device = await join(buyer)
    context.bus.listen(lambda hint: None)
    await buyer.delete("/v1/sessions/current")
    await node.hub.reconcile()
    assert await device.closed() == 4500


async def test_a_frame_beyond_32_kib_is_closed_with_1009(join: Connect, buyer: Person) -> None:
    device = await join(buyer)
    await device.socket.send(json.dumps({"t": "x", "text": "x" * 33 * 1024}))
    assert await device.closed() == 1009


async def test_tickets_and_bootstrap_need_a_token(buyer: Person) -> None:
    problem(await buyer.client.post("/v1/realtime/tickets"), 401, "unauthenticated")
    problem(await buyer.client.get("/v1/sync/bootstrap"), 401, "unauthenticated")


async def test_a_line_whose_commands_have_failed_is_closed_and_not_left_deaf(
    join: Connect, buyer: Person, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = await join(buyer)

    async def fail(*_: object) -> None:
        raise LookupError("a bug")

    monkeypatch.setattr(chat, "mark_read", fail)
    await device.say("read", chatroom_id=room, seq=1)
    assert await device.closed() == 4003


class TestMany:
    """Who comes when too many are being worked on."""

    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(handshakes_most=2)

    @pytest.fixture
    def looked_up(self, context: Context) -> asyncio.Event:
        """Nobody's token is known before this is set."""
        free = asyncio.Event()
        usual = context.wiring.port(Authenticator)

        async def resolve(work: UnitOfWork, token: str) -> Actor:
            await free.wait()
            return await usual.resolve(work, token)

        context.wiring.provide(Authenticator, replace(usual, resolve=resolve))
        return free

    async def test_are_sent_away_for_a_while_before_anything_is_asked(
        self,
        client: httpx.AsyncClient,
        dial: Dial,
        buyer: Person,
        seller: Person,
        looked_up: asyncio.Event,
    ) -> None:
        looked_up.set()
        ticket = (await buyer.post("/v1/realtime/tickets")).json()["ticket"]
        looked_up.clear()
        counting = Counting()
        first, second = await dial(buyer), await dial(seller)
        for device in first, second:
            await device.say("hello", device="", client="")
        async with asyncio.timeout(PATIENCE_S):
            while figure("picky_handshakes_under_way") < 2:
                await client.get("/healthz")  # asking takes a moment
        by_token, by_ticket = await dial(buyer), await dial()
        await by_ticket.say("hello", ticket=ticket, device="", client="")
        for turned_away in by_token, by_ticket:
            bye = await turned_away.until("bye")
            assert bye["reason"] == "busy"
            assert 0 <= bye["reconnect_in_ms"] < 20_000
            assert await turned_away.closed() == 4000
        assert counting.grown("picky_handshakes_total", outcome="busy") == 2
        looked_up.set()
        for device in first, second:
            await device.until("welcome")
        assert figure("picky_handshakes_under_way") == 0
        again = await dial()
        await again.say("hello", ticket=ticket, device="", client="")
        await again.until("welcome")

    async def test_that_say_nothing_keep_nobody_out(
        self, dial: Dial, join: Connect, buyer: Person, seller: Person
    ) -> None:
        async with asyncio.timeout(PATIENCE_S):
            for person in (None, buyer, seller) * 2:
                await dial(person)
                while figure("picky_handshakes_under_way"):
                    await buyer.get("/v1/me")  # asking takes a moment
        await join(buyer)


class TestASlowReader:
    @pytest.fixture
    def realtime_settings(self) -> RealtimeSettings:
        return RealtimeSettings(handshakes_most=1, drain_s=0.01)

    async def test_keeps_nobody_out_with_what_it_has_missed(
        self,
        context: Context,
        dial: Dial,
        buyer: Person,
        seller: Person,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        waits, reads = asyncio.Event(), asyncio.Event()

        async def room(_writer: Writer) -> None:
            waits.set()
            await reads.wait()

        monkeypatch.setattr(Writer, "room", room)
        start = (await buyer.get("/v1/sync/bootstrap")).json()
        place = {"epoch": start["epoch"], "pos": start["pos"]}
        missed = {buyer.id: [NewEvent("account.changed", b"{}")]}
        await transact(context, None, lambda work: streams.append(work, missed))
        slow = await dial(buyer)
        await slow.say("hello", device="", client="", **place)
        await waits.wait()
        other = await dial(seller)
        await other.say("hello", device="", client="")
        await other.until("welcome")
        reads.set()
        await slow.until("batch")
