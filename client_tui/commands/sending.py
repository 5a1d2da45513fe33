"""Sending without the app: through the same outbox, so that a lost answer doubles nothing."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from client_tui.commands.listings import told_progress
from client_tui.commands.running import words
from client_tui.core.api import Api, Http
from client_tui.core.credentials import Credentials
from client_tui.core.errors import ClientError, Refused, ServerUnreachable
from client_tui.core.forms import fill
from client_tui.core.outbox import Outbox, OutboxMessage, OutboxPhoto, OutboxState
from client_tui.core.paths import Paths
from client_tui.core.uploads import Uploader, check_file
from shared_models.chat import Message, SendMessage
from shared_models.media import Purpose


async def send_now(
    account: Credentials, room_id: UUID, text: str, photos: Sequence[Path], *, confirmed: bool
) -> Message:
    """Send, after whatever still waits in the room.

    When the server is not reached the message stays in the outbox: the app sends it, and so does
    the same command again. What the server refuses is not kept.
    """
    for path in photos:
        check_file(path)
    outbox = await Outbox(Paths.find().outbox_file(account.account_id)).open()
    try:
        async with Api(Http(account.server, account.token)) as api:
            mine = await _waiting_twin(outbox, room_id, text, photos)
            if mine is None:
                mine = await outbox.put(room_id, text, photos, confirmed=confirmed)
            for waiting in await outbox.waiting(room_id):
                if waiting.number < mine.number and waiting.state is not OutboxState.FAILED:
                    await _deliver_earlier(api, outbox, waiting)
            return await _deliver_mine(api, outbox, mine, confirmed=confirmed)
    finally:
        await outbox.close()


async def _waiting_twin(
    outbox: Outbox, room_id: UUID, text: str, photos: Sequence[Path]
) -> OutboxMessage | None:
    """The same message from a command that did not reach the server."""
    paths = [path.absolute() for path in photos]
    for waiting in await outbox.waiting(room_id):
        same = waiting.text == text and [photo.path for photo in waiting.photos] == paths
        if same and waiting.state is not OutboxState.FAILED:
            return waiting
    return None


async def _deliver_earlier(api: Api, outbox: Outbox, message: OutboxMessage) -> None:
    try:
        await _deliver(api, outbox, message)
    except Refused as error:
        if error.retryable:
            raise
        await outbox.failed(message.cid, error.code, error.detail)
        words(f"An earlier message was refused and waits in the app: {error.detail}")


async def _deliver_mine(
    api: Api, outbox: Outbox, message: OutboxMessage, *, confirmed: bool
) -> Message:
    try:
        return await _deliver(api, outbox, message, confirmed=confirmed)
    except ServerUnreachable:
        words("Not sent yet. It is kept, and goes out with the same command again or in the app.")
        raise
    except ClientError as error:
        await outbox.not_stored(message.cid)
        await outbox.discard(message.cid)
        if isinstance(error, Refused) and error.code == "confirm_needed":
            words("If you are sure, send it with --yes.")
        raise


async def _deliver(
    api: Api, outbox: Outbox, message: OutboxMessage, *, confirmed: bool = False
) -> Message:
    missing = [photo.path for photo in message.photos if photo.upload_id is None]
    if missing:
        uploaded = iter(await Uploader(api).photos(Purpose.MESSAGE, missing, told_progress))
        photos = [
            photo if photo.upload_id else OutboxPhoto(photo.path, next(uploaded).id)
            for photo in message.photos
        ]
        await outbox.uploaded(message.cid, photos)
    message = await outbox.sending(message.cid) or message
    form = fill(
        SendMessage,
        cid=message.cid,
        text=message.text,
        photo_ids=[photo.upload_id for photo in message.photos],
        confirmed=message.confirmed or confirmed,
    )
    sent = await api.send_message(message.room_id, form)
    await outbox.done(message.cid)
    return sent
