"""The prefix sums of a virtual list against a plain Python list."""

from itertools import accumulate

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from client_tui.widgets.virtual_list import heights as heights_module
from client_tui.widgets.virtual_list.heights import Heights

_heights = st.lists(st.integers(1, 9), min_size=1, max_size=30)
_places = st.integers(0, 10_000)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heights_module, "_CHUNK", 8)


class _AgainstAPlainList(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.heights = Heights()
        self.plain: list[tuple[int, int]] = []
        self.next_key = 0

    @rule(place=_places, new=_heights)
    def insert(self, place: int, new: list[int]) -> None:
        entries = [(self.next_key + offset, height) for offset, height in enumerate(new)]
        self.next_key += len(new)
        index = place % (len(self.plain) + 1)
        self.heights.insert(index, entries)
        self.plain[index:index] = entries

    @precondition(lambda self: self.plain)
    @rule(place=_places)
    def remove(self, place: int) -> None:
        key, _ = self.plain.pop(place % len(self.plain))
        self.heights.remove(key)
        assert key not in self.heights

    @precondition(lambda self: self.plain)
    @rule(place=_places, height=st.integers(1, 9))
    def set_height(self, place: int, height: int) -> None:
        index = place % len(self.plain)
        key = self.plain[index][0]
        self.plain[index] = (key, height)
        self.heights.set_height(key, height)

    @precondition(lambda self: self.plain)
    @rule(place=_places)
    def rename(self, place: int) -> None:
        index = place % len(self.plain)
        key, height = self.plain[index]
        self.heights.rename(key, self.next_key)
        self.plain[index] = (self.next_key, height)
        self.next_key += 1

    @rule(factor=st.integers(1, 5))
    def set_all(self, factor: int) -> None:
        self.plain = [(key, key % factor + 1) for key, _ in self.plain]
        self.heights.set_all(lambda key: key % factor + 1)

    @rule()
    def clear(self) -> None:
        self.heights.clear()
        self.plain.clear()

    @invariant()
    def keys_and_sums_are_those_of_the_plain_list(self) -> None:
        sums = [0, *accumulate(height for _, height in self.plain)]
        assert list(self.heights) == [key for key, _ in self.plain]
        assert len(self.heights) == len(self.plain)
        assert self.heights.rows == sums[-1]
        for index, (key, height) in enumerate(self.plain):
            assert self.heights.index(key) == index
            assert self.heights.key_at(index) == key
            assert self.heights.key_at(index - len(self.plain)) == key
            assert self.heights.height(key) == height
            assert self.heights.above(key) == sums[index]
            assert self.heights.find(sums[index]) == (key, 0)
            assert self.heights.find(sums[index + 1] - 1) == (key, height - 1)

    @precondition(lambda self: self.plain)
    @rule(place=_places)
    def neighbours_come_from_the_nearest_on(self, place: int) -> None:
        index = place % len(self.plain)
        keys = [key for key, _ in self.plain]
        assert list(self.heights.after(keys[index])) == keys[index + 1 :]
        assert list(self.heights.before(keys[index])) == keys[:index][::-1]


TestHeights = _AgainstAPlainList.TestCase
TestHeights.settings = settings(max_examples=60, stateful_step_count=20)


def test_a_key_may_be_there_only_once() -> None:
    heights = Heights()
    heights.insert(0, [(1, 1), (2, 1)])
    with pytest.raises(ValueError, match="only once"):
        heights.insert(0, [(2, 1)])
    with pytest.raises(ValueError, match="only once"):
        heights.insert(0, [(3, 1), (3, 1)])
    with pytest.raises(ValueError, match="only once"):
        heights.rename(1, 2)
    assert list(heights) == [1, 2]
    assert heights.rows == 2


def test_what_is_outside_the_list_is_an_error() -> None:
    heights = Heights()
    with pytest.raises(IndexError):
        heights.key_at(0)
    with pytest.raises(IndexError):
        heights.find(0)
    heights.insert(0, [(7, 3)])
    for index in (1, -2):
        with pytest.raises(IndexError):
            heights.key_at(index)
    for row in (-1, 3):
        with pytest.raises(IndexError):
            heights.find(row)
    with pytest.raises(KeyError):
        heights.above(8)
    with pytest.raises(KeyError):
        heights.remove(8)
