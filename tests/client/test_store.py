from uuid import UUID

import pytest

from client_tui.core.changes import decode
from client_tui.store import Change, NotificationCame, NotificationsRead, Reset, Store
from tests.client.core.fakes import bootstrap, notification


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
    assert heard[-1] == NotificationsRead(UUID(int=2))


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
