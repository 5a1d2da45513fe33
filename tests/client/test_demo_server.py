"""`picky demo` runs the `picky-server` beside `picky` or of its environment, before any other."""

import asyncio
import sys
from pathlib import Path

import pytest

from client_tui.demo import server
from client_tui.demo.market import DemoMarket, Filled, Listening, News
from client_tui.demo.server import server_command

SERVER = """#!/bin/sh
case "$1" in
    seed) echo '{"handle": "mina", "password": "known"}' ;;
    serve) mktemp -d > "$TMPDIR/where.unpacked"; echo "listening on http://127.0.0.1:1"; cat ;;
esac
"""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Empty folders: where `picky` is, of the environment it runs in, and one that is the PATH
    besides the system's own.
    """
    found = {name: tmp_path / name for name in ("beside", "environment", "path")}
    for place in found.values():
        place.mkdir()
    monkeypatch.setattr(sys, "argv", [str(found["beside"] / "picky"), "demo"])
    python = found["environment"] / "python"
    python.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("PATH", f"{found['path']}:/usr/bin:/bin")
    return found


def put_server(place: Path, mode: int = 0o755) -> str:
    """A program in place of the server."""
    program = place / "picky-server"
    program.write_text(SERVER)
    program.chmod(mode)
    return str(program)


def test_the_server_beside_picky_comes_before_the_one_on_the_path(places: dict[str, Path]) -> None:
    put_server(places["path"])
    beside = put_server(places["beside"])
    assert server_command() == (beside,)


def test_the_server_of_the_environment_comes_before_the_one_on_the_path(
    places: dict[str, Path],
) -> None:
    put_server(places["beside"], mode=0o644)  # no program
    put_server(places["path"])
    assert server_command() == (sys.executable, "-P", "-m", "server")
    own = put_server(places["environment"])
    assert server_command() == (own,)


def test_where_picky_is_linked_to_is_beside_it_too(
    places: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (places["beside"] / "picky").touch()
    (tmp_path / "picky").symlink_to(places["beside"] / "picky")
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "picky")])
    beside = put_server(places["beside"])
    assert server_command() == (beside,)


def test_without_a_server_of_its_own_one_on_the_path_is_taken(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "find_spec", lambda _name: None)
    assert server_command() == (sys.executable, "-P", "-m", "server")
    on_path = put_server(places["path"])
    assert server_command() == (on_path,)


def test_a_folder_given_by_a_relative_path_is_found(
    places: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = put_server(places["beside"])
    monkeypatch.chdir(places["beside"])
    monkeypatch.setattr(sys, "argv", ["./picky", "demo"])
    assert server_command() == (beside,)


def test_the_demo_runs_it_and_takes_away_what_it_unpacked(places: dict[str, Path]) -> None:
    put_server(places["beside"])
    with DemoMarket(seed=1, scale="small") as market:
        opened = asyncio.run(_until_listening(market))
        assert opened == [Filled("mina", "known"), Listening("http://127.0.0.1:1")]
        [told] = market.folder.glob("*.unpacked")
        unpacked = Path(told.read_text().strip())
        assert unpacked.is_dir()
    assert not unpacked.exists()


async def _until_listening(market: DemoMarket) -> list[News]:
    news: list[News] = []
    async for one in market.news():
        news.append(one)
        if isinstance(one, Listening):
            break
    return news
