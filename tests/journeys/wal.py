"""SQLite's write-ahead log as a file: where its frames end, and which of them commit.

After a header of 32 bytes come frames of 24 bytes and a page each. The second number of a frame is
not zero where a transaction ends; its salts are those of the header, unless the frame is left over
from before the log began anew.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

HEADER, FRAME_HEADER = 32, 24


@dataclass(frozen=True)
class Wal:
    """The frames of a log that count."""

    salts: bytes
    commits: tuple[int, ...]
    """The offsets at which a transaction has ended."""
    boundaries: tuple[int, ...]
    """The offsets at which a frame has ended, with the end of the header as the first."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a log, whole or cut."""
        log = path.read_bytes()
        salts, size = log[16:24], FRAME_HEADER + int.from_bytes(log[8:12])
        commits, boundaries = [], [HEADER]
        for start in range(HEADER, len(log) - size + 1, size):
            frame = log[start : start + FRAME_HEADER]
            if frame[8:16] != salts:
                break
            boundaries.append(start + size)
            if int.from_bytes(frame[4:8]):
                commits.append(start + size)
        return cls(salts, tuple(commits), tuple(boundaries))
