"""What the chat history may cost on a 120x40 terminal, as CPU time of the process.

Medians, so that a collection of garbage or a busy machine does not decide. An operation counts
from the call to the painted screen.
"""

import random
import time
from collections.abc import Callable
from statistics import median

import pytest
from textual.pilot import Pilot

from tests.client.virtual_list_app import ListApp, Note

ROUNDS = 7
BATCH = 4
"""So many operations are timed together, so that small ones can be told apart."""
FLOOR = 0.5
"""Below this many milliseconds a ratio says more about the machine than about the list."""
WORDS = ["의자", "아직", "있나요", "there", "both", "chairs", "합정역", "출구", "45,000원", "okay"]
Operation = Callable[[ListApp, int], None]


def _notes(start: int, stop: int) -> list[Note]:
    """Messages of one to five rows in Korean and English."""
    chance = random.Random(start)
    return [
        Note(number, " ".join(chance.choices(WORDS, k=chance.randint(2, 80))))
        for number in range(start, stop)
    ]


def _append(app: ListApp, number: int) -> None:
    app.list.append([Note(2_000_000 + number, f"네, there are both {number}")])


def _scroll(app: ListApp, _: int) -> None:
    app.list.scroll_rows(-3)


def _page(app: ListApp, number: int) -> None:
    """A batch up and a batch down, so that a short list does not come to its end."""
    app.list.scroll_rows(39 if number // BATCH % 2 else -39)


_older = {number: _notes(-50 * (number + 1), -50 * number) for number in range(ROUNDS * BATCH)}


def _prepend(app: ListApp, number: int) -> None:
    app.list.prepend(_older[number])


async def _median_cpu_ms(pilot: Pilot[None], app: ListApp, operation: Operation) -> float:
    taken = []
    for batch in range(ROUNDS):
        started = time.process_time()
        for number in range(batch * BATCH, (batch + 1) * BATCH):
            operation(app, number)
            await pilot.pause()
        taken.append((time.process_time() - started) * 1000 / BATCH)
    return median(taken)


async def _measure(rows: int) -> dict[str, float]:
    app = ListApp(_notes(0, rows), from_bottom=True)
    async with app.run_test(size=(120, 40)) as pilot:
        append = await _median_cpu_ms(pilot, app, _append)
        scroll = await _median_cpu_ms(pilot, app, _scroll)
        page = await _median_cpu_ms(pilot, app, _page)
        app.list.jump_to_top()
        app.list.scroll_rows(20)
        await pilot.pause()
        return {
            "append": append,
            "scroll": scroll,
            "page": page,
            "prepend": await _median_cpu_ms(pilot, app, _prepend),
        }


@pytest.mark.timeout(120)
async def test_the_history_keeps_its_budget_at_any_length() -> None:
    short, usual, long = [await _measure(rows) for rows in (200, 2_000, 100_000)]
    assert usual["scroll"] <= 15
    assert usual["append"] <= 20
    assert usual["prepend"] <= 40
    for operation in usual:
        assert usual[operation] <= 2 * max(short[operation], FLOOR), operation
        assert long[operation] <= 2 * max(usual[operation], FLOOR), operation
