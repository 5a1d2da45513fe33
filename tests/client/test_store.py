from uuid import UUID

import pytest

from client_tui.core.changes import decode
from client_tui.store import Change, NotificationCame, NotificationsRead, Store
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
