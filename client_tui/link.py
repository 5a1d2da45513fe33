"""What joins the core to the app: one account's api, line, outbox and copies, feeding one store."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from client_tui.core.api import Api, Http
from client_tui.core.cache import Cache
from client_tui.core.changes import Change
from client_tui.core.clock import Clock, SystemClock
from client_tui.core.config import MEGABYTE, Config, change_config, load_config
from client_tui.core.credentials import Credentials, CredentialStore
from client_tui.core.delivery import Delivery
from client_tui.core.errors import ClientError, StorageFailed, Unauthenticated
from client_tui.core.identity import device_name
from client_tui.core.market import kept_market, read_market
from client_tui.core.outbox import Outbox
from client_tui.core.paths import Paths
from client_tui.core.photos import PhotoFiles
from client_tui.core.session import Listener, Session
from client_tui.core.sign_in import keep, sign_in, sign_up
from client_tui.core.status import LineState, Status
from client_tui.core.uploads import Uploader
from client_tui.new_rooms import NewRooms
from client_tui.outgoing import Outgoing
from client_tui.pictures import Pictures
from client_tui.store import ListingChanged, PeerHere, PeerTyping, Store
from shared_models.accounts import SignedIn, SignUp
from shared_models.chat import Chatroom, Message, ReadMark
from shared_models.listings import ListingCard
from shared_models.market import Market
from shared_models.realtime import Ephemeral
from shared_models.sync import Bootstrap

_CLOCKS_AGREE: Final = timedelta(seconds=5)
_ANSWERS_WITHIN_S: Final = 5.0


class Link(Listener, Outgoing):
    """Everything the screens need of the world outside. One at a time is signed in."""

    def __init__(self, paths: Paths, *, clock: Clock | None = None) -> None:
        super().__init__(Store())
        self.paths = paths
        self.clock = clock or SystemClock()
        self.config: Config = load_config(paths.config_file)
        self._unwritten: dict[str, object] = {}
        """Settings that hold here and could not be written yet."""
        self.credential_store = CredentialStore(paths)
        self.credentials: Credentials | None = self.credential_store.load()
        self.status = Status(LineState.CONNECTING)
        self.new_rooms = NewRooms(self.store, read=self._read_room, keep=self._keep_room)
        self.store.on_unknown_room = self.new_rooms.heard
        self.pictures = Pictures(None)
        self.api: Api
        self.cache: Cache
        self.session: Session
        self._ended = False
        self._again = asyncio.Event()
        self.uploader: Uploader
        self.photo_files: PhotoFiles
        self._open = False
        self._market_is_fresh = False
        self._server_ahead = timedelta()

    @property
    def signed_in(self) -> bool:
        """Whether there is an account to start with."""
        return self.credentials is not None

    @property
    def is_open(self) -> bool:
        """Whether it is started and not closed."""
        return self._open

    @property
    def account_id(self) -> UUID:
        """Whose link this is; raises when nobody is signed in."""
        if self.credentials is None:
            raise RuntimeError("nobody is signed in")
        return self.credentials.account_id

    @property
    def market(self) -> Market:
        """The market's lists and limits; there once the link is started."""
        if self.store.market is None:
            raise RuntimeError("the link is not started")
        return self.store.market

    def now(self) -> datetime:
        """The present moment, by the server's clock: this machine's may be minutes off."""
        return self.clock.now() + self._server_ahead

    def time_told(self, server_time: datetime) -> None:
        """What time it is there. Less than what a slow line makes of it is no difference."""
        ahead = server_time - self.clock.now()
        self._server_ahead = ahead if abs(ahead) > _CLOCKS_AGREE else timedelta()

    def retry_in_s(self) -> int | None:
        """Seconds until the next try to connect."""
        if self.status.retry_at is None:
            return None
        return max(0, round(self.status.retry_at - self.clock.monotonic()))

    def silent_for_s(self) -> int:
        """Seconds for which the server has owed an answer; 0 while that is no longer than usual."""
        if self.status.state is not LineState.ONLINE:
            return 0
        waiting_s = self.session.unanswered_s()
        return int(waiting_s) if waiting_s > _ANSWERS_WITHIN_S else 0

    def remember(self, **changes: object) -> None:
        """Change settings and keep them; what can't be written is said, holds for now, and is
        written with the next ones.
        """
        self.config = replace(self.config, **changes)  # type: ignore[arg-type]
        self._unwritten |= changes
        try:
            self.config = change_config(self.paths.config_file, **self._unwritten)
        except StorageFailed as error:
            self.stumbled(error)
        else:
            self._unwritten.clear()

    def read_settings_again(self) -> None:
        """Take what another window or an editor has made of them; told where it can't be read."""
        try:
            now = load_config(self.paths.config_file)
        except StorageFailed as error:
            self.stumbled(error)
        else:
            self.config = replace(now, **self._unwritten)  # type: ignore[arg-type]

    # Signing in and out

    async def sign_up(self, server: str, form: SignUp) -> None:
        """A new account on a server, and the link to it."""
        self._enter(server, await sign_up(server, form))

    async def sign_in(self, server: str, handle: str, password: str) -> None:
        """An account that exists, and the link to it."""
        self._enter(server, await sign_in(server, handle, password))

    def _enter(self, server: str, signed_in: SignedIn) -> None:
        self.credentials = keep(self.credential_store, server, signed_in)
        self.remember(server=server)

    async def sign_out(self) -> str:
        """End this session on the server if it can be reached, and forget the token here.

        Why the server was not told, empty when it was. What waits to be sent stays on this machine.
        """
        untold = ""
        try:
            await self.api.end_session()
        except Unauthenticated:
            pass  # it had ended already
        except ClientError as error:
            untold = str(error)
        await self.close()
        self.credential_store.clear()
        self.credentials = None
        self.store.clear()
        return untold

    # Life

    async def start(self) -> None:
        """Open what is on disk; the server is waited for only where it was never heard before.

        Raises :class:`ClientError` when there is neither an answer nor a copy of the market's
        lists; then nothing is left open.
        """
        async with contextlib.AsyncExitStack() as opened:
            await self._open_all(self.account_id, opened)
            copy = kept_market(self.paths.market_file(self.account_id))
            self._market_is_fresh = copy is None
            self.store.market = copy or await self._read_market()
            await self._show_copies()
            await self.recount_queue()
            self._open = True
            opened.pop_all()

    async def _open_all(self, me: UUID, opened: contextlib.AsyncExitStack) -> None:
        assert self.credentials is not None
        server, token = self.credentials.server, self.credentials.token
        self.api = Api(Http(server, token))
        opened.push_async_callback(self.api.aclose)
        self.outbox = await Outbox(self.paths.outbox_file(me)).open()
        opened.push_async_callback(self.outbox.close)
        self.cache = await Cache(self.paths.cache_file(me), me=me, on_trouble=self.stumbled).open()
        opened.push_async_callback(self.cache.close)
        self.photo_files = PhotoFiles(
            self.paths.photo_directory(me),
            self.api.photo,
            bytes_max=self.config.photo_cache_mb * MEGABYTE,
        )
        self.pictures = Pictures(self.photo_files)
        opened.callback(self.pictures.close)
        self.uploader = Uploader(self.api)
        self.session = Session(
            server,
            token,
            journal=self.cache,
            bootstrap=self.api.bootstrap,
            listener=self,
            device=device_name(),
            clock=self.clock,
            send_marks=lambda: self.config.send_read_marks,
        )
        self.delivery = Delivery(self.outbox, self.session, self.uploader, listener=self)

    async def _read_market(self) -> Market:
        return await read_market(self.api, self.paths.market_file(self.account_id))

    async def _refresh_market(self) -> None:
        """Replace the copy as soon as the server is there. If it will not tell, the copy serves."""
        if self._market_is_fresh:
            return
        await self.session.wait_online()
        with contextlib.suppress(ClientError):
            self.store.market = await self._read_market()
            self._market_is_fresh = True

    async def _show_copies(self) -> None:
        """What was known when the app was last open, until the server says what is new."""
        if self.store.me is None:
            copies = await self.cache.copies()
            if copies is not None:
                self.store.restore(copies)
                self.session.start_from(copies.position)

    async def run(self) -> None:
        """The line and the outbox, until cancelled. After an end it waits for :meth:`retry`."""
        beside = [
            asyncio.create_task(self.delivery.run(), name="delivery"),
            asyncio.create_task(self._refresh_market(), name="market"),
        ]
        try:
            while True:
                self._ended = False
                await self.session.run()
                self._ended = True
                self._again.clear()
                await self._again.wait()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    def retry(self) -> None:
        """Connect now: instead of waiting for the next try, or after an end that had none.

        ``status.reason`` says what ended the line. Does nothing while it is live.
        """
        if self._ended:
            self._again.set()
        elif self._open:
            self.session.retry_now()

    async def close(self) -> None:
        """Close files and connections."""
        if not self._open:
            return
        self._open = False
        self.pictures.close()
        await self.new_rooms.close()
        await self.finish_small_work()
        await self.api.aclose()
        await self.outbox.close()
        await self.cache.close()

    async def _read_room(self, room_id: UUID) -> Chatroom:
        return await self.api.room(room_id)

    async def _keep_room(self, room: Chatroom) -> None:
        with contextlib.suppress(StorageFailed):  # the copy is older, and no less right
            await self.cache.save_room(room)

    # What the line tells

    def status_changed(self, status: Status) -> None:
        """The connection is in another state."""
        self.status = status
        if status.state is LineState.ONLINE:
            self.delivery.wake()
            self.read_outbox_again()
        self.on_status()

    def rebased(self, state: Bootstrap) -> None:
        """Start over."""
        self.forget_leaving()
        self.store.reset(state)

    def changed(self, changes: Sequence[Change]) -> None:
        """Steps of the stream."""
        for step in changes:
            self.store.apply(step)
        self.came_back([step.data for step in changes if isinstance(step.data, Message)])

    def noticed(self, ephemeral: Ephemeral) -> None:
        """The other side types or looks at a room, or no more."""
        seconds = ephemeral.ttl_ms / 1000 if ephemeral.data.get("on", True) else 0.0
        does = PeerTyping if ephemeral.kind == "typing" else PeerHere
        self.store.publish(does(ephemeral.chatroom_id, seconds))

    def seen_only_here(self, room_id: UUID, seq: int) -> None:
        """Nobody is told, so that no event will take these from the unread ones."""
        room = self.store.state.rooms.get(room_id)
        if room is not None and seq > room.read_seq:
            unread = max(0, min(room.unread, room.last_seq - seq))
            mark = ReadMark(chatroom_id=room_id, account_id=self.account_id, seq=seq, unread=unread)
            self.store.mark_read(mark)
            self.soon(partial(self._keep_room, self.store.state.rooms[room_id]))

    # Small things several screens do

    async def leave_room(self, room: Chatroom) -> None:
        """Off the list until a new message; what was said so far is gone from here (rule 15)."""
        await self.api.leave(room.id)
        left = room.model_copy(update={"left": True, "unread": 0})
        self.store.put_room(left)
        await self._keep_room(left)

    async def toggle_like(self, card: ListingCard) -> None:
        """Like it, or no longer; every list hears of the card as it is now."""
        if card.liked:
            await self.api.unlike(card.id)
        else:
            await self.api.like(card.id)
        step = -1 if card.liked else 1
        changed = card.model_copy(
            update={"liked": not card.liked, "like_count": max(0, card.like_count + step)}
        )
        self.store.publish(ListingChanged(changed))
