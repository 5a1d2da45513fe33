"""Another program of the same account on this machine."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

_EDITOR = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from client_tui.core.outbox import Outbox

async def edit():
    outbox = await Outbox(Path(sys.argv[1])).open()
    await outbox.hold(await outbox.next(UUID(sys.argv[2])))
    print("held", flush=True)
    sys.stdin.read()

asyncio.run(edit())
"""


@contextmanager
def editing_elsewhere(outbox: Path, room_id: UUID) -> Iterator["subprocess.Popen[str]"]:
    """It edits what is the next to go in a room; it is killed at the end."""
    command = [sys.executable, "-c", _EDITOR, str(outbox), str(room_id)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            yield other
        finally:
            other.kill()
