"""Whom one blocks; any of them can be unblocked."""

from functools import partial
from typing import ClassVar

from client_tui.format import visible_line
from client_tui.keymap import key_of
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.list_screen import ListScreen
from client_tui.widgets.person_rows import PersonRows
from client_tui.work import start
from shared_models.accounts import ProfileCard
from shared_models.base import Page

PAGE = 50


class BlockedScreen(ListScreen[ProfileCard]):
    """Blocked people, newest block first."""

    context = "blocked"
    opens: ClassVar[str] = "open_person"

    def __init__(self) -> None:
        super().__init__()
        self._looked_at_somebody = False

    def heading(self) -> str:
        """What it lists."""
        return "‹ blocked people"

    def on_screen_resume(self) -> None:
        """Back from a profile, on which one may have unblocked."""
        super().on_screen_resume()
        if self._looked_at_somebody:
            self._looked_at_somebody = False
            self.do_refresh()

    def rows(self) -> PersonRows:
        """One row each."""
        return PersonRows(lambda: self.app.theme_variables)

    async def read(self, cursor: str | None) -> Page[ProfileCard]:
        """Newest block first."""
        return await self.link.api.blocks(cursor=cursor, limit=PAGE)

    def why_empty(self) -> str:
        """Where one blocks somebody."""
        key = key_of("person", "block")
        return f"You block nobody.\n\n{key} on somebody's profile blocks them"

    def why_not(self, action_id: str) -> str | None:
        """What needs somebody."""
        if action_id in {"open_person", "unblock"} and self.selected() is None:
            return "There is nobody here."
        return None

    def do_open_person(self) -> None:
        """Their profile."""
        person = self.selected()
        if person is not None:
            self._looked_at_somebody = True
            self.picky.open_profile(person.id)

    def do_unblock(self) -> None:
        """Unblock after a question."""
        person = self.selected()
        if person is None:
            return
        question = ConfirmScreen(
            f"Unblock {visible_line(person.display_name)}?",
            "Messages go both ways again, and each sees the other's listings. They are not told.",
            yes="Unblock",
        )
        self.app.push_screen(question, partial(self._answered, person))

    def _answered(self, person: ProfileCard, yes: bool | None) -> None:
        if yes:
            start(self, partial(self._unblock, person), group="unblock")

    async def _unblock(self, person: ProfileCard) -> None:
        await self.link.api.unblock(person.id)
        if person.id.int in self.entries:
            self.entries.remove_item(person.id.int)
        self.show_list()
