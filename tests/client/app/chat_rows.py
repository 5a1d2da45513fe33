"""A history alone in an app: the real rows of messages, without a server."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from textual.app import App, ComposeResult

from client_tui.conversation import GAP, TOP, Conversation
from client_tui.deals import Deals
from client_tui.history_pages import End
from client_tui.pictures import Pictures
from client_tui.themes import DARK
from client_tui.widgets.history import History
from client_tui.widgets.message_rows import MessageRows, Scene
from client_tui.widgets.palette import Palette
from shared_models.chat import Message, MessageKind, SystemNote
from shared_models.media import Photo

ME, PEER, ROOM = UUID(int=1), UUID(int=2), UUID(int=3)
NOW = datetime(2026, 11, 19, 5, 30, tzinfo=UTC)
WORDS = ["의자", "아직", "있나요", "there", "both", "chairs", "합정역", "출구", "45,000원", "okay"]


def message(seq: int, text: str = "", *, sender: UUID | None = PEER, **others: object) -> Message:
    """A message; one a minute, the first one long ago."""
    return Message.model_validate(
        {
            "chatroom_id": ROOM,
            "seq": seq,
            "id": UUID(int=10_000_000 + seq),
            "cid": UUID(int=20_000_000 + seq) if sender else None,
            "sender_id": sender,
            "kind": MessageKind.TEXT if sender else MessageKind.SYSTEM,
            "text": text or f"message {seq}",
            "created_at": NOW - timedelta(days=30) + timedelta(minutes=seq),
        }
        | others
    )


def note(
    seq: int, event: str, text: str = "", *, by: UUID | None = PEER, **data: object
) -> Message:
    """A system message."""
    system = SystemNote(event=event, actor_id=by, data=data)
    return message(seq, text or event, sender=None, system=system)


def photo(number: int = 1, width: int = 640, height: int = 480) -> Photo:
    """A photo that is nowhere."""
    return Photo(
        id=UUID(int=30_000_000 + number),
        width=width,
        height=height,
        placeholder="",
        thumb_url="/thumb",
        full_url="/full",
    )


def talk(first: int, last: int) -> list[Message]:
    """Korean and English of one to five rows, from both, with a photo now and then."""
    chance = random.Random(first)
    talked = []
    for seq in range(first, last + 1):
        text = " ".join(chance.choices(WORDS, k=chance.randint(2, 60)))
        photos = [photo(seq * 2), photo(seq * 2 + 1)] if seq % 40 == 0 else []
        talked.append(message(seq, text, sender=ME if seq % 3 else PEER, photos=photos))
    return talked


class NoPages:
    """The state of the ends of a window that nobody fills."""

    def __init__(self) -> None:
        self.ends = {TOP: End.IDLE, GAP: End.IDLE}
        self.reasons = {TOP: "", GAP: ""}


class HistoryApp(App[None]):
    """One history as large as the screen."""

    AUTO_FOCUS = ""
    CSS = "History { height: 1fr; }"

    def __init__(self, messages: Sequence[Message] = (), **opened: int) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.deals = Deals(ME, exponent=0, now=lambda: NOW, zone=UTC)
        self.conversation = Conversation(ME, heard=self.deals.know_message, **opened)
        self.pages = NoPages()
        self.online = True
        if messages:
            self.conversation.start(messages, more_before=messages[0].seq > 1)

    def compose(self) -> ComposeResult:
        scene = Scene(
            conversation=self.conversation,
            pages=self.pages,  # type: ignore[arg-type]
            deals=self.deals,
            pictures=Pictures(None),
            palette=Palette.of(DARK.to_color_system().generate() | DARK.variables),
            other_name=lambda: "민지",
            now=lambda: NOW,
            online=lambda: self.online,
            lead=str,
            zone=UTC,
        )
        yield History(MessageRows(scene), self.conversation, id="history")

    def on_mount(self) -> None:
        self.history.sync()

    @property
    def history(self) -> History:
        return self.query_one(History)

    def rows(self) -> list[str]:
        """The rows of the history as text."""
        height = self.history.size.height
        return [self.history.render_line(y).text.rstrip() for y in range(height)]
