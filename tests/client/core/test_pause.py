import asyncio

from client_tui.core.pause import Pause
from tests.client.core.fakes import FakeClock


async def test_what_was_cut_short_once_waits_the_next_time() -> None:
    clock = FakeClock()
    pause = Pause(clock)
    waiting = [asyncio.create_task(pause.wait(30)) for _ in range(2)]
    await clock.advance(1)
    pause.cut_short()
    await asyncio.gather(*waiting)
    again = asyncio.create_task(pause.wait(30))
    await clock.advance(29)
    assert not again.done()
    await clock.advance(1)
    await again
