"""What the database holds, read beside everything else, and what must be true of it."""

import sqlite3
from pathlib import Path
from uuid import UUID

_MESSAGES = "SELECT cid, room_id, seq FROM chat_message WHERE cid IS NOT NULL"
_ROOMS = """
SELECT room.id, room.last_seq, count(*), min(message.seq), max(message.seq)
FROM chat_room AS room JOIN chat_message AS message ON message.room_id = room.id GROUP BY room.id
"""
_MEMBERS = """
SELECT member.room_id, member.account_id, member.read_seq, member.unread,
    (SELECT count(*) FROM chat_message AS message WHERE message.room_id = member.room_id
        AND message.seq > member.read_seq AND message.actor_id IS NOT member.account_id)
FROM chat_member AS member
"""
_HEADS = "SELECT id, head FROM platform_stream"


class Records:
    """Reads by a connection of its own. ``read_seqs`` is where each member was seen last."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self._read_seqs: dict[tuple[str, str], int] = {}

    def begin(self) -> None:
        """Another example."""
        self._read_seqs.clear()

    def close(self) -> None:
        """Read no more."""
        self._connection.close()

    def messages(self) -> dict[str, tuple[str, int]]:
        """Room and ``seq`` of each message that somebody sent, by its ``cid``."""
        rows = self._connection.execute(_MESSAGES).fetchall()
        return {str(UUID(cid)): (str(UUID(room_id)), seq) for cid, room_id, seq in rows}

    def _last_seqs(self) -> dict[str, int]:
        """The last ``seq`` of each room, where all of them are there (I8)."""
        found = {}
        for room_id, last, number, least, most in self._connection.execute(_ROOMS):
            assert (number, least, most) == (last, 1, last), "I8: no hole and no second one"
            found[room_id] = last
        return found

    def counts(self, account_id: UUID) -> dict[UUID, tuple[int, int, int]]:
        """Of each room of theirs the last ``seq``, the last one read, and a recount of unread."""
        last_seqs = self._last_seqs()
        return {
            UUID(room_id): (last_seqs[room_id], read_seq, recount)
            for room_id, member_id, read_seq, _, recount in self._connection.execute(_MEMBERS)
            if UUID(member_id) == account_id
        }

    def heads(self) -> dict[str, int]:
        """The head of each account's stream."""
        return {str(UUID(id_)): head for id_, head in self._connection.execute(_HEADS)}

    def check_counters(self) -> None:
        """Unread is what a recount gives (I10), and read pointers only rise."""
        for room_id, account_id, read_seq, unread, recount in self._connection.execute(_MEMBERS):
            assert unread == recount, "I10"
            assert read_seq >= self._read_seqs.get((room_id, account_id), 0), "it only rises"
            self._read_seqs[room_id, account_id] = read_seq
