"""A person of the demo market, who comes in by the public protocol like anybody else."""

import asyncio
import contextlib
from collections.abc import Sequence
from uuid import UUID, uuid4

from client_tui.core.api import Api, Http
from client_tui.core.changes import Change, Position
from client_tui.core.clock import Clock
from client_tui.core.errors import Disconnected
from client_tui.core.session import Session
from client_tui.demo.habits import Step
from shared_models.accounts import SignIn
from shared_models.chat import ChatroomDetail
from shared_models.sync import Bootstrap
from shared_models.trades import ReviewCreate, TradeCreate

_SECONDS_A_LETTER = 0.04
_CARRIER, _PARCEL = "cj", "611223344556"


class Memory:
    """How far the stream was applied; a neighbour keeps nothing on disk."""

    def __init__(self) -> None:
        self._position: Position | None = None

    async def position(self) -> Position | None:
        """The position of the last change."""
        return self._position

    async def apply(self, epoch: str, changes: Sequence[Change]) -> None:
        """Count changes."""
        self._position = Position(epoch, changes[-1].pos)

    async def rebase(self, state: Bootstrap) -> None:
        """Start anew."""
        self._position = Position(str(state.epoch), state.pos)


class Neighbour:
    """Somebody signed in, with a line of their own. Make one with :meth:`arrive`."""

    def __init__(self, api: Api, account_id: UUID, session: Session, clock: Clock) -> None:
        self.api = api
        self.id = account_id
        self._session = session
        self._clock = clock
        self._line = asyncio.create_task(session.run(), name="neighbour")

    @classmethod
    async def arrive(cls, server: str, handle: str, password: str, clock: Clock) -> "Neighbour":
        """Sign in and come online."""
        async with Api(Http(server)) as visitor:
            form = SignIn(handle=handle, password=password, device="phone")
            signed_in = await visitor.sign_in(form)
        api = Api(Http(server, signed_in.token))
        session = Session(server, signed_in.token, journal=Memory(), bootstrap=api.bootstrap)
        neighbour = cls(api, signed_in.account.id, session, clock)
        await session.wait_online()
        return neighbour

    async def leave(self) -> None:
        """Go offline."""
        self._line.cancel()
        await asyncio.gather(self._line, return_exceptions=True)
        await self.api.aclose()

    async def look(self, room_id: UUID) -> ChatroomDetail:
        """A room, with everything in it seen."""
        room = await self.api.room(room_id)
        self._session.mark_read(room_id, room.last_seq)
        return room

    async def do(self, room: ChatroomDetail, step: Step) -> None:
        """Say and do it. Raises :class:`~client_tui.core.errors.ClientError` when refused."""
        if step.line is not None:
            await self._say(room.id, step.line)
        if step.action is not None:
            await getattr(self, step.action)(room, step)

    async def _say(self, room_id: UUID, line: str) -> None:
        await self._session.typing(room_id, True)
        await self._clock.sleep(_SECONDS_A_LETTER * len(line))
        with contextlib.suppress(Disconnected):
            await self._session.send(room_id, uuid4(), line)

    # The actions of a step

    async def make_offer(self, room: ChatroomDetail, step: Step) -> None:
        """Offer a price."""
        await self.api.make_offer(room.id, step.amount)

    async def accept_offer(self, room: ChatroomDetail, _step: Step) -> None:
        """Take the offer on the table."""
        assert room.offer is not None
        await self.api.accept_offer(room.offer.id)

    async def decline_offer(self, room: ChatroomDetail, _step: Step) -> None:
        """Refuse it."""
        assert room.offer is not None
        await self.api.decline_offer(room.offer.id)

    async def counter_offer(self, room: ChatroomDetail, step: Step) -> None:
        """Answer it with another price."""
        assert room.offer is not None
        await self.api.counter_offer(room.offer.id, step.amount)

    async def accept_appointment(self, room: ChatroomDetail, _step: Step) -> None:
        """Agree to a time and place."""
        assert room.appointment is not None
        await self.api.accept_appointment(room.appointment.id)

    async def reserve(self, room: ChatroomDetail, _step: Step) -> None:
        """Reserve one's own listing for the other side."""
        price, method = room.listing.price or 0, room.listing.method
        form = TradeCreate(
            chatroom_id=room.id, expected_price=price, method="post" if method == "post" else "meet"
        )
        await self.api.reserve(form)

    async def confirm(self, room: ChatroomDetail, _step: Step) -> None:
        """Handed over, or received."""
        assert room.trade is not None
        await self.api.confirm(room.trade.id, room.trade.version)

    async def ship(self, room: ChatroomDetail, _step: Step) -> None:
        """Send it."""
        assert room.trade is not None
        await self.api.ship(room.trade.id, room.trade.version, _CARRIER, _PARCEL)

    async def review(self, room: ChatroomDetail, _step: Step) -> None:
        """Be content."""
        assert room.trade is not None
        form = ReviewCreate(rating=5, tags=["friendly", "fast_replies"], comment="A pleasure.")
        await self.api.review(room.trade.id, form)
