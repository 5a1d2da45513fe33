"""The one status cell: unread counts, and the connection with what is being done about it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.text import Text

from client_tui.format import cells, truncate

if TYPE_CHECKING:
    from client_tui.link import Link


REASON_COLUMNS = 46
_REASON_LEAST = 26
_TITLE_COLUMNS = 26


def status_text(link: "Link", colors: Mapping[str, str], width: int = 80) -> Text:
    """For example ``3 chats  1 notice  ● online`` or ``◌ offline · 2 queued · retry in 4 s``.

    ``width`` is that of the row. Why the line is gone is told where the title keeps its room; but
    always where the line does not come back by itself.
    """
    text = Text(no_wrap=True)
    accent = colors["primary"]
    unread = link.store.unread_total()
    if unread:
        text.append(f"✉ {unread}  ", style=f"bold {accent}")
    notices = link.store.state.unread_notifications
    if notices:
        text.append(f"! {notices}  ", style=f"bold {accent}")
    room = REASON_COLUMNS
    if link.status.retry_at is not None:
        without = text.cell_len + connection_text(link, colors, 0).cell_len
        room = min(room, width - _TITLE_COLUMNS - without)
        if room < min(cells(link.status.reason), _REASON_LEAST):
            room = 0
    text.append_text(connection_text(link, colors, room))
    return text


def connection_text(link: "Link", colors: Mapping[str, str], reason_columns: int) -> Text:
    """The connection alone."""
    status, bad = link.status, colors["warning"]
    if not link.signed_in:
        return Text()
    silent_s = link.silent_for_s()
    if silent_s:
        text = Text(f"◌ no answer for {silent_s} s", style=bad)
    elif status.state == "online":
        text = Text.assemble(("●", colors["success"]), " online")
    elif status.state == "connecting":
        text = Text("◌ connecting", style=colors.get("dim", "grey50"))
    elif status.state == "signed_out":
        text = Text("○ signed out", style=bad)
    else:
        seconds = link.retry_in_s()
        text = Text(f"◌ {status.state}", style=bad)
        if status.reason and reason_columns:
            text.append(f" · {truncate(status.reason, reason_columns)}")
        if seconds is not None:
            text.append(f" · retry in {seconds} s" if seconds else " · retrying")
    queued = link.queued_count
    if queued:
        text.append(f" · {queued} queued", style=bad)
    failed = sum(link.failed.values())
    if failed:
        text.append(f" · {failed} not sent", style=colors["error"])
    return text
