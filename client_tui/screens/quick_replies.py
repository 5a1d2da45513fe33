"""Quick replies: pick one for the composer; add, change and remove them in place."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from client_tui.format import visible_line
from client_tui.link import Link
from client_tui.quick_replies import usual_replies
from client_tui.screens.dialog import Dialog
from shared_models.text import clean_text

_HINT = "enter takes it   a adds   e edits   x removes   esc closes"
_EDIT_HINT = "enter keeps it   esc leaves it as it was"


class QuickRepliesScreen(Dialog[str | None]):
    """The answer is the text of the one that was picked, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
        Binding("a", "add", show=False),
        Binding("e", "edit", show=False),
        Binding("x,delete", "remove", show=False),
        *(Binding(str(number), f"take({number - 1})", show=False) for number in range(1, 10)),
    ]

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        link.read_settings_again()  # who edits them goes on from what another window has made
        account = link.store.state.account
        kept = link.config.quick_replies
        locale = account.locale if account else None
        self._replies = list(kept) if kept is not None else usual_replies(locale)
        self._edited: int | None = None
        """Which one is in the field; as many as there are for a new one."""

    def compose(self) -> ComposeResult:
        """The replies, the field of the one that is edited, the keys."""
        with Vertical(classes="dialog wide"):
            yield Static("Quick replies", classes="dialog-title")
            yield OptionList(id="replies")
            yield Static("There are none.", id="no-replies", classes="dim")
            yield Input(
                id="reply",
                max_length=self._link.market.limits.message_max,
                placeholder="What you often say",
            )
            yield Static(_HINT, id="reply-hint", classes="dialog-hint")

    def on_mount(self) -> None:
        """Show them."""
        self._show(0)

    @property
    def _list(self) -> OptionList:
        return self.query_one(OptionList)

    def _show(self, highlighted: int) -> None:
        """The list, or the field where one is edited."""
        editing = self._edited is not None
        replies = self._list
        replies.clear_options()
        replies.add_options(Option(self._label(at)) for at in range(len(self._replies)))
        replies.display = bool(self._replies)
        self.query_one("#no-replies").display = not self._replies and not editing
        field = self.query_one(Input)
        field.display = editing
        self.query_one("#reply-hint", Static).update(_EDIT_HINT if editing else _HINT)
        if editing:
            field.focus()
        elif self._replies:
            replies.highlighted = min(highlighted, len(self._replies) - 1)
            replies.focus()

    def _label(self, at: int) -> Content:
        number = str(at + 1) if at < 9 else " "
        return Content(f"{number}  {visible_line(self._replies[at])}")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Into the composer."""
        self.action_take(event.option_index)

    def action_take(self, at: int) -> None:
        """Into the composer."""
        if at < len(self._replies) and self._edited is None:
            self.dismiss(self._replies[at])

    def action_move(self, step: int) -> None:
        """Vim keys."""
        if step > 0:
            self._list.action_cursor_down()
        else:
            self._list.action_cursor_up()

    def action_add(self) -> None:
        """A new one."""
        self._edit(len(self._replies), "")

    def action_edit(self) -> None:
        """The one under the cursor."""
        at = self._list.highlighted
        if at is not None:
            self._edit(at, self._replies[at])

    def _edit(self, at: int, text: str) -> None:
        self._edited = at
        self.query_one(Input).value = text
        self._show(at)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep what was written; nothing is no reply."""
        text = clean_text(event.value).strip()
        at = self._edited
        if at is None:
            return
        self._edited = None
        if text:
            self._keep([*self._replies[:at], text, *self._replies[at + 1 :]])
        self._show(at)

    def action_remove(self) -> None:
        """Not this one any more."""
        at = self._list.highlighted
        if at is not None and self._edited is None:
            self._keep([*self._replies[:at], *self._replies[at + 1 :]])
            self._show(at)

    def _keep(self, replies: list[str]) -> None:
        """From now on they are one's own, also when there are none."""
        self._replies = replies
        self._link.remember(quick_replies=tuple(replies))

    def action_leave(self) -> None:
        """Out of the field, or out of the dialog."""
        if self._edited is None:
            self.dismiss()
        else:
            at, self._edited = self._edited, None
            self._show(at)
