"""Writing in a chat: sending, photos, drafts, and what may be done with messages of one's own."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

from textual import on
from textual.timer import Timer
from textual.widgets import TextArea

from client_tui.conversation import Waiting
from client_tui.core.errors import BadFile, ClientError, NotEditable
from client_tui.core.outbox import OutboxMessage, OutboxState
from client_tui.core.uploads import CheckedFile, check_file
from client_tui.screens.chat_reading import Reading
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.photo_picker import PhotoPicker
from client_tui.widgets.chat_rule import ChatRule
from client_tui.widgets.composer import Attachments, Composer
from client_tui.work import start

_DRAFT_PAUSE_S: Final = 0.5
_TYPING_EVERY_S: Final = 3.0
_COUNT_FROM: Final = 0.9


class Writing(Reading):
    """The composer's side of the chat."""

    def __init__(self, room_id: UUID) -> None:
        super().__init__(room_id)
        self._draft = ""
        self._kept = ""
        """The draft as it is on disk, as far as this screen knows."""
        self._draft_pause: Timer | None = None
        self._typed_at = float("-inf")
        self._editing: UUID | None = None
        self._asked: set[UUID] = set()

    @property
    def attachments(self) -> Attachments:
        """The photos that will go with the message."""
        return self.query_one(Attachments)

    async def open_draft(self) -> None:
        """What was typed and not sent, also elsewhere; not in place of what is typed here."""
        kept = self._kept
        draft = await self.link.outbox.draft(self.room_id)
        if self.is_mounted and not self.editing and self.composer.text == kept == self._kept:
            self._draft = self._kept = draft
            self._show_draft()

    def _show_draft(self) -> None:
        if self.composer.text != self._draft:
            with self.composer.prevent(TextArea.Changed):
                self.composer.text = self._draft
            self.composer.move_cursor(self.composer.document.end)

    # Typing

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self.show_count()
        if self._editing is not None:
            return
        if self._draft_pause is not None:
            self._draft_pause.stop()
        self._draft = self.composer.text
        self._draft_pause = self.set_timer(_DRAFT_PAUSE_S, self.keep_draft)
        now = self.link.clock.monotonic()
        if self.composer.text and now - self._typed_at >= _TYPING_EVERY_S:
            self._typed_at = now
            self.do_in_background(self.link.session.typing(self.room_id, on=True), "typing")

    async def keep_draft(self) -> None:
        """Keep what is being written, without the edit of an older message."""
        draft, before = self._draft, self._kept
        if draft != before:
            self._kept = draft
            try:
                await self.link.outbox.save_draft(self.room_id, draft)
            except ClientError:
                self._kept = before
                raise

    def show_count(self) -> None:
        """How long the text is, once it comes near the limit."""
        length, most = len(self.composer.message_text), self.link.market.limits.message_max
        rule = self.query_one(ChatRule)
        rule.warning = f"{length:,} / {most:,}" if length > most * _COUNT_FROM else ""

    # Sending

    def do_send(self) -> None:
        """Send what is written; it is on disk before it is on its way."""
        text = self.composer.message_text
        most = self.link.market.limits.message_max
        if len(text) > most:
            self.say(f"A message has at most {most:,} characters.", severity="warning")
            return
        if self._editing is not None:
            self.do_in_background(self._save_edit(self._editing, text), "edit")
            return
        files = list(self.attachments.files)
        if text or files:
            self._clear_composer()
            # The app's worker: leaving the chat at once must not stop it.
            start(self.app, partial(self._send, text, files), group="send")

    async def _send(self, text: str, files: list[CheckedFile]) -> None:
        try:
            await self.link.send_message(self.room_id, text, [file.path for file in files])
        except ClientError as error:
            self._put_back(text, files)
            self.say(f"Not sent, and not lost: {error}", severity="error")
            return
        await self.keep_draft()
        if self.is_mounted:
            await self.go_to_newest()

    def _put_back(self, text: str, files: list[CheckedFile]) -> None:
        """What the disk did not take stands in the composer again, before what came since."""
        if not self.is_mounted:
            return
        since = self.composer.text
        self.composer.text = f"{text}\n{since}" if since else text
        self.attachments.show([*files, *self.attachments.files])

    def _clear_composer(self) -> None:
        if self._draft_pause is not None:
            self._draft_pause.stop()
        with self.composer.prevent(TextArea.Changed):
            self.composer.text = ""
        self._draft = ""
        self.attachments.show([])
        self.show_count()
        self._typed_at = float("-inf")

    def do_newline(self) -> None:
        """Begin a new line."""
        self.composer.insert("\n")

    # Photos

    def do_add_photo(self) -> None:
        """Choose a file."""
        self.app.push_screen(PhotoPicker(), self._picked)

    def _picked(self, path: Path | None) -> None:
        if path is not None:
            self.attach_photos([path])

    @on(Composer.Dropped)
    def _dropped(self, event: Composer.Dropped) -> None:
        self.attach_photos(event.paths)

    def attach_photos(self, paths: list[Path]) -> None:
        self.do_in_background(self._check_and_attach(paths), "attach")

    async def _check_and_attach(self, paths: list[Path]) -> None:
        """Look at each file now, so that a bad one is said before anything is sent."""
        limits = self.link.market.limits
        files = list(self.attachments.files)
        for path in paths:
            if len(files) >= limits.message_photos_max:
                self.say(
                    f"A message has at most {limits.message_photos_max} photos.", severity="warning"
                )
                break
            try:
                files.append(
                    await asyncio.to_thread(check_file, path, bytes_max=limits.photo_bytes_max)
                )
            except BadFile as problem:
                self.say(str(problem), severity="error")
        self.attachments.show(files)
        self.composer.focus()

    @on(Composer.EmptyBackspace)
    def _last_photo_away(self) -> None:
        self.attachments.show(self.attachments.files[:-1])

    @on(Attachments.Removed)
    def _photo_away(self, event: Attachments.Removed) -> None:
        files = list(self.attachments.files)
        del files[event.index]
        self.attachments.show(files)

    # Messages of one's own

    def why_not_own(self, action_id: str) -> str | None:
        """Why an own message can't be sent again, edited or taken away."""
        waiting, message = self.selected_waiting(), self.selected_message()
        if waiting is not None:
            if waiting.seq is not None or waiting.message.state is OutboxState.SENDING:
                return "It may have been sent already."
            if action_id == "retry" and waiting.message.state is not OutboxState.FAILED:
                return "It is sent by itself as soon as the line allows."
            return None
        if action_id != "remove":
            return "Select a message that was not sent."
        if message is None or message.sender_id != self.conversation.me or message.deleted:
            return "Select a message of your own."
        age = (self.link.now() - message.created_at).total_seconds()
        minutes = self.link.market.limits.message_delete_s // 60
        return f"A message can be deleted within {minutes} minutes." if age > minutes * 60 else None

    async def retry_selected(self) -> None:
        """Send a failed message again."""
        waiting = self.selected_waiting()
        if waiting is not None:
            if waiting.message.code == "confirm_needed":
                self.ask_whether_meant(waiting.message)
            else:
                await self._retry(waiting.message.cid, confirmed=waiting.message.confirmed)

    async def _retry(self, cid: UUID, *, confirmed: bool) -> None:
        await self._queued_again(await self.link.outbox.retry(cid, confirmed=confirmed))

    async def _queued_again(self, message: OutboxMessage) -> None:
        self.conversation.wait_for(message)
        self.show_changes()
        self.link.delivery.wake()
        await self.link.recount_queue()

    def ask_whether_meant(self, message: OutboxMessage) -> None:
        """The scam guard wants to know (rule 18)."""
        question = ConfirmScreen("Send it anyway?", message.reason or "", yes="Send", no="Not now")

        def answered(yes: bool | None) -> None:
            if yes:
                self.do_in_background(self._retry(message.cid, confirmed=True), "send")

        self.app.push_screen(question, answered)

    def delivery_changed(self, message: OutboxMessage) -> None:
        """Ask once, at once, where the guard wants an answer."""
        if (
            message.code == "confirm_needed"
            and message.state is OutboxState.FAILED
            and message.cid not in self._asked
            and self.in_front
        ):
            self._asked.add(message.cid)
            self.ask_whether_meant(message)

    def do_edit_message(self) -> None:
        """Bring an unsent message back into the composer."""
        waiting = self.selected_waiting()
        if waiting is not None:
            self._editing = waiting.message.cid
            self.composer.text = waiting.message.text
            self.composer.move_cursor(self.composer.document.end)
            self.query_one(ChatRule).note = "editing · enter saves · esc leaves it as it was"
            self.composer.focus()

    async def _save_edit(self, cid: UUID, text: str) -> None:
        try:
            message = await self.link.outbox.edit(cid, text)
        except NotEditable as problem:
            self.say(str(problem), severity="warning")
        else:
            await self._queued_again(message)
        await self.stop_editing()

    @property
    def editing(self) -> bool:
        """Whether the composer holds an older message."""
        return self._editing is not None

    async def stop_editing(self) -> None:
        """Back to what was being written."""
        self._editing = None
        self.query_one(ChatRule).note = ""
        self._show_draft()
        self.show_count()

    async def do_remove(self) -> None:
        """Discard an unsent message; delete an own one, after a question (rule 15)."""
        waiting, message = self.selected_waiting(), self.selected_message()
        if waiting is not None:
            await self._discard(waiting)
        elif message is not None:
            seq = message.seq
            question = ConfirmScreen(
                "Delete this message?", "Both of you see that it was deleted.", yes="Delete"
            )

            def answered(yes: bool | None) -> None:
                if yes:
                    work = self.link.api.delete_message(self.room_id, seq)
                    self.do_in_background(work, "delete")

            self.app.push_screen(question, answered)

    async def _discard(self, waiting: Waiting) -> None:
        try:
            await self.link.outbox.discard(waiting.message.cid)
        except NotEditable as problem:
            self.say(str(problem), severity="warning")
            return
        self.conversation.discard(waiting.message.cid)
        self.show_changes()
        await self.link.recount_queue()
