"""The one status cell: unread counts, and the connection with what is being done about it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.text import Text

from client_tui.format import truncate

if TYPE_CHECKING:
    from client_tui.link import Link


REASON_COLUMNS = 46


def status_text(link: "Link", colors: Mapping[str, str]) -> Text:
    """For example ``3 chats  1 notice  ● online`` or ``◌ offline · 2 queued · retry in 4 s``."""
    text = Text(no_wrap=True)
    accent, dim = colors["primary"], colors.get("dim", "grey50")
    unread = link.store.unread_total()
    if unread:
        text.append(f"✉ {unread}  ", style=f"bold {accent}")
    notices = link.store.state.unread_notifications
    if notices:
        text.append(f"! {notices}  ", style=f"bold {accent}")
    text.append_text(connection_text(link, colors["success"], colors["warning"], dim))
    return text


def connection_text(link: "Link", good: str, bad: str, dim: str) -> Text:
    """The connection alone."""
    status = link.status
    if not link.signed_in:
        return Text()
    if status.state == "online":
        text = Text.assemble(("●", good), " online")
    elif status.state == "connecting":
        text = Text("◌ connecting", style=dim)
    elif status.state == "signed_out":
        text = Text("○ signed out", style=bad)
    else:
        seconds = link.retry_in_s()
        text = Text(f"◌ {status.state}", style=bad)
        if status.retry_at is None and status.reason:  # it does not come back by itself
            text.append(f" · {truncate(status.reason, REASON_COLUMNS)}")
        if seconds is not None:
            text.append(f" · retry in {seconds} s" if seconds else " · retrying")
    queued = link.queued_count
    if queued:
        text.append(f" · {queued} queued", style=bad)
    return text
