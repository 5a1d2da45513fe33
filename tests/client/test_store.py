from uuid import UUID

import pytest

from client_tui.core.changes import Change as Step
from client_tui.core.changes import decode
from client_tui.store import Change, NotificationCame, NotificationsRead, Reset, Store
from shared_models.chat import Message, ReadMark
from tests.client.core.fakes import ME, OTHER, ROOM, bootstrap, message, notification, room


@pytest.fixture
def store() -> Store:
    store = Store()
    store.reset(bootstrap(0))
    return store


def test_notices_read_on_another_device_are_no_longer_counted(store: Store) -> None:
    heard: list[Change] = []
    store.subscribe(heard.append)
    for pos in (1, 2, 3):
        data = notification(pos).model_dump(mode="json")
        store.apply(decode({"pos": pos, "kind": "notification.new", "data": data}))
    assert store.state.unread_notifications == 3
    seen = {"up_to_id": str(UUID(int=2)), "unread": 1}
    for _ in range(2):
        store.apply(decode({"pos": 4, "kind": "notification.read", "data": seen}))
    assert store.state.unread_notifications == 1
    assert [type(change) for change in heard] == [NotificationCame] * 3 + [NotificationsRead]
    assert heard[-1] == NotificationsRead(UUID(int=2), None)


def test_a_subscriber_that_fails_stops_neither_the_others_nor_the_caller() -> None:
    store, heard, failures = Store(), list[Change](), list[Exception]()

    def fail(_: Change) -> None:
        raise LookupError("a screen without its widgets")

    store.subscribe(fail)
    store.subscribe(heard.append)
    store.on_failure = failures.append
    store.clear()
    assert [type(change) for change in heard] == [Reset]
    assert [type(error) for error in failures] == [LookupError]


def test_a_failing_subscriber_is_never_silent_by_itself() -> None:
    store = Store()

    def fail(_: Change) -> None:
        raise LookupError("nobody listens")

    store.subscribe(fail)
    with pytest.raises(LookupError):
        store.clear()


def test_a_late_answer_undoes_nothing_that_was_heard_since(store: Store) -> None:
    late = room(last_seq=3, last_message=message(3), unread=3, active_at=message(3).created_at)
    store.put_room(late)
    store.apply(Step(1, "message.new", message(4)))
    marks = [(ME, 4, 0), (OTHER, 2, 0)]
    for pos, (who, seq, unread) in enumerate(marks, start=2):
        mark = ReadMark(chatroom_id=ROOM, account_id=who, seq=seq, unread=unread)
        store.apply(Step(pos, "chatroom.read", mark))
    heard = store.state.rooms[ROOM]
    store.put_room(late.model_copy(update={"muted": True}))
    assert store.state.rooms[ROOM] == heard.model_copy(update={"muted": True})
    assert (heard.last_seq, heard.read_seq, heard.unread, heard.peer_read_seq) == (4, 4, 0, 2)


def test_a_mark_that_is_not_above_the_own_one_takes_back_no_count(store: Store) -> None:
    store.put_room(room(last_seq=3, last_message=message(3), read_seq=3, unread=0))
    store.apply(Step(1, "message.new", message(4)))
    for pos, seq in enumerate((3, 2), start=2):
        mark = ReadMark(chatroom_id=ROOM, account_id=ME, seq=seq, unread=0)
        store.apply(Step(pos, "chatroom.read", mark))
        known = store.state.rooms[ROOM]
        assert (known.read_seq, known.unread) == (3, 1)


def test_a_late_answer_brings_no_deleted_message_back(store: Store) -> None:
    late = room(last_seq=3, last_message=message(3))
    store.put_room(late)
    gone = message(3, deleted=True, text="")
    store.apply(Step(1, "message.deleted", gone))
    store.put_room(late)
    assert store.state.rooms[ROOM].last_message == gone


def test_an_answer_ahead_of_the_events_counts(store: Store) -> None:
    store.put_room(room(last_seq=3, unread=3))
    ahead = room(last_seq=5, last_message=message(5), read_seq=4, unread=1)
    store.put_room(ahead)
    store.apply(Step(1, "message.new", message(4)))
    assert store.state.rooms[ROOM] == ahead


def test_a_message_of_a_room_that_is_not_known_is_told(store: Store) -> None:
    unknown: list[Message] = []
    store.on_unknown_room = unknown.append
    store.apply(Step(1, "message.deleted", message(1, deleted=True)))
    store.apply(Step(2, "message.new", message(2)))
    store.put_room(room(last_seq=2))
    store.apply(Step(3, "message.new", message(3)))
    assert unknown == [message(2)]
