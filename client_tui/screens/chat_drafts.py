"""What is begun in a chat: its text and photos, kept on disk while they are written."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

from textual import on
from textual.timer import Timer
from textual.widgets import TextArea

from client_tui.core.drafts import Draft
from client_tui.core.errors import BadFile, ClientError
from client_tui.core.uploads import CheckedFile, check_file
from client_tui.screens.chat_reading import Reading
from client_tui.widgets.chat_rule import ChatRule
from client_tui.widgets.composer import Attachments, Composer
from client_tui.work import start

_ONLY_ITS_TEXT: Final = "Only the text of an older message can be changed."
_DRAFT_PAUSE_S: Final = 0.5
_COUNT_FROM: Final = 0.9


class Drafting(Reading):
    """The composer and its photos, as a draft."""

    def __init__(self, room_id: UUID) -> None:
        super().__init__(room_id)
        self._draft = Draft()
        self._kept = Draft()
        """The draft as it is on disk, as far as this screen knows."""
        self._keeps = True
        """Whether the disk took it the last time."""
        self._draft_pause: Timer | None = None
        self._opening = asyncio.Lock()
        self._has_read = False
        """Whether the draft on disk was looked at."""

    @property
    def editing(self) -> bool:
        """Whether the composer holds an older message."""
        return False

    @property
    def attachments(self) -> Attachments:
        """The photos that will go with the message."""
        return self.query_one(Attachments)

    async def open_draft(self) -> None:
        """What was begun and not sent, also elsewhere; not in place of what is begun here."""
        async with self._opening:  # what is wrong with its photos is said once
            await self._open_draft()

    async def _open_draft(self) -> None:
        kept, is_first = self._kept, not self._has_read
        draft = await self.link.outbox.drafts.read(self.room_id)
        self._has_read = True
        if draft == kept:
            return
        files = await self._checked(draft.photos)
        untouched = self._draft == kept == self._kept and self.composer.text == kept.text
        if self.is_there and not self.editing and untouched:
            self._kept = draft
            self._draft = Draft(draft.text, tuple(file.path for file in files))
            self._show_draft()
            self.attachments.show(files)
        elif self.is_there and not self.editing and is_first:  # typed while the disk was read
            self._draft = replace(self._draft, text=self.composer.text)
            await self.put_back(draft.text, files)

    def _show_draft(self) -> None:
        if self.composer.text != self._draft.text:
            with self.composer.prevent(TextArea.Changed):
                self.composer.text = self._draft.text
            self.composer.move_cursor(self.composer.document.end)
        self.show_count()

    # Typing

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self.show_count()
        if self.editing:
            return
        self._draft_is(replace(self._draft, text=self.composer.text))
        if self.composer.text:
            self.link.soon(partial(self.link.session.typing, self.room_id, on=True))

    def _draft_is(self, draft: Draft) -> None:
        """Keep it on disk after a pause."""
        self._draft = draft
        if self._draft_pause is not None:
            self._draft_pause.stop()
        self._draft_pause = self.set_timer(_DRAFT_PAUSE_S, self.keep_draft)

    async def keep_draft(self) -> None:
        """Keep what is being written, without the edit of an older message.

        A disk that does not take it is told once, and again after it took something.
        """
        draft, before = self._draft, self._kept
        if draft == before:
            return
        self._kept = draft
        try:
            await self.link.outbox.drafts.save(self.room_id, draft)
        except ClientError as error:
            self._kept = before
            if self._keeps:
                self.say(f"What you write is not kept: {error}", severity="error")
            self._keeps = False
        else:
            self._keeps = True

    def show_count(self) -> None:
        """How long the text is, once it comes near the limit."""
        length, most = len(self.composer.message_text), self.link.market.limits.message_max
        rule = self.query_one(ChatRule)
        rule.warning = f"{length:,} / {most:,}" if length > most * _COUNT_FROM else ""

    def clear_composer(self) -> None:
        """What is in it goes now; the draft on disk is forgotten when it has gone."""
        if self._draft_pause is not None:
            self._draft_pause.stop()
        self._draft = Draft()
        self._show_draft()
        self.attachments.show([])

    async def put_back(self, text: str, files: Sequence[CheckedFile] = ()) -> None:
        """What could not be sent is a draft again, before what was begun since."""
        lost = Draft(text, tuple(file.path for file in files))
        if self.is_there:
            self._draft = lost.before(self._draft)
            self._show_draft()
            self.attachments.show([*files, *self.attachments.files])
            await self.keep_draft()
            return
        drafts = self.link.outbox.drafts
        await drafts.save(self.room_id, lost.before(await drafts.read(self.room_id)))
        for chat in self.picky.chats_of(self.room_id):
            await chat.open_draft()

    # Photos

    def why_not(self, action_id: str) -> str | None:
        """What an older message can't be given."""
        if action_id == "add_photo" and self.editing:
            return _ONLY_ITS_TEXT
        return super().why_not(action_id)

    def do_add_photo(self) -> None:
        """Choose files."""
        if self._keeps_its_photos():
            return
        free = self.link.market.limits.message_photos_max - len(self.attachments.files)
        if free > 0:
            self.picky.pick_photos(free, self.attach_photos)
        else:
            self._tell_full()

    def _keeps_its_photos(self) -> bool:
        if self.editing:
            self.say(_ONLY_ITS_TEXT, severity="warning")
        return self.editing

    def _tell_full(self) -> None:
        most = self.link.market.limits.message_photos_max
        self.say(f"A message has at most {most} photos.", severity="warning")

    @on(Composer.Dropped)
    def _dropped(self, event: Composer.Dropped) -> None:
        self.attach_photos(event.paths)

    def attach_photos(self, paths: list[Path]) -> None:
        """Look at each file now, so that a bad one is said before anything is sent."""
        if self._keeps_its_photos():
            return
        start(self, partial(self._check_and_attach, paths), group="attach")

    async def _check_and_attach(self, paths: list[Path]) -> None:
        free = self.link.market.limits.message_photos_max - len(self.attachments.files)
        if len(paths) > free:
            self._tell_full()
        self._photos_are([*self.attachments.files, *await self._checked(paths[: max(0, free)])])
        self.composer.focus()

    async def _checked(self, paths: Sequence[Path]) -> list[CheckedFile]:
        """Those that the server will take; of the others it is said why not."""
        bytes_max = self.link.market.limits.photo_bytes_max
        files = []
        for path in paths:
            try:
                files.append(await asyncio.to_thread(check_file, path, bytes_max=bytes_max))
            except BadFile as problem:
                self.say(str(problem), severity="error")
        return files

    def _photos_are(self, files: list[CheckedFile]) -> None:
        self.attachments.show(files)
        self._draft_is(replace(self._draft, photos=tuple(file.path for file in files)))

    @on(Composer.EmptyBackspace)
    def _last_photo_away(self) -> None:
        self._photos_are(self.attachments.files[:-1])

    @on(Attachments.Removed)
    def _photo_away(self, event: Attachments.Removed) -> None:
        files = list(self.attachments.files)
        del files[event.index]
        self._photos_are(files)
