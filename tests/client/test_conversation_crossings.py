"""What crosses on its way into a conversation: pages, events, and what the outbox says."""

from client_tui.conversation import GAP, TOP
from tests.client.app.chat_rows import message
from tests.client.test_conversation import ok, opened, outgoing


def test_what_the_server_has_does_not_wait_below_what_was_said_after_it() -> None:
    conversation = opened(5, 8)
    sent, queued = outgoing(1), outgoing(2)
    conversation.wait_for(sent)
    conversation.wait_for(queued)
    conversation.sent(sent.cid, ok(sent, 9))
    conversation.start([message(seq) for seq in range(100, 110)], more_before=True)
    assert conversation.keys == [TOP, *range(100, 110), -2]


def test_what_the_server_has_waits_below_a_window_that_does_not_reach_it() -> None:
    conversation = opened(50, 58)
    sent = outgoing(1)
    conversation.wait_for(sent)
    conversation.sent(sent.cid, ok(sent, 59))
    conversation.start([message(seq) for seq in range(10, 20)], more_before=True)
    assert conversation.keys == [TOP, *range(10, 20), GAP, -1]
