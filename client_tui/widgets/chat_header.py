"""Under the title of a chat: how things stand between the two, and who the other one is."""

from dataclasses import dataclass

from rich.segment import Segment
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from client_tui.format import cells, pad, truncate
from client_tui.widgets.palette import Palette

_ROOMY = 100


class ChatHeader(Widget):
    """One row: the deal on the left, keys and the other side on the right."""

    @dataclass
    class Pressed(Message):
        """One of the keys was clicked."""

        action_id: str

    deal: reactive[str] = reactive("")
    urgent: reactive[bool] = reactive(False)
    """Whether the deal waits for this account."""
    person: reactive[str] = reactive("")
    links: reactive[tuple[tuple[str, str, str], ...]] = reactive(())
    """Key, label and action of each link."""

    def _shown_links(self) -> tuple[tuple[str, str, str], ...]:
        """On a narrow terminal only the first: the deal says more."""
        return self.links if self.size.width >= _ROOMY else self.links[:1]

    def render_line(self, y: int) -> Strip:
        """The row, the deal cut to what is left; the second row is the rule below."""
        palette, width = Palette.of(self.app.theme_variables), self.size.width
        links = "".join(f"   {key} {label}" for key, label, _ in self._shown_links())
        room = max(0, width - cells(links) - cells(self.person) - 5)
        style = palette.accent if self.urgent else palette.plain
        line = [Segment("   " + pad(truncate(self.deal, room), room), style)]
        line.append(Segment(f" {self.person}", palette.plain))
        for key, label, _ in self._shown_links():
            line += [Segment("   "), Segment(key, palette.key), Segment(f" {label}")]
        return Strip(line).adjust_cell_length(width).apply_style(self.rich_style)

    def on_click(self, event: Click) -> None:
        """A click on a link is its key."""
        end = self.size.width - 1
        for key, label, action_id in reversed(self._shown_links()):
            start = end - cells(f"{key} {label}")
            if start <= event.x < end:
                self.post_message(self.Pressed(action_id))
                return
            end = start - 3
