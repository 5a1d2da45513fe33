"""Discarding a message that was not sent: what is thrown away is gone, so it is asked first."""

from functools import partial

from client_tui.core.outbox import OutboxMessage
from client_tui.screens.base import PickyScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.work import start


def ask_to_discard(screen: PickyScreen, message: OutboxMessage) -> None:
    """Discard it if the person means it; what goes wrong becomes a toast."""

    def answered(yes: bool | None) -> None:
        if yes:
            start(screen, partial(screen.link.discard_message, message), group="discard")

    question = ConfirmScreen("Discard this message?", "It was not sent.", yes="Discard", no="Keep")
    screen.app.push_screen(question, answered)
