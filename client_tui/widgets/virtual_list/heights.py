"""Where the rows of a long list are: heights by key, in order, with prefix sums.

The keys are kept in chunks with their sums, so that looking up, inserting and removing anywhere
cost about the square root of the length: 100,000 items feel like 2,000.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_CHUNK = 512
"""A chunk that grows beyond this is cut in halves or smaller."""


@dataclass(slots=True, eq=False)
class _Chunk:
    keys: list[int]
    heights: list[int]
    rows: int


class Heights:
    """An ordered list of (key, height in rows) with its prefix sums. Keys are unique."""

    def __init__(self) -> None:
        self._chunks: list[_Chunk] = []
        self._chunk_of: dict[int, _Chunk] = {}
        self.rows = 0
        """The sum of all heights."""

    def __len__(self) -> int:
        return len(self._chunk_of)

    def __contains__(self, key: object) -> bool:
        return key in self._chunk_of

    def __iter__(self) -> Iterator[int]:
        return (key for chunk in self._chunks for key in chunk.keys)

    def height(self, key: int) -> int:
        """The height of ``key``; ``KeyError`` when it is not there."""
        chunk = self._chunk_of[key]
        return chunk.heights[chunk.keys.index(key)]

    def index(self, key: int) -> int:
        """How many keys come before ``key``; ``KeyError`` when it is not there."""
        home = self._chunk_of[key]
        before = 0
        for chunk in self._chunks:
            if chunk is home:
                break
            before += len(chunk.keys)
        return before + home.keys.index(key)

    def key_at(self, index: int) -> int:
        """The key at a position, counted from the end when negative; ``IndexError`` outside."""
        if index < 0:
            index += len(self)
        if index < 0:
            raise IndexError("list index out of range")
        chunk, place = self._locate(index)
        return chunk.keys[place]

    def above(self, key: int) -> int:
        """The sum of the heights before ``key``; ``KeyError`` when it is not there."""
        home = self._chunk_of[key]
        rows = 0
        for chunk in self._chunks:
            if chunk is home:
                break
            rows += chunk.rows
        return rows + sum(home.heights[: home.keys.index(key)])

    def find(self, row: int) -> tuple[int, int]:
        """The key that covers ``row`` and the row inside it; ``IndexError`` outside all rows."""
        if not 0 <= row < self.rows:
            raise IndexError("row out of range")
        for chunk in self._chunks:
            if row < chunk.rows:
                break
            row -= chunk.rows
        place = 0
        while row >= chunk.heights[place]:
            row -= chunk.heights[place]
            place += 1
        return chunk.keys[place], row

    def after(self, key: int) -> Iterator[int]:
        """The keys that follow ``key``, from the nearest on."""
        home = self._chunk_of[key]
        yield from home.keys[home.keys.index(key) + 1 :]
        for chunk in self._chunks[self._chunks.index(home) + 1 :]:
            yield from chunk.keys

    def before(self, key: int) -> Iterator[int]:
        """The keys that come before ``key``, from the nearest on."""
        home = self._chunk_of[key]
        yield from reversed(home.keys[: home.keys.index(key)])
        for chunk in reversed(self._chunks[: self._chunks.index(home)]):
            yield from reversed(chunk.keys)

    def insert(self, index: int, entries: Sequence[tuple[int, int]]) -> None:
        """Put (key, height) pairs at a position; ``ValueError`` for a key that is there already."""
        keys = [key for key, _ in entries]
        if len(set(keys)) != len(keys) or not self._chunk_of.keys().isdisjoint(keys):
            raise ValueError("a key may be in the list only once")
        if not entries:
            return
        if not self._chunks:
            self._chunks.append(_Chunk([], [], 0))
        chunk, place = self._locate(index)
        heights = [height for _, height in entries]
        chunk.keys[place:place] = keys
        chunk.heights[place:place] = heights
        chunk.rows += sum(heights)
        self.rows += sum(heights)
        if len(chunk.keys) > _CHUNK:
            self._split(chunk)
        else:
            self._chunk_of.update(dict.fromkeys(keys, chunk))

    def remove(self, key: int) -> None:
        """Take ``key`` out; ``KeyError`` when it is not there."""
        chunk = self._chunk_of.pop(key)
        place = chunk.keys.index(key)
        height = chunk.heights.pop(place)
        del chunk.keys[place]
        chunk.rows -= height
        self.rows -= height
        if not chunk.keys:
            self._chunks.remove(chunk)

    def set_height(self, key: int, height: int) -> None:
        """Change the height of ``key``; ``KeyError`` when it is not there."""
        chunk = self._chunk_of[key]
        place = chunk.keys.index(key)
        change = height - chunk.heights[place]
        chunk.heights[place] = height
        chunk.rows += change
        self.rows += change

    def set_all(self, height_of: Callable[[int], int]) -> None:
        """Change every height."""
        for chunk in self._chunks:
            chunk.heights = [height_of(key) for key in chunk.keys]
            chunk.rows = sum(chunk.heights)
        self.rows = sum(chunk.rows for chunk in self._chunks)

    def rename(self, key: int, new_key: int) -> None:
        """Give the entry ``key`` another key; ``ValueError`` when that is taken."""
        if new_key in self._chunk_of:
            raise ValueError("a key may be in the list only once")
        chunk = self._chunk_of.pop(key)
        chunk.keys[chunk.keys.index(key)] = new_key
        self._chunk_of[new_key] = chunk

    def clear(self) -> None:
        """Forget everything."""
        self._chunks, self._chunk_of, self.rows = [], {}, 0

    def _locate(self, index: int) -> tuple[_Chunk, int]:
        """The chunk and the place in it of a position; the end is in the last chunk."""
        for chunk in self._chunks:
            if index < len(chunk.keys):
                return chunk, index
            index -= len(chunk.keys)
        return self._chunks[-1], len(self._chunks[-1].keys) + index

    def _split(self, chunk: _Chunk) -> None:
        at = self._chunks.index(chunk)
        pieces = []
        for start in range(0, len(chunk.keys), _CHUNK // 2):
            keys = chunk.keys[start : start + _CHUNK // 2]
            heights = chunk.heights[start : start + _CHUNK // 2]
            piece = _Chunk(keys, heights, sum(heights))
            pieces.append(piece)
            self._chunk_of.update(dict.fromkeys(keys, piece))
        self._chunks[at : at + 1] = pieces
