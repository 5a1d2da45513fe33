"""The photos of a form: chosen or dropped, each with a bar, a retry and a place of its own."""

from functools import partial
from pathlib import Path

from textual import events, on
from textual.containers import Vertical

from client_tui.core.uploads import Outcome, Phase, Progress
from client_tui.dropped import dropped_paths
from client_tui.screens.base import PickyScreen
from client_tui.widgets.field import Field
from client_tui.widgets.photo_upload import PhotoUpload
from client_tui.widgets.sell_form import SellForm
from client_tui.work import start
from shared_models.media import Purpose


class SellPhotos(PickyScreen):
    """The photos' side of the form."""

    def _changed_form(self) -> None:
        """Something in the form is another."""

    @property
    def _sell_form(self) -> SellForm:
        return self.query_one(SellForm)

    @property
    def _photo_list(self) -> Vertical:
        return self._sell_form.photo_list

    @property
    def _uploads(self) -> list[PhotoUpload]:
        return self._sell_form.uploads

    def do_add_photo(self) -> None:
        """Choose files."""
        free = self.link.market.limits.listing_photos_max - len(self._uploads)
        if free > 0:
            self.picky.pick_photos(free, self.add_photos)
        else:
            self._tell_full()

    def on_paste(self, event: events.Paste) -> None:
        """A dropped file is a pasted path."""
        paths = dropped_paths(event.text)
        if paths:
            event.stop()
            event.prevent_default()
            self.add_photos(paths)

    def add_photos(self, paths: list[Path]) -> None:
        """Upload these, each with a bar of its own."""
        free = self.link.market.limits.listing_photos_max - len(self._uploads)
        if len(paths) > free:
            self._tell_full()
            paths = paths[:free]
        for path in paths:
            upload = PhotoUpload(path=path)
            self._photo_list.mount(upload)
            self._start(upload)

    def _tell_full(self) -> None:
        most = self.link.market.limits.listing_photos_max
        self._photo_error(f"A listing has at most {most} photos.")

    def _photo_error(self, text: str) -> None:
        self.query_one("#photo_ids", Field).show_error(text)

    def _start(self, upload: PhotoUpload) -> None:
        start(self, partial(self._send, upload), group="photo")

    async def _send(self, upload: PhotoUpload) -> None:
        assert upload.path is not None
        outcomes = await self.link.uploader.upload(
            Purpose.LISTING, [upload.path], upload.show_progress
        )
        if upload.is_attached:
            self._sent(upload, outcomes[0])

    def _sent(self, upload: PhotoUpload, outcome: Outcome) -> None:
        assert upload.path is not None
        if outcome.photo is not None:
            self.link.pictures.is_uploaded(upload.path, outcome.photo.id)
            upload.show_ready(outcome.photo)
            self._photo_error("")
            self._changed_form()
        else:
            reason = str(outcome.error)
            upload.show_progress(Progress(0, upload.path, Phase.FAILED, reason=reason))

    @on(PhotoUpload.Retried)
    def _retry(self, event: PhotoUpload.Retried) -> None:
        assert event.upload.path is not None
        event.upload.show_progress(Progress(0, event.upload.path, Phase.CHECKING))
        self._start(event.upload)

    @on(PhotoUpload.Removed)
    async def _remove(self, event: PhotoUpload.Removed) -> None:
        await event.upload.remove()
        self._changed_form()

    @on(PhotoUpload.MadeCover)
    def _make_cover(self, event: PhotoUpload.MadeCover) -> None:
        self._photo_list.move_child(event.upload, before=0)
        self._changed_form()
