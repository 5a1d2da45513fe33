"""`picky-server doctor` says whether the replica is one, and of what, and how far behind."""

import re
from pathlib import Path

import pytest

from tests.server.app.test_doctor import SECRET, report
from tests.servers.postgres import Postgres
from tests.servers.replica import Pair


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch, pair: Pair) -> pytest.MonkeyPatch:
    monkeypatch.setenv("PICKY_DATABASE_URL", pair.primary.url())
    monkeypatch.setenv("PICKY_DATABASE_REPLICA_URL", pair.replica.url())
    return monkeypatch


@pytest.mark.usefixtures("addresses")
def test_one_that_follows_is_well(
    tmp_path: Path, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICKY_DATABASE_REPLICA_LAG_S", "60")
    pair.catch_up()
    text, _ = report(tmp_path)
    assert "  ok    replica: reachable, with all of the primary after " in text
    assert "a process takes up to 10" in text


@pytest.mark.usefixtures("addresses")
def test_one_that_is_behind_is_pointed_out(
    tmp_path: Path, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICKY_DATABASE_REPLICA_LAG_S", "1")
    with pair.replay_paused():
        pair.primary.execute("CREATE TABLE IF NOT EXISTS told (number int)")
        pair.primary.execute("INSERT INTO told VALUES (1)")
        pair.primary.execute("CHECKPOINT")  # what is not written yet is not missed
        text, well = report(tmp_path)
    assert not well
    found = re.search(r"FAIL  replica: it is more than 1 s behind: (\d+) bytes", text)
    assert found is not None
    assert int(found[1]) > 0


def test_one_that_does_not_answer_is_pointed_out(
    tmp_path: Path, addresses: pytest.MonkeyPatch
) -> None:
    nowhere = f"postgresql://me:{SECRET}@127.0.0.1:1/market"
    addresses.setenv("PICKY_DATABASE_REPLICA_URL", nowhere)
    text, well = report(tmp_path)
    assert not well
    assert "FAIL  replica: it cannot be reached: " in text
    assert "correct PICKY_DATABASE_REPLICA_URL" in text
    assert SECRET not in text


def test_one_that_is_none_is_pointed_out(
    tmp_path: Path, addresses: pytest.MonkeyPatch, postgres: Postgres
) -> None:
    addresses.setenv("PICKY_DATABASE_REPLICA_URL", postgres.url())
    assert "FAIL  replica: it is not in recovery" in report(tmp_path)[0]


def test_one_of_another_primary_is_pointed_out(
    tmp_path: Path, addresses: pytest.MonkeyPatch, postgres: Postgres
) -> None:
    addresses.setenv("PICKY_DATABASE_URL", postgres.url())
    assert "FAIL  replica: it is a copy of another server" in report(tmp_path)[0]


def test_one_of_another_database_is_pointed_out(
    tmp_path: Path, addresses: pytest.MonkeyPatch, pair: Pair
) -> None:
    addresses.setenv("PICKY_DATABASE_REPLICA_URL", pair.replica.url("template1"))
    text, _ = report(tmp_path)
    assert "FAIL  replica: it shows the database template1, and the primary postgres" in text
