"""A session with everything around it led by the test."""

from contextlib import AbstractAsyncContextManager

from client_tui.core.cache import Cache
from client_tui.core.session import Session
from client_tui.core.status import LineState
from shared_models.sync import Bootstrap
from tests.client.core.fakes import (
    FakeClock,
    FakeServer,
    Peer,
    Recorder,
    bootstrap,
    meanwhile,
    room,
    welcome,
)


class World:
    """A session with everything around it that a test leads."""

    def __init__(self, server: FakeServer, cache: Cache) -> None:
        self.server = server
        self.cache = cache
        self.clock = FakeClock()
        self.heard = Recorder()
        self.bootstraps: list[Bootstrap | Exception] = []
        self.session = Session(
            server.url,
            "token",
            journal=cache,
            bootstrap=self._bootstrap,
            listener=self.heard,
            device="test",
            clock=self.clock,
            chance=lambda: 1.0,
        )

    async def _bootstrap(self) -> Bootstrap:
        state = self.bootstraps.pop(0)
        if isinstance(state, Exception):
            raise state
        return state

    async def greeted(self, *, pos: int, resumed: bool = True) -> Peer:
        """A connection that is live."""
        peer = await self.server.peer()
        await peer.receive()
        await peer.send(welcome(pos, resumed=resumed))
        await self.heard.until_state(LineState.ONLINE)
        return peer

    async def past(self, pos: int) -> None:
        """Have been here before, up to ``pos``."""
        await self.cache.rebase(bootstrap(pos, [room()]))


def running(world: World) -> AbstractAsyncContextManager[None]:
    """The session runs meanwhile."""
    return meanwhile(world.session.run())
