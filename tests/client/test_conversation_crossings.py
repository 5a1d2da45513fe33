"""What crosses on its way into a conversation: pages, events, and what the outbox says."""

from client_tui.conversation import GAP, TOP, Conversation
from shared_models.chat import Message
from tests.client.app.chat_rows import ME, message, note
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


def is_deleted(conversation: Conversation, seq: int) -> bool:
    shown = conversation.message(seq)
    return shown is not None and shown.deleted and not shown.text


def tombstone(seq: int) -> Message:
    return message(seq).model_copy(update={"text": "", "deleted": True})


def test_a_page_from_before_a_deletion_does_not_bring_the_text_back() -> None:
    conversation = opened(50, 59)
    conversation.take(tombstone(45))
    conversation.take(tombstone(63))
    conversation.prepend([message(seq) for seq in range(40, 50)], more_before=True)
    conversation.append([message(seq) for seq in range(60, 70)])
    assert is_deleted(conversation, 45)
    assert is_deleted(conversation, 63)


def test_a_window_from_before_a_deletion_does_not_bring_the_text_back() -> None:
    conversation = opened(50, 59)
    conversation.take(tombstone(55))
    conversation.start([message(seq) for seq in range(51, 61)], more_before=True)
    assert is_deleted(conversation, 55)


def test_what_is_known_of_my_messages_does_not_grow_with_the_room() -> None:
    conversation = opened(19_901, 20_000)
    sent = outgoing(1)
    conversation.wait_for(sent)
    conversation.take(message(20_001, sender=ME, cid=sent.cid))
    for first in range(19_801, 0, -100):
        page = [message(seq, sender=ME) for seq in range(first, first + 100)]
        conversation.prepend(page, more_before=True)
        conversation.prune(200, first, first + 50)
    assert conversation.window.start == 1
    assert len(conversation._mine_here) <= 2_000
    conversation.wait_for(sent)
    assert not any(conversation.all_waiting()), "its event has come long ago"


def test_what_is_sent_while_the_window_is_elsewhere_stands_below_what_is_missing() -> None:
    conversation = opened(5, 8)
    conversation.know_head(100)
    sent = outgoing(1)
    conversation.wait_for(sent)
    conversation.take(message(101, sender=ME, cid=sent.cid))
    conversation.wait_for(sent)
    assert conversation.keys == [TOP, 5, 6, 7, 8, GAP, -1]
    assert conversation.missing == 92
    waiting = conversation.waiting(-1)
    assert waiting is not None
    assert waiting.seq == 101
    conversation.start([message(seq) for seq in range(95, 101)], more_before=True)
    conversation.append([message(101, sender=ME, cid=sent.cid)])
    assert conversation.keys == [TOP, *range(95, 102)]
    assert conversation.take_changes().renamed == {-1: 101}


def test_what_is_deleted_while_the_window_is_elsewhere_stands_nowhere() -> None:
    conversation = opened(5, 8)
    conversation.know_head(100)
    sent = outgoing(1)
    conversation.wait_for(sent)
    conversation.take(message(101, sender=ME, cid=sent.cid))
    conversation.take(message(101, sender=ME, cid=sent.cid, deleted=True))
    assert conversation.keys == [TOP, 5, 6, 7, 8, GAP]


def test_news_are_what_others_said_wherever_the_window_is() -> None:
    conversation = opened(5, 8)
    conversation.take(message(9, sender=ME))
    conversation.take(note(10, "offer_made", by=ME))
    conversation.take(message(11))
    assert conversation.news_after(8) == 1
    conversation.start([message(seq) for seq in range(1, 5)], more_before=False)
    conversation.take(message(12, sender=ME))
    conversation.take(note(13, "offer_made", by=ME))
    conversation.take(message(14))
    assert conversation.news_after(11) == 1
    assert conversation.news_after(14) == 0
