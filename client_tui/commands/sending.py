"""Sending without the app: through the same outbox, so that a lost answer doubles nothing."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from client_tui.commands.listings import told_progress
from client_tui.commands.running import words
from client_tui.core.api import Api, Http
from client_tui.core.credentials import Credentials
from client_tui.core.errors import (
    BadFile,
    ClientError,
    Refused,
    ServerUnreachable,
    StorageFailed,
    UploadFailed,
    in_passing,
)
from client_tui.core.forms import fill
from client_tui.core.outbox import Outbox, OutboxMessage, OutboxState
from client_tui.core.paths import Paths
from client_tui.core.uploads import Uploader, check_file
from shared_models.chat import Message, SendMessage
from shared_models.media import Purpose

_NEWEST = 100
"""Messages among which one is looked for that the app may have sent: few come meanwhile."""


async def send_now(
    account: Credentials, room_id: UUID, text: str, photos: Sequence[Path], *, confirmed: bool
) -> Message:
    """Send, after whatever still waits in the room and no other command is sending now.

    Where the server did not say no, it may have the message or be slow with a photo of it: then it
    stays in the outbox, and the app or the same command again sends it under the same ``cid``. What
    is refused is not kept.
    """
    for path in photos:
        check_file(path)
    outbox = await Outbox(Paths.find().outbox_file(account.account_id)).open()
    try:
        async with Api(Http(account.server, account.token)) as api:
            mine = await outbox.put_for_command(room_id, text, photos, confirmed=confirmed)
            await _deliver_all_before(api, outbox, mine)
            return await _deliver_mine(api, outbox, mine, confirmed=confirmed)
    finally:
        await outbox.close()


async def _deliver_all_before(api: Api, outbox: Outbox, mine: OutboxMessage) -> None:
    try:
        for waiting in await outbox.waiting(mine.room_id):
            if waiting.number < mine.number:
                earlier = await outbox.take(waiting.cid)
                if earlier is not None:
                    await _deliver_earlier(api, outbox, earlier)
    except ClientError:
        _say_kept("Not sent yet, like what waits before it.")
        raise


def _say_kept(so_far: str) -> None:
    words(f"{so_far} It is kept, and goes out with the same command again or in the app.")


async def _deliver_earlier(api: Api, outbox: Outbox, message: OutboxMessage) -> None:
    try:
        await _upload_photos(api, outbox, message)
        leaving = await outbox.sending(message.cid)
        if leaving is not None:  # else the app has sent it meanwhile, or it was discarded there
            await _deliver(api, outbox, leaving)
    except (Refused, BadFile, UploadFailed) as error:
        if in_passing(error) or not _says_no(error):
            raise
        code = error.code if isinstance(error, Refused) else "photo_failed"
        if await outbox.failed(message.cid, code, str(error)) is not None:
            words(f"An earlier message was refused and waits in the app: {error}")


def _says_no(error: ClientError) -> bool:
    """Whether this try has certainly left no message on the server, and was refused."""
    if isinstance(error, Refused):
        return error.status < 500
    return isinstance(error, BadFile | UploadFailed) and not in_passing(error)


async def _deliver_mine(
    api: Api, outbox: Outbox, message: OutboxMessage, *, confirmed: bool
) -> Message:
    tried_before = message.state is OutboxState.SENDING
    try:
        await _upload_photos(api, outbox, message)
        leaving = await outbox.sending(message.cid)
        if leaving is not None:
            return await _deliver(api, outbox, leaving, confirmed=confirmed)
    except ClientError as error:
        if not _says_no(error) or (tried_before and in_passing(error)):  # an earlier try may count
            unreached = isinstance(error, ServerUnreachable | UploadFailed)
            _say_kept("Not sent yet." if unreached else "It is not known whether it was sent.")
            raise
        if await outbox.not_stored(message.cid) is not None:  # else the app was faster
            await outbox.discard(message.cid)
            if isinstance(error, Refused) and error.code == "confirm_needed":
                words("If you are sure, send it with --yes.")
            raise
    return await _sent_by_the_app(api, message)


async def _sent_by_the_app(api: Api, message: OutboxMessage) -> Message:
    """The message, which waits no more; :class:`ClientError` if it was discarded there."""
    try:
        newest = await api.messages(message.room_id, limit=_NEWEST)
    except ClientError:
        words("The app has sent it, or it was discarded there: look before you send it again.")
        raise
    sent = next((one for one in newest.items if one.cid == message.cid), None)
    if sent is None:
        raise ClientError("The message was discarded in the app.")
    return sent


async def _upload_photos(api: Api, outbox: Outbox, message: OutboxMessage) -> None:
    missing = [photo.path for photo in message.photos if photo.upload_id is None]
    if missing:
        uploaded = iter(await Uploader(api).photos(Purpose.MESSAGE, missing, told_progress))
        photos = [
            photo if photo.upload_id else replace(photo, upload_id=next(uploaded).id)
            for photo in message.photos
        ]
        await outbox.uploaded(message.cid, photos)


async def _deliver(
    api: Api, outbox: Outbox, message: OutboxMessage, *, confirmed: bool = False
) -> Message:
    form = fill(
        SendMessage,
        cid=message.cid,
        text=message.text,
        photo_ids=[photo.upload_id for photo in message.photos],
        confirmed=message.confirmed or confirmed,
    )
    sent = await api.send_message(message.room_id, form)
    try:
        await outbox.done(message.cid)
    except StorageFailed as error:
        # The app sends it once more, and hears that the server has it.
        words(f"Sent, but not noted as sent: {error}")
    return sent
