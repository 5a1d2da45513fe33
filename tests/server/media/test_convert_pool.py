"""The subprocesses that convert are bounded, replaced and never left behind."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from server.media import convert_pool
from server.media.conversion import PhotoRefused
from server.media.convert_pool import PROCESSES, ConvertPool
from shared_models.photo_failures import PhotoFailure
from tests.server.media import pictures
from tests.server.media.bench import Bench

Children = Callable[[], set[psutil.Process]]


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine it takes a while until one that has ended is known to have."""
    monkeypatch.setattr(convert_pool, "_ENDS_WITHIN_S", 30.0)


@pytest.fixture
def children() -> Children:
    """The subprocesses that this test has started and that are there now."""
    worker = psutil.Process()
    before = set(worker.children())
    return lambda: set(worker.children()) - before


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    pool = ConvertPool()
    yield Bench(tmp_path, pool)
    await pool.close()


def _pool_of(script: str, timeout_s: float = 30.0) -> ConvertPool:
    command = (sys.executable, "-c", script)
    return ConvertPool(processes=1, command=command, timeout_s=timeout_s)


_ANSWER = json.dumps({"width": 1, "height": 1, "placeholder": "1x1:000"})


async def test_a_picture_that_takes_too_long_is_given_up(
    tmp_path: Path, children: Children
) -> None:
    bench = Bench(tmp_path, _pool_of("import signal; signal.pause()", timeout_s=0.2))
    with pytest.raises(PhotoRefused) as refused:
        await bench.convert(pictures.jpeg())
    assert refused.value.failure == PhotoFailure.TOO_SLOW
    assert children() == set()


async def test_a_decoder_that_dies_is_tried_once_more(tmp_path: Path) -> None:
    flag = tmp_path / "died"
    script = (
        f"import os, pathlib; flag = pathlib.Path({str(flag)!r}); input()\n"
        "if not flag.exists(): flag.touch(); os.abort()\n"
        f"print({_ANSWER!r}, flush=True); input()"
    )
    pool = _pool_of(script)
    assert (await Bench(tmp_path, pool).convert(b"")).width == 1
    await pool.close()


async def test_a_decoder_that_always_dies_is_a_failure(tmp_path: Path) -> None:
    bench = Bench(tmp_path, _pool_of("import os; input(); os.abort()"))
    with pytest.raises(PhotoRefused) as refused:
        await bench.convert(pictures.jpeg())
    assert refused.value.failure == PhotoFailure.DECODER_CRASHED


async def test_a_picture_that_takes_too_much_processor_time_is_too_slow(tmp_path: Path) -> None:
    script = f"import os; input(); os.kill(os.getpid(), {int(signal.SIGXCPU)})"
    with pytest.raises(PhotoRefused) as refused:
        await Bench(tmp_path, _pool_of(script)).convert(pictures.jpeg())
    assert refused.value.failure == PhotoFailure.TOO_SLOW


async def test_an_idle_decoder_that_was_killed_is_replaced(
    bench: Bench, children: Children
) -> None:
    await bench.convert(pictures.jpeg())
    for child in children():
        child.kill()
        child.wait()
    assert (await bench.convert(pictures.jpeg())).width == 400


async def test_a_cancelled_conversion_leaves_no_process(tmp_path: Path, children: Children) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    script = f"import signal; open({str(started)!r}, 'w').close(); signal.pause()"
    bench = Bench(tmp_path, _pool_of(script))
    task = asyncio.create_task(bench.convert(pictures.jpeg()))
    await asyncio.to_thread(lambda: started.open().close())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() == set()


async def test_the_decoder_sees_none_of_the_servers_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICKY_SECRET_KEY", "do not tell")
    script = (
        "import json, os; input()\n"
        "answer = {'width': 1, 'height': 1, 'placeholder': json.dumps(dict(os.environ))}\n"
        "print(json.dumps(answer), flush=True); input()"
    )
    pool = _pool_of(script)
    converted = await Bench(tmp_path, pool).convert(b"")
    await pool.close()
    assert set(json.loads(converted.placeholder)) <= {"PYTHONPATH", "LC_ALL"}


async def test_sixty_pictures_start_no_more_processes_than_work_at_once(
    bench: Bench, children: Children
) -> None:
    """A start costs more than a small picture does."""
    data = pictures.jpeg(64, 48)
    await asyncio.gather(*(bench.convert(data) for _ in range(PROCESSES)))
    started = children()
    assert len(started) == PROCESSES
    converted = await asyncio.gather(*(bench.convert(data) for _ in range(60)))
    assert {(one.width, one.height) for one in converted} == {(64, 48)}
    assert children() == started
