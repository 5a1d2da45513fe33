"""The main job on the server as one file, and that nothing of it stays behind.

`make test-binary` builds it before; a plain test run leaves this folder out.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.house.sources import ROOT
from tests.journeys.people import Person, draw_picture
from tests.journeys.terminal import Terminal
from tests.journeys.test_two_people_by_commands import CHAIR, Journey, travel, two_people
from tests.servers.collector import collecting
from tests.servers.lifetime import Lifetime
from tests.servers.picky import READY, PickyServer, start_picky
from tests.servers.s3 import S3Bucket

pytestmark = pytest.mark.timeout(300)

ONE_FILE = ROOT / "dist" / "picky-server"
PICKY = Path(sys.executable).with_name("picky")
LARGEST_BYTES = 80_000_000
GONE_WITHIN_S = 20
CTRL_Q = "\x11"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, of this test alone."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def start(lifetime: Lifetime, port: int = 0, **settings: str) -> PickyServer:
    return start_picky(lifetime, port=port, command=[ONE_FILE], **settings)


@contextmanager
def serving(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The one file as a shell starts it, in a group of its own, and its URL."""
    with subprocess.Popen(
        [ONE_FILE, "serve", "--port", "0", "--data-dir", data_dir],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            ready = READY.search(process.stdout.readline())
            assert ready is not None
            yield process, ready[1]
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_it_is_not_larger_than_it_may_be() -> None:
    assert ONE_FILE.stat().st_size <= LARGEST_BYTES


def test_two_people_do_their_deal_while_it_is_killed_again_and_again(
    private_lifetime: Lifetime, tmp_path: Path, temporary: Path
) -> None:
    server = start(private_lifetime)

    def crash_and_come_back() -> None:
        nonlocal server
        server.kill()
        server = start(private_lifetime, port=server.port)

    travel(Journey(*two_people(server.url, tmp_path), between=crash_and_come_back))


def test_it_also_serves_from_postgresql_a_bus_and_a_bucket(
    private_lifetime: Lifetime,
    postgres_url: str,
    valkey_url: str,
    s3_bucket: S3Bucket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in s3_bucket.environment.items():
        monkeypatch.setenv(name, value)
    server = start(
        private_lifetime,
        database_url=postgres_url,
        bus_url=valkey_url,
        object_store_url=s3_bucket.url,
    )
    travel(Journey(*two_people(server.url, tmp_path), between=lambda: None))
    server.stop()


def test_it_sends_traces_where_it_is_told_to(private_lifetime: Lifetime) -> None:
    with collecting() as collector:
        server = start(private_lifetime, otlp_endpoint=collector.url)
        httpx.get(f"{server.url}/v1/market").raise_for_status()
        server.stop()
        collector.until("GET /v1/market")


@pytest.mark.parametrize("to_all", [False, True], ids=["to the launcher", "to its group"])
@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_leaves_no_temporary_file(
    asked: signal.Signals, to_all: bool, tmp_path: Path, temporary: Path
) -> None:
    with serving(tmp_path / "data") as (process, url):
        person = Person(tmp_path / "home", url, "minji", "민지")
        person.sign_up()
        picture = draw_picture(tmp_path / "chair.jpg", "teal", "box")
        person.get("sell", *CHAIR, "--photo", picture)
        family = psutil.Process(process.pid).children(recursive=True)
        # The server and one converter; they share what was unpacked once.
        assert [one.exe() for one in family] == [str(ONE_FILE)] * 2
        assert len(list(temporary.iterdir())) == 1

        (os.killpg if to_all else os.kill)(process.pid, asked)
        said, complaints = process.communicate(timeout=GONE_WITHIN_S)
        assert (process.returncode, said) == (0, "")
        assert "Traceback" not in complaints
        assert psutil.wait_procs(family, GONE_WITHIN_S)[1] == []
        assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("migrate", "the schema is current"),
        ("doctor", "picky.db is made at the first start"),
        ("openapi", '"title": "Picky"'),
        ("--help", "Usage: picky-server"),
    ],
)
def test_its_other_commands_work(command: str, said: str, tmp_path: Path, temporary: Path) -> None:
    environment = os.environ | {"PICKY_DATA_DIR": str(tmp_path)}
    ended = subprocess.run([ONE_FILE, command], capture_output=True, text=True, env=environment)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert said in ended.stdout
    assert list(temporary.iterdir()) == []


def test_the_demo_uses_it_when_it_is_beside_picky(tmp_path: Path, temporary: Path) -> None:
    beside = tmp_path / "programs"
    beside.mkdir()
    (beside / "picky").symlink_to(PICKY)
    (beside / "picky-server").symlink_to(ONE_FILE)
    own = {"PICKY_HOME": str(tmp_path / "own")}
    with Terminal([beside / "picky", "demo", "--scale", "small"], own) as terminal:
        terminal.wait_for("● selling", within_s=150)
        family = terminal.family()
        assert str(ONE_FILE) in {one.exe() for one in family}
        terminal.press(CTRL_Q)
        assert terminal.wait_for_end(GONE_WITHIN_S) == 0
    assert psutil.wait_procs(family, GONE_WITHIN_S)[1] == []
    assert list(temporary.iterdir()) == []
