import random
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from client_tui.conversation import GAP, TOP, Conversation, run_up_to
from client_tui.core.outbox import OutboxMessage, OutboxPhoto, OutboxState
from client_tui.core.uploads import Phase, Progress
from shared_models.realtime import Ok
from tests.client.app.chat_rows import ME, PEER, ROOM, message, note

NOW = datetime(2026, 11, 19, 14, tzinfo=UTC)


def outgoing(number: int, cid: UUID | None = None, **others: object) -> OutboxMessage:
    values: dict[str, object] = {
        "number": number,
        "cid": cid or uuid4(),
        "room_id": ROOM,
        "text": f"mine {number}",
        "photos": (),
        "confirmed": False,
        "state": OutboxState.QUEUED,
        "code": None,
        "reason": None,
        "created_at": NOW,
    }
    return OutboxMessage(**(values | others))  # type: ignore[arg-type]


def ok(sent: OutboxMessage, seq: int) -> Ok:
    return Ok(
        id="1",
        chatroom_id=ROOM,
        cid=sent.cid,
        seq=seq,
        message_id=uuid4(),
        created_at=NOW,
        duplicate=False,
    )


def opened(first: int, last: int, *, read_seq: int = 0, unread: int = 0) -> Conversation:
    conversation = Conversation(ME, read_seq=read_seq, unread=unread)
    page = [message(seq) for seq in range(first, last + 1)]
    conversation.start(page, more_before=first > 1)
    conversation.take_changes()
    return conversation


def test_an_empty_conversation_has_only_its_top() -> None:
    conversation = Conversation(ME)
    assert conversation.keys == [TOP]
    assert conversation.at_newest


def test_a_page_is_shown_in_the_order_of_seq() -> None:
    assert opened(5, 8).keys == [TOP, 5, 6, 7, 8]


def test_an_older_page_joins_above_and_the_former_first_row_looks_different() -> None:
    conversation = opened(5, 8)
    conversation.prepend([message(3), message(4)], more_before=True)
    assert conversation.keys == [TOP, 3, 4, 5, 6, 7, 8]
    assert 5 in conversation.take_changes().touched


def test_the_first_page_of_all_ends_the_loading() -> None:
    conversation = opened(2, 4)
    conversation.prepend([message(1)], more_before=False)
    assert not conversation.more_before


def test_an_older_page_that_overlaps_puts_nothing_twice() -> None:
    conversation = opened(5, 8)
    conversation.prepend([message(seq) for seq in range(3, 8)], more_before=True)
    assert conversation.keys == [TOP, 3, 4, 5, 6, 7, 8]


def test_an_older_page_that_leaves_a_gap_is_not_drawn() -> None:
    conversation = opened(5, 8)
    conversation.prepend([message(2), message(3)], more_before=False)
    assert conversation.keys == [TOP, 5, 6, 7, 8]
    assert conversation.more_before


def test_a_message_beyond_a_gap_is_not_drawn_but_its_gap_is() -> None:
    conversation = opened(5, 8)
    conversation.take(message(11))
    assert conversation.keys == [TOP, 5, 6, 7, 8, GAP]
    assert conversation.head == 11


def test_a_gap_fills_in_place_page_by_page() -> None:
    conversation = opened(5, 8)
    conversation.take(message(11))
    conversation.append([message(9), message(10)])
    assert conversation.keys == [TOP, 5, 6, 7, 8, 9, 10, GAP]
    conversation.append([message(10), message(11)])
    assert conversation.keys == [TOP, 5, 6, 7, 8, 9, 10, 11]
    assert conversation.at_newest


def test_a_newer_page_that_leaves_a_gap_is_not_drawn() -> None:
    conversation = opened(5, 8)
    conversation.append([message(10)])
    assert conversation.keys == [TOP, 5, 6, 7, 8]


def test_an_event_that_comes_again_is_not_drawn_twice() -> None:
    conversation = opened(5, 8)
    conversation.take(message(9))
    conversation.take(message(9))
    assert conversation.keys == [TOP, 5, 6, 7, 8, 9]


def test_a_head_that_is_known_before_its_event_is_no_gap_afterwards() -> None:
    conversation = opened(5, 8)
    conversation.know_head(9)
    conversation.take(message(9))
    assert conversation.at_newest


def test_a_tombstone_takes_the_place_of_its_message_for_good() -> None:
    conversation = opened(5, 8)
    conversation.take(message(6, deleted=True))
    conversation.append([message(6)])
    conversation.take(message(6))
    tombstone = conversation.message(6)
    assert tombstone is not None
    assert tombstone.deleted
    assert 6 in conversation.take_changes().touched


def test_what_is_written_stands_below_everything_in_the_order_of_writing() -> None:
    conversation = opened(5, 8)
    later, sooner = outgoing(2), outgoing(1)
    conversation.wait_for(later)
    conversation.wait_for(sooner)
    conversation.take(message(9))
    assert conversation.keys == [TOP, 5, 6, 7, 8, 9, -1, -2]


@pytest.mark.parametrize("ok_first", [True, False])
def test_ok_and_event_may_cross_and_the_order_stays(ok_first: bool) -> None:
    conversation = opened(5, 8)
    sent, next_one = outgoing(1), outgoing(2)
    conversation.wait_for(sent)
    conversation.wait_for(next_one)
    event = message(9, "mine 1", sender=ME, cid=sent.cid)
    if ok_first:
        conversation.sent(sent.cid, ok(sent, 9))
        assert conversation.keys[5:] == [-1, -2]
        conversation.take(event)
    else:
        conversation.take(event)
        conversation.sent(sent.cid, ok(sent, 9))
    assert conversation.keys[5:] == [9, -2]
    assert conversation.take_changes().renamed == {-1: 9}


def test_an_accepted_message_is_known_as_sent_before_its_event() -> None:
    conversation = opened(5, 8)
    sent = outgoing(1)
    conversation.wait_for(sent)
    conversation.sent(sent.cid, ok(sent, 9))
    waiting = conversation.waiting(-1)
    assert waiting is not None
    assert waiting.seq == 9


def test_the_other_side_may_have_written_just_before() -> None:
    conversation = opened(5, 8)
    sent = outgoing(1)
    conversation.wait_for(sent)
    conversation.sent(sent.cid, ok(sent, 10))
    conversation.take(message(9))
    assert conversation.keys[-2:] == [9, -1]
    conversation.take(message(10, "mine 1", sender=ME, cid=sent.cid))
    assert conversation.keys[-2:] == [9, 10]


def test_a_resend_after_a_lost_answer_does_not_stand_twice() -> None:
    conversation = opened(5, 8)
    sent = outgoing(1)
    conversation.wait_for(sent)
    conversation.take(message(9, "mine 1", sender=ME, cid=sent.cid))
    conversation.wait_for(outgoing(1, sent.cid, state=OutboxState.SENDING))
    assert conversation.keys == [TOP, 5, 6, 7, 8, 9]


def test_the_outbox_read_after_the_history_matches_by_cid() -> None:
    conversation = Conversation(ME)
    sent = outgoing(1)
    conversation.start([message(9, sender=ME, cid=sent.cid)], more_before=True)
    conversation.wait_for(sent)
    assert conversation.keys == [TOP, 9]


def test_a_cid_of_somebody_else_is_not_mine() -> None:
    conversation = opened(5, 8)
    sent = outgoing(1)
    conversation.wait_for(sent)
    conversation.take(message(9, sender=PEER, cid=sent.cid))
    assert conversation.keys[-2:] == [9, -1]


def test_a_failed_message_stays_below_what_was_sent_after_it() -> None:
    conversation = opened(5, 8)
    failed, later = outgoing(1), outgoing(2)
    conversation.wait_for(failed)
    conversation.wait_for(later)
    conversation.wait_for(outgoing(1, failed.cid, state=OutboxState.FAILED, reason="no"))
    conversation.take(message(9, sender=ME, cid=later.cid))
    assert conversation.keys[-2:] == [9, -1]


def test_a_discarded_message_is_gone() -> None:
    conversation = opened(5, 8)
    conversation.wait_for(outgoing(1, UUID(int=7)))
    conversation.discard(UUID(int=7))
    assert conversation.keys == [TOP, 5, 6, 7, 8]


def test_each_photo_keeps_its_own_progress() -> None:
    conversation = opened(5, 8)
    photos = (OutboxPhoto(Path("a.jpg")), OutboxPhoto(Path("b.jpg")))
    sent = outgoing(1, photos=photos)
    conversation.wait_for(sent)
    conversation.wait_for(sent, Progress(0, Path("a.jpg"), Phase.SENDING, 10, 100))
    conversation.wait_for(sent, Progress(1, Path("b.jpg"), Phase.PROCESSING))
    waiting = conversation.waiting(-1)
    assert waiting is not None
    assert {path.name: step.phase for path, step in waiting.progress.items()} == {
        "a.jpg": Phase.SENDING,
        "b.jpg": Phase.PROCESSING,
    }


def test_the_unread_line_stays_where_it_was_when_the_room_was_opened() -> None:
    conversation = opened(5, 10, read_seq=7, unread=3)
    assert conversation.unread_line == 8
    conversation.take(message(11))
    assert conversation.unread_line == 8


def test_the_unread_line_skips_what_i_wrote_or_caused_myself() -> None:
    conversation = Conversation(ME, read_seq=1, unread=1)
    conversation.start(
        [message(1), message(2, sender=ME), note(3, "offer_made", by=ME), message(4)],
        more_before=False,
    )
    assert conversation.unread_line == 4


def test_there_is_no_unread_line_where_all_was_read() -> None:
    assert opened(5, 10, read_seq=10, unread=0).unread_line is None


def test_an_unread_line_above_the_window_is_not_drawn_inside_it() -> None:
    conversation = opened(50, 60, read_seq=10, unread=50)
    assert conversation.unread_line is None


def test_read_marks_only_rise_and_touch_what_looks_different() -> None:
    conversation = Conversation(ME, peer_read_seq=2)
    conversation.start([message(seq, sender=ME) for seq in range(1, 6)], more_before=False)
    assert conversation.newest_read == 2
    conversation.take_changes()
    conversation.read_by_peer(4)
    assert conversation.newest_read == 4
    assert conversation.take_changes().touched == {2, 3, 4}
    conversation.read_by_peer(3)
    assert conversation.newest_read == 4


def test_pruning_forgets_the_end_that_is_farther_from_the_eye() -> None:
    conversation = opened(1, 100)
    conversation.prune(50, 90, 99)
    assert conversation.window == range(51, 101)
    assert conversation.more_before
    assert conversation.message(50) is None


def test_pruning_the_newest_leaves_a_gap_that_can_be_filled() -> None:
    conversation = opened(1, 100)
    conversation.prune(50, 2, 20)
    assert conversation.window == range(1, 51)
    assert conversation.keys[-1] == GAP
    conversation.append([message(seq) for seq in range(51, 101)])
    assert conversation.at_newest


def test_pruning_never_takes_what_is_in_view() -> None:
    conversation = opened(1, 100)
    conversation.prune(10, 20, 60)
    assert conversation.window == range(20, 61)


def test_a_window_elsewhere_takes_the_place_of_the_former() -> None:
    conversation = opened(90, 100)
    conversation.start([message(seq) for seq in range(10, 20)], more_before=True)
    assert conversation.keys == [TOP, *range(10, 20), GAP]
    assert conversation.message(95) is None


def test_the_longest_stretch_of_copies_ends_where_it_must() -> None:
    copies = [message(seq) for seq in (1, 2, 4, 5, 6)]
    assert [one.seq for one in run_up_to(copies, None)] == [4, 5, 6]
    assert [one.seq for one in run_up_to(copies, 7)] == [4, 5, 6]
    assert run_up_to(copies, 9) == []


class Crossing:
    """A server that only appends, seen through pages and events that come, cross or get lost."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.conversation = Conversation(ME)
        self.log = [message(seq) for seq in range(1, 40)]
        self.outbox: dict[int, OutboxMessage] = {}
        self.conversation.start(self.log[-10:], more_before=True)

    def step(self, number: int) -> None:
        steps = (self.write, self.deliver, self.hear, self.older, self.newer, self.prune)
        self.chance.choice(steps)(number)

    def write(self, number: int) -> None:
        self.outbox[number] = outgoing(number)
        self.conversation.wait_for(self.outbox[number])

    def deliver(self, _: int) -> None:
        if not self.outbox:
            return
        sent = self.outbox.pop(min(self.outbox))
        seq = len(self.log) + 1
        self.log.append(message(seq, sender=ME, cid=sent.cid))
        event_first = self.chance.random() < 0.5
        if event_first:
            self.conversation.take(self.log[-1])
        self.conversation.sent(sent.cid, ok(sent, seq))
        if not event_first and self.chance.random() < 0.9:
            self.conversation.take(self.log[-1])

    def hear(self, _: int) -> None:
        self.log.append(message(len(self.log) + 1))
        if self.chance.random() < 0.8:
            self.conversation.take(self.log[-1])

    def older(self, _: int) -> None:
        start = self.conversation.window.start
        page = self.log[max(0, start - 21) : start - 1]
        self.conversation.prepend(page, more_before=start > 21)

    def newer(self, _: int) -> None:
        stop = self.conversation.window.stop
        self.conversation.append(self.log[stop - 1 : stop + 19])

    def prune(self, _: int) -> None:
        middle = self.chance.choice(self.conversation.window)
        self.conversation.prune(self.chance.randint(15, 60), middle, middle)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_crosses_the_window_has_no_hole_and_nothing_twice(seed: int) -> None:
    crossing = Crossing(seed)
    conversation = crossing.conversation
    for number in range(1, 120):
        crossing.step(number)
        seqs = [key for key in conversation.keys if 0 < key < GAP]
        assert seqs == list(range(seqs[0], seqs[-1] + 1))
        here = [conversation.message(seq) for seq in seqs]
        cids = [one.cid for one in here if one is not None]
        assert len(cids) == len(seqs)
        cids += [one.message.cid for one in conversation.all_waiting()]
        assert len(cids) == len(set(cids))
    conversation.start(crossing.log[-50:], more_before=True)
    waiting = {one.message.cid for one in conversation.all_waiting()}
    assert waiting == {one.cid for one in crossing.outbox.values()}
