"""Writing in a chat: sending, and what may be done with messages of one's own."""

from dataclasses import replace
from functools import partial
from typing import Final
from uuid import UUID

from textual import on
from textual.widgets import TextArea

from client_tui.core.errors import ClientError, NotEditable
from client_tui.core.outbox import OutboxMessage, OutboxState
from client_tui.core.uploads import CheckedFile
from client_tui.format import visible_line
from client_tui.keymap import Action, footer_of, key_of
from client_tui.screens.chat_drafts import Drafting
from client_tui.screens.choose import ChooseScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.discard import ask_to_discard
from client_tui.screens.quick_replies import QuickRepliesScreen
from client_tui.store import DeliveryChanged, Discarded, Sent
from client_tui.widgets.chat_rule import ChatRule
from client_tui.work import start

_FAILED: Final = OutboxState.FAILED
_LABELS_WHILE_EDITING: Final = {"send": "save", "leave": "leave it"}


class Writing(Drafting):
    """The composer's side of the chat."""

    def __init__(self, room_id: UUID) -> None:
        super().__init__(room_id)
        self._editing: OutboxMessage | None = None
        self._edited = ""
        self._asked: set[UUID] = set()

    @property
    def editing(self) -> bool:
        """Whether the composer holds an older message."""
        return self._editing is not None

    # Sending

    def do_send(self) -> None:
        """Send what is written; it is on disk before it is on its way."""
        text = self.composer.message_text
        most = self.link.market.limits.message_max
        if len(text) > most:
            self.say(f"A message has at most {most:,} characters.", severity="warning")
            return
        if self._editing is not None:
            if not text and not self._editing.photos:
                leaves = key_of("composer", "leave")
                self.say(f"There is nothing in it. {leaves} leaves it as it was.")
                return
            start(self, partial(self._save_edit, self._editing, text), group="edit")
            return
        files = list(self.attachments.files)
        if text or files:
            self.clear_composer()
            # The app's worker: leaving the chat at once must not stop it.
            start(self.app, partial(self._send, text, files), group="send")

    async def _send(self, text: str, files: list[CheckedFile]) -> None:
        try:
            paths = [file.path for file in files]
            await self.link.send_message(self.room_id, text, paths, clears_draft=True)
        except ClientError as error:
            self.say(f"Not sent, and not lost: {error}", severity="error")
            await self.put_back(text, files)
            return
        await self.keep_draft()
        if self.is_there:
            self.show_sent()

    def do_quick_reply(self) -> None:
        """One of the answers that one gives often, at the cursor."""
        self.app.push_screen(QuickRepliesScreen(self.link), self._insert)

    def _insert(self, text: str | None) -> None:
        if text is not None:
            self.composer.insert(text)
        self.composer.focus()

    def do_newline(self) -> None:
        """Begin a new line."""
        self.composer.insert("\n")

    # Messages of one's own

    def why_not_own(self, action_id: str) -> str | None:
        """Why an own message can't be sent again, edited or taken away."""
        waiting, message = self.selected_waiting(), self.selected_message()
        if waiting is not None:
            if waiting.seq is not None or waiting.message.state is OutboxState.SENDING:
                return "It may have been sent already."
            stumbles = waiting.trouble and self.online
            if action_id == "retry" and not (waiting.message.state is _FAILED or stumbles):
                return "It is sent by itself as soon as the line allows."
            return self._why_no_photo_out(waiting.message) if action_id == "photo_out" else None
        if action_id != "remove":
            return "Select a message that was not sent."
        if message is None or message.sender_id != self.conversation.me or message.deleted:
            return "Select a message of your own."
        age = (self.link.now() - message.created_at).total_seconds()
        minutes = self.link.market.limits.message_delete_s // 60
        return f"A message can be deleted within {minutes} minutes." if age > minutes * 60 else None

    def _why_no_photo_out(self, message: OutboxMessage) -> str | None:
        if not message.photos:
            return "There are no photos in it."
        if len(message.photos) == 1 and not message.text:
            return f"There is nothing else in it. {self.key('remove')} discards it."
        return None

    def do_photo_out(self) -> None:
        """An unsent message goes without one of its photos: which one, the failed ones first."""
        waiting = self.selected_waiting()
        if waiting is None:
            return
        message = waiting.message
        names = {
            str(place): visible_line(photo.origin.name)
            + (f" · {visible_line(photo.failure or 'failed')}" if waiting.has_failed(photo) else "")
            for place, photo in enumerate(message.photos)
        }
        failed_first = sorted(
            names.items(), key=lambda item: not waiting.has_failed(message.photos[int(item[0])])
        )

        def answered(place: str | None) -> None:
            if place is not None:
                photo = message.photos[int(place)]
                start(self, partial(self.link.take_photo_out, message, photo), group="photo")

        question = ChooseScreen("Which photo is not to go with it?", failed_first)
        self.app.push_screen(question, answered)

    async def retry_selected(self) -> None:
        """Send a failed message again."""
        waiting = self.selected_waiting()
        if waiting is not None:
            if waiting.message.state is not _FAILED:
                self.link.delivery.retry_now()
            elif waiting.message.code == "confirm_needed":
                self.ask_whether_meant(waiting.message)
            else:
                await self.link.retry_message(waiting.message)

    def ask_whether_meant(self, message: OutboxMessage) -> None:
        """The scam guard wants to know (rule 18)."""
        question = ConfirmScreen("Send it anyway?", message.reason or "", yes="Send", no="Not now")

        def answered(yes: bool | None) -> None:
            if yes:
                retry = partial(self.link.retry_message, message, confirmed=True)
                start(self, retry, group="send")

        self.app.push_screen(question, answered)

    def on_its_way(self, change: DeliveryChanged | Sent | Discarded) -> None:
        """A message of this room has got further in the outbox, or out of it."""
        message = change.message
        match change:
            case DeliveryChanged(progress=progress):
                self.conversation.wait_for(message, progress)
                self._ask_once(message)
            case Sent(ok=ok):
                self.conversation.sent(message.cid, ok)
                self.go_to_due()
            case Discarded():
                self.conversation.discard(message.cid)
                if self._editing is not None and self._editing.cid == message.cid:
                    start(self, self.stop_editing, group="edit")

    async def read_waiting_again(self) -> None:
        """Another window may have sent or discarded what waits here, or written more.

        What was heard of a message while the disk was read is newer. One that is on its way comes
        back as an event, whoever has sent it.
        """
        before = self._waiting_by_cid()
        found = {one.cid: one for one in await self.link.outbox.waiting(self.room_id)}
        now = self._waiting_by_cid()
        unheard = {cid for cid in {*before, *found} if now.get(cid) is before.get(cid)}
        for cid in unheard:
            if cid in found:
                self.conversation.wait_for(found[cid])
            elif before[cid].state is not OutboxState.SENDING:
                self.on_its_way(Discarded(before[cid]))
        self.draw_soon()

    def _waiting_by_cid(self) -> dict[UUID, OutboxMessage]:
        """Without what the server has already: that is no longer for the outbox to say."""
        waiting = (one for one in self.conversation.all_waiting() if one.seq is None)
        return {one.message.cid: one.message for one in waiting}

    def _ask_once(self, message: OutboxMessage) -> None:
        """At once, where the guard wants an answer."""
        if (
            message.code == "confirm_needed"
            and message.state is _FAILED
            and message.cid not in self._asked
            and self.in_front
        ):
            self._asked.add(message.cid)
            self.ask_whether_meant(message)

    async def go_to_waiting(self, message: OutboxMessage, *, edit: bool) -> None:
        """To an unsent message, and into it."""
        self.history.sync()
        if self.conversation.waiting(-message.number) is None:
            self.say("It waits no more.")
            return
        self.history.jump_to(-message.number, "nearest")
        self.history.focus()
        if edit:
            await self.action_do("edit_message")  # which says why not

    async def do_edit_message(self) -> None:
        """Bring an unsent message back into the composer; it does not go meanwhile."""
        waiting = self.selected_waiting()
        if waiting is None:
            return
        await self._finish_editing()
        try:
            message = await self.link.outbox.hold(waiting.message.cid)
        except BaseException:  # whoever passed it over looks again
            self.link.delivery.wake()
            raise
        self._editing, self._edited = message, message.text
        self.composer.text = message.text
        self.composer.move_cursor(self.composer.document.end)
        self.composer.focus()
        self._show_what_keys_do()

    def _show_what_keys_do(self) -> None:
        """What sends and what leaves the composer is something else while a message is edited."""
        saves, leaves = key_of("composer", "send"), key_of("composer", "leave")
        note = f"editing · {saves} saves · {leaves} leaves it as it was" if self.editing else ""
        self.query_one(ChatRule).note = note
        self.redraw_bars()

    def footer_in_composer(self) -> list[Action]:
        """The composer's keys, as what they do now."""
        labels = _LABELS_WHILE_EDITING if self.editing else {}
        return [
            replace(action, label=labels.get(action.id, action.label))
            for action in footer_of("composer")
            if action.id != "back"
        ]

    @on(TextArea.Changed)
    def _edit_goes_on(self) -> None:
        if self.editing:
            self._edited = self.composer.message_text

    async def leave_editing(self) -> None:
        """Nobody looks any more. What stayed held here would hold up all behind it."""
        try:
            await self._finish_editing()
        except ClientError as error:
            self.say(f"The message stays as it was: {error}", severity="error")
            self.let_go()

    async def _finish_editing(self) -> None:
        """Another message is to be edited, or nobody looks any more: what was changed is kept."""
        before, text = self._editing, self._edited
        if before is None:
            return
        if text and text != before.text:
            await self._save_edit(before, text)
        elif self.is_there:
            await self.stop_editing()
        else:
            self.let_go()

    async def _save_edit(self, before: OutboxMessage, text: str) -> None:
        try:
            message = await self.link.outbox.edit(before.cid, text)
        except NotEditable as problem:
            self.say(f"{problem} What you wrote is a new message.", severity="warning")
            await self.stop_editing()
            await self.put_back(text)
            return
        await self.stop_editing()
        await self.link.queued_again(message)

    def let_go(self) -> None:
        """What was being edited may go."""
        if self._editing is not None:
            self.link.outbox.release(self._editing.cid)
            self._editing = None
            self.link.delivery.wake()

    async def stop_editing(self) -> None:
        """Back to what was being written."""
        self.let_go()
        if not self.is_there:
            return
        self._show_draft()
        self._show_what_keys_do()

    def do_remove(self) -> None:
        """Discard an unsent message; delete an own one, after a question (rule 15)."""
        waiting, message = self.selected_waiting(), self.selected_message()
        if waiting is not None:
            ask_to_discard(self, waiting.message)
        elif message is not None:
            seq = message.seq
            question = ConfirmScreen(
                "Delete this message?", "Both of you see that it was deleted.", yes="Delete"
            )

            def answered(yes: bool | None) -> None:
                if yes:
                    delete = partial(self.link.api.delete_message, self.room_id, seq)
                    start(self, delete, group="delete")

            self.app.push_screen(question, answered)
