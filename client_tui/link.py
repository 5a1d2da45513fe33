"""What joins the core to the app: one account's api, line, outbox and copies, feeding one store."""

import asyncio
import contextlib
import platform
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from client_tui.core.api import Api, Http
from client_tui.core.cache import Cache
from client_tui.core.changes import Change
from client_tui.core.clock import Clock, SystemClock
from client_tui.core.config import MEGABYTE, Config, load_config, save_config
from client_tui.core.credentials import Credentials, CredentialStore
from client_tui.core.delivery import Delivery, DeliveryListener
from client_tui.core.errors import ClientError, StorageFailed
from client_tui.core.market import kept_market, read_market
from client_tui.core.outbox import Outbox, OutboxMessage, OutboxState
from client_tui.core.paths import Paths
from client_tui.core.photos import PhotoFiles
from client_tui.core.session import Listener, Session
from client_tui.core.status import LineState, Status
from client_tui.core.uploads import Progress, Uploader
from client_tui.new_rooms import NewRooms
from client_tui.pictures import Pictures
from client_tui.store import DeliveryChanged, Discarded, ListingChanged, PeerTyping, Sent, Store
from shared_models.accounts import SignedIn, SignIn, SignUp
from shared_models.chat import Chatroom, ReadMark
from shared_models.listings import ListingCard
from shared_models.market import Market
from shared_models.realtime import Ephemeral, Ok
from shared_models.sync import Bootstrap

_CLOCKS_AGREE: Final = timedelta(seconds=5)


class Link(Listener, DeliveryListener):
    """Everything the screens need of the world outside. One at a time is signed in."""

    def __init__(self, paths: Paths, *, clock: Clock | None = None) -> None:
        self.paths = paths
        self.clock = clock or SystemClock()
        self.config: Config = load_config(paths.config_file)
        self.credential_store = CredentialStore(paths)
        self.credentials: Credentials | None = self.credential_store.load()
        self.store = Store()
        self.status = Status(LineState.CONNECTING)
        self.new_rooms = NewRooms(self.store, read=self._read_room, keep=self._keep_room)
        self.store.on_unknown_room = self.new_rooms.heard
        self.queued_count = 0
        self.on_status: Callable[[], None] = lambda: None
        self.on_trouble: Callable[[Exception], None] = lambda error: None
        """Hears what failed on this machine and is tried again by itself."""
        self.pictures = Pictures(None)
        self.api: Api
        self.outbox: Outbox
        self.cache: Cache
        self.session: Session
        self._small_work: set[asyncio.Task[None]] = set()
        self._ended = False
        self._again = asyncio.Event()
        self.delivery: Delivery
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

    def remember(self, **changes: object) -> None:
        """Change settings and keep them; what can't be written is said, and holds for now."""
        self.config = replace(self.config, **changes)  # type: ignore[arg-type]
        save_config(self.paths.config_file, self.config)

    # Signing in and out

    async def sign_up(self, server: str, form: SignUp) -> None:
        """A new account on a server, and the link to it."""
        async with Api(Http(server)) as visitor:
            await self._enter(server, await visitor.sign_up(form))

    async def sign_in(self, server: str, handle: str, password: str) -> None:
        """An account that exists, and the link to it."""
        async with Api(Http(server)) as visitor:
            form = SignIn(handle=handle, password=password, device=platform.node()[:60] or None)
            await self._enter(server, await visitor.sign_in(form))

    async def _enter(self, server: str, signed_in: SignedIn) -> None:
        account = signed_in.account
        self.credentials = Credentials(server, account.id, account.handle, signed_in.token)
        self.credential_store.save(self.credentials)
        self.remember(server=server)

    async def sign_out(self) -> None:
        """End this session on the server if it can be reached, and forget the token here."""
        with contextlib.suppress(ClientError):
            await self.api.end_session()
        await self.close()
        self.credential_store.clear()
        self.credentials = None
        self.store.clear()

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
        self.cache = await Cache(self.paths.cache_file(me), me=me).open()
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
            device=platform.node()[:60],
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
        await asyncio.gather(*self._small_work, return_exceptions=True)
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
        self.on_status()

    def rebased(self, state: Bootstrap) -> None:
        """Start over."""
        self.store.reset(state)

    def changed(self, changes: Sequence[Change]) -> None:
        """Steps of the stream."""
        for step in changes:
            self.store.apply(step)

    def noticed(self, ephemeral: Ephemeral) -> None:
        """The other side types, or no more."""
        if ephemeral.kind == "typing":
            on = bool(ephemeral.data.get("on", True))
            seconds = ephemeral.ttl_ms / 1000 if on else 0.0
            self.store.publish(PeerTyping(ephemeral.chatroom_id, seconds))

    def seen_only_here(self, room_id: UUID, seq: int) -> None:
        """Nobody is told, so that no event will take these from the unread ones."""
        room = self.store.state.rooms.get(room_id)
        if room is not None and seq > room.read_seq:
            unread = max(0, min(room.unread, room.last_seq - seq))
            mark = ReadMark(chatroom_id=room_id, account_id=self.account_id, seq=seq, unread=unread)
            self.store.mark_read(mark)
            self._soon(self._keep_room(self.store.state.rooms[room_id]))

    # Messages on their way

    async def send_message(
        self, room_id: UUID, text: str, photos: Sequence[Path] = ()
    ) -> OutboxMessage:
        """Write a message to the outbox; it is delivered when the line allows."""
        message = await self.outbox.put(room_id, text, photos, written=self._written)
        self.delivery.wake()
        await self.recount_queue()
        return message

    def _written(self, message: OutboxMessage) -> None:
        self.store.publish(DeliveryChanged(message))

    async def retry_message(self, message: OutboxMessage, *, confirmed: bool = False) -> None:
        """Send a failed message again; ``confirmed`` answers a question of the scam guard."""
        again = confirmed or message.confirmed
        await self.queued_again(await self.outbox.retry(message.cid, confirmed=again))

    async def queued_again(self, message: OutboxMessage) -> None:
        """A message of the outbox is to go now."""
        self.store.publish(DeliveryChanged(message))
        self.delivery.wake()
        await self.recount_queue()

    async def discard_message(self, message: OutboxMessage) -> None:
        """Throw a waiting message away; :class:`NotEditable` once it may have been sent."""
        await self.outbox.discard(message.cid)
        self.store.publish(Discarded(message))
        await self.recount_queue()

    async def recount_queue(self) -> None:
        """How many messages are still to go by themselves, for the status cell."""
        waiting = await self.outbox.waiting()
        self.queued_count = sum(one.state is not OutboxState.FAILED for one in waiting)
        self.on_status()

    def sent(self, message: OutboxMessage, ok: Ok) -> None:
        """On the server."""
        self.store.publish(Sent(message, ok))
        self._soon(self.recount_queue())

    def altered(self, message: OutboxMessage) -> None:
        """Sending, or failed."""
        self.store.publish(DeliveryChanged(message))
        self._soon(self.recount_queue())

    def progressed(self, message: OutboxMessage, progress: Progress) -> None:
        """A photo of it is on its way."""
        self.store.publish(DeliveryChanged(message, progress))

    def stumbled(self, error: Exception) -> None:
        """The disk, or what nobody thought of."""
        self.on_trouble(error)

    def _soon(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(self._carefully(work))
        self._small_work.add(task)
        task.add_done_callback(self._small_work.discard)

    async def _carefully(self, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except StorageFailed as error:
            self.on_trouble(error)

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
