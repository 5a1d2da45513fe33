"""A talk as long as one likes: a message is made when it is asked for."""

from collections.abc import MutableSequence
from datetime import timedelta
from typing import Any

from shared_models.chat import Message
from tests.client.app.chat_rows import message
from tests.client.core.fakes import ME, OTHER, START


class LongTalk(MutableSequence[Message]):
    """So many messages a minute apart, the newest a minute before now; more may be appended."""

    def __init__(self, count: int) -> None:
        self._made = count
        self._more: list[Message] = []

    def __len__(self) -> int:
        return self._made + len(self._more)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        index = place if place >= 0 else len(self) + place
        if index >= self._made:
            return self._more[index - self._made]
        return message(
            index + 1,
            f"word {index + 1}",
            sender=ME if index % 2 else OTHER,
            created_at=START - timedelta(minutes=self._made - index),
        )

    def insert(self, index: int, value: Message) -> None:
        assert index == len(self), "only at the end"
        self._more.append(value)

    def __setitem__(self, place: Any, value: Any) -> None:
        raise AssertionError("it only grows")

    def __delitem__(self, place: Any) -> None:
        raise AssertionError("it only grows")
