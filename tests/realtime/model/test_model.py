"""Hypothesis looks for what breaks the promises of the chat: `make model` looks longer."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import aiosqlite
import pytest
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from server.app.container import build_context, close_context
from server.app.settings import Environment, Settings
from server.platform.clock import MovableClock
from server.platform.passwords import Passwords
from tests.realtime.model.beginning import begin
from tests.realtime.model.machine import Market, Stage
from tests.realtime.model.records import Records
from tests.realtime.model.virtual_time import VirtualLoop, connect_here, run_here
from tests.server.conftest import BASE_URL, START

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "250"))
"""Of each of the runs below."""
FIRST_SEED = int(os.environ.get("MODEL_SEED", "0"))
"""A failure names the seed of its run."""
STEPS = 12
RUNS = range(FIRST_SEED, FIRST_SEED + 8)


@pytest.fixture
def stage(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """One database and one loop for all examples; each begins anew."""
    monkeypatch.setattr(aiosqlite.Connection, "_execute", run_here)
    monkeypatch.setattr(aiosqlite.Connection, "_connect", connect_here)
    clock = MovableClock(START)
    configuration = Settings(
        environment=Environment.TEST,
        data_dir=tmp_path / "data",
        database_url=sqlite_url,
        rate_limits=False,
    )
    cheap = Passwords(time_cost=1, memory_kib=8)
    records = Records(Path(sqlite_url.removeprefix("sqlite:///")))
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        context = build_context(configuration, base_url=BASE_URL, clock=clock, passwords=cheap)
        yield Stage(context, loop, clock, runner.run(begin(context)), records)
        runner.run(close_context(context))
    records.close()


@pytest.mark.timeout(0)
@pytest.mark.parametrize("number", RUNS)
def test_nothing_is_lost_doubled_or_out_of_order(stage: Stage, number: int) -> None:
    market = type(Market.__name__, (Market,), {"stage": stage})
    run_state_machine_as_test(
        seed(number)(market),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.normal,
        ),
    )
