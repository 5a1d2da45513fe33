"""A model made of trusted values is the one that is made by checking them."""

from datetime import UTC, datetime
from uuid import UUID

from shared_models.chat import Message, MessageKind

FIELDS = {
    "chatroom_id": UUID(int=1),
    "seq": 3,
    "id": UUID(int=2),
    "cid": UUID(int=3),
    "sender_id": None,
    "kind": MessageKind.TEXT,
    "text": "still there?",
    "photos": [],
    "system": None,
    "created_at": datetime(2026, 1, 2, tzinfo=UTC),
    "deleted": False,
    "warning": None,
}


def test_it_is_the_same_as_one_that_was_checked() -> None:
    trusted, checked = Message.trusted(**FIELDS), Message(**FIELDS)
    assert trusted == checked
    assert trusted.model_dump_json() == checked.model_dump_json()


def test_copies_of_it_can_be_changed() -> None:
    changed = Message.trusted(**FIELDS).model_copy(update={"text": "gone"})
    assert changed == Message(**{**FIELDS, "text": "gone"})
