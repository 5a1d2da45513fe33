"""One account's messages on their way: written, counted, changed, and told to the store."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from client_tui.core.delivery import Delivery, DeliveryListener
from client_tui.core.errors import StorageFailed
from client_tui.core.outbox import Outbox, OutboxMessage, OutboxPhoto, OutboxState
from client_tui.core.uploads import Progress
from client_tui.store import DeliveryChanged, Discarded, OutboxChanged, Sent, Store
from shared_models.chat import Message
from shared_models.realtime import Ok


class Outgoing(DeliveryListener):
    """The way out of this account: what the screens do with the outbox, and what they hear of it.

    Several windows of one account share an outbox, and each of them delivers.
    """

    outbox: Outbox
    delivery: Delivery

    def __init__(self, store: Store) -> None:
        self.store = store
        self.queued_count = 0
        self.failed: Mapping[UUID, int] = {}
        """How many messages of each room were not sent and do not go by themselves."""
        self.on_status: Callable[[], None] = lambda: None
        self.on_trouble: Callable[[Exception], None] = lambda error: None
        """Hears what failed on this machine and is tried again by itself."""
        self.on_refused: Callable[[OutboxMessage], None] = lambda message: None
        """Hears of the first message of a room that is not sent; the others are counted."""
        self._leaving: set[UUID] = set()
        """What has left from here and has not come back as an event yet."""
        self._small_work: set[asyncio.Task[None]] = set()
        self._look: asyncio.Task[None] | None = None
        self._may_be_left = False
        """Whether something was queued at the last look that another program had written."""

    async def send_message(
        self,
        room_id: UUID,
        text: str,
        photos: Sequence[Path] = (),
        *,
        clears_draft: bool = False,
    ) -> OutboxMessage:
        """Write a message to the outbox; it is delivered when the line allows.

        ``clears_draft``: it was the room's draft until now.
        """
        message = await self.outbox.put(
            room_id, text, photos, clears_draft=clears_draft, written=self._written
        )
        self.delivery.wake()
        await self.carefully(self.recount_queue)
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
        await self.carefully(self.recount_queue)

    async def take_photo_out(self, message: OutboxMessage, photo: OutboxPhoto) -> None:
        """A waiting message goes without one of its photos; errors as for discarding it."""
        await self.queued_again(await self.outbox.take_out(message.cid, photo))

    async def discard_message(self, message: OutboxMessage) -> None:
        """Throw a waiting message away; :class:`NotEditable` once it may have been sent."""
        await self.outbox.discard(message.cid)
        self.store.publish(Discarded(message))
        await self.carefully(self.recount_queue)

    async def recount_queue(self) -> None:
        """How many messages are still to go and how many failed, for all that shows it."""
        count = await self.outbox.count()
        self.queued_count, self.failed = count.queued, count.failed
        self.on_status()

    def sent(self, message: OutboxMessage, ok: Ok) -> None:
        """On the server."""
        self.store.publish(Sent(message, ok))
        self.soon(self.recount_queue)

    def altered(self, message: OutboxMessage) -> None:
        """Sending, failed, or queued again."""
        if message.state is OutboxState.SENDING:
            self._leaving.add(message.cid)
        elif message.state is OutboxState.FAILED and message.room_id not in self.failed:
            self.failed = {**self.failed, message.room_id: 1}
            self.on_refused(message)
        self.store.publish(DeliveryChanged(message))
        self.soon(self.recount_queue)

    def progressed(self, message: OutboxMessage, progress: Progress) -> None:
        """A photo of it is on its way."""
        self.store.publish(DeliveryChanged(message, progress))

    def stumbled(self, error: Exception) -> None:
        """The disk, or what nobody thought of."""
        self.on_trouble(error)

    # Other windows

    def came_back(self, messages: Sequence[Message]) -> None:
        """Messages came as events. One of mine that has not left from here left elsewhere: then
        what waits here may be less by now.
        """
        elsewhere = [one for one in messages if self._left_elsewhere(one)]
        if elsewhere and self.queued_count:
            self.read_outbox_again()

    def _left_elsewhere(self, message: Message) -> bool:
        if message.cid is None or message.deleted or message.sender_id != self.store.me:
            return False
        left_here = message.cid in self._leaving
        self._leaving.discard(message.cid)
        return not left_here

    def forget_leaving(self) -> None:
        """Events were passed over."""
        self._leaving.clear()

    def read_outbox_again(self) -> None:
        """It may not be as it is known here."""
        self.soon(self._read_outbox_again)

    def look_for_other_windows(self) -> None:
        """To be called now and then: what others write, send or discard is shown here as well, and
        what they leave behind goes from here.
        """
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._look_for_other_windows())

    async def _look_for_other_windows(self) -> None:
        with contextlib.suppress(StorageFailed):  # told where the disk is really needed
            if await self.outbox.changed_elsewhere():
                await self._read_outbox_again()
                self._may_be_left = bool(self.queued_count)
            elif self._may_be_left:  # whoever wrote it has not sent it since the last look
                self._may_be_left = False
                self.delivery.wake()

    async def _read_outbox_again(self) -> None:
        await self.recount_queue()
        self.store.publish(OutboxChanged())

    # Beside

    def soon(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        """Do a small thing beside; what fails is told."""
        task = asyncio.create_task(self.carefully(work))
        self._small_work.add(task)
        task.add_done_callback(self._small_work.discard)

    async def carefully(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        """What follows a thing that is done; if it fails, the thing is done all the same."""
        try:
            await work()
        except StorageFailed as error:
            self.on_trouble(error)

    async def finish_small_work(self) -> None:
        """Wait for what was begun beside."""
        looks = [self._look] if self._look else []
        await asyncio.gather(*self._small_work, *looks, return_exceptions=True)
