"""What the history with its real rows may cost on a 120x40 terminal, as CPU time of the process.

Medians, so that a collection of garbage or a busy machine does not decide. An operation counts
from the change of the conversation to the painted screen.
"""

import time
from collections.abc import Callable
from statistics import median

import pytest
from textual.pilot import Pilot

from client_tui.widgets.history import KEPT
from tests.client.app.chat_rows import ME, PEER, HistoryApp, message, talk

ROUNDS = 7
BATCH = 4
"""So many operations are timed together, so that small ones can be told apart."""
FLOOR = 0.5
"""Below this many milliseconds a ratio says more about the machine than about the list."""
BEGIN = 10_000
Operation = Callable[[HistoryApp, int], None]


def _append(app: HistoryApp, _: int) -> None:
    seq = app.conversation.window.stop
    app.conversation.take(message(seq, "네, there are both", sender=ME if seq % 2 else PEER))
    app.history.sync()


def _scroll(app: HistoryApp, _: int) -> None:
    app.history.scroll_rows(-3)


def _page(app: HistoryApp, number: int) -> None:
    """A batch up and a batch down, so that a short list does not come to its end."""
    app.history.scroll_rows(39 if number // BATCH % 2 else -39)


_older = {
    number: talk(BEGIN - 50 * (number + 1), BEGIN - 50 * number - 1)
    for number in range(ROUNDS * BATCH)
}


def _prepend(app: HistoryApp, number: int) -> None:
    app.conversation.prepend(_older[number], more_before=True)
    app.history.sync()
    app.history.prune()


async def _median_cpu_ms(pilot: Pilot[None], app: HistoryApp, operation: Operation) -> float:
    taken = []
    for batch in range(ROUNDS):
        started = time.process_time()
        for number in range(batch * BATCH, (batch + 1) * BATCH):
            operation(app, number)
            await pilot.pause()
        taken.append((time.process_time() - started) * 1000 / BATCH)
    return median(taken)


async def _measure(rows: int) -> dict[str, float]:
    app = HistoryApp(talk(BEGIN, BEGIN + rows - 1), peer_read_seq=BEGIN + rows // 2)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        append = await _median_cpu_ms(pilot, app, _append)
        scroll = await _median_cpu_ms(pilot, app, _scroll)
        page = await _median_cpu_ms(pilot, app, _page)
        app.history.jump_to_top()
        app.history.scroll_rows(20)
        await pilot.pause()
        prepend = await _median_cpu_ms(pilot, app, _prepend)
        return {"append": append, "scroll": scroll, "page": page, "prepend": prepend}


@pytest.mark.timeout(120)
async def test_the_history_keeps_its_budget_with_as_much_as_it_keeps() -> None:
    short, full = await _measure(200), await _measure(KEPT)
    assert full["scroll"] <= 15
    assert full["append"] <= 20
    assert full["prepend"] <= 40
    for operation in full:
        assert full[operation] <= 2 * max(short[operation], FLOOR), operation
