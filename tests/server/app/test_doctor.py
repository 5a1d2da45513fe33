"""`picky-server doctor` says where each setting comes from, what is wrong and how to mend it."""

import os
from pathlib import Path

import pytest

from server.app.doctor import examine
from server.platform.migrate import upgrade
from tests.servers.s3 import S3Bucket

SECRET = "do-not-show-this-to-anybody-0123456789"


def report(data_dir: Path, **flags: object) -> tuple[str, bool]:
    findings = list(examine({"data_dir": data_dir, **flags}))
    return "\n".join(one.text for one in findings), all(one.well for one in findings)


def line_of(text: str, setting: str) -> str:
    return next(line for line in text.splitlines() if line.split()[:1] == [setting])


def test_a_fresh_machine_is_well_and_nothing_is_made(tmp_path: Path) -> None:
    text, well = report(tmp_path / "data")
    assert well, text
    assert "is made at the first start" in text
    assert list(tmp_path.iterdir()) == []


def test_each_setting_tells_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "picky.toml"
    file.write_text('market_name = "Mapo market"\nport = 1\n[limits]\ntitle_min = 3\n')
    monkeypatch.setenv("PICKY_CONFIG", str(file))
    monkeypatch.setenv("PICKY_HOST", "127.0.0.2")
    monkeypatch.setenv("PICKY_LIMITS__DRAFTS_MAX", "5")
    text, _ = report(tmp_path / "data", port=9000)
    assert line_of(text, "port").split() == ["port", "9000", "flag", "--port"]
    assert line_of(text, "host").split() == ["host", "127.0.0.2", "environment", "PICKY_HOST"]
    assert line_of(text, "market_name").endswith(f"file {file}")
    assert line_of(text, "limits.title_min").endswith(f"file {file}")
    assert line_of(text, "limits.drafts_max").endswith("environment PICKY_LIMITS__DRAFTS_MAX")
    assert line_of(text, "currency").split() == ["currency", "KRW", "default"]


def test_secrets_are_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICKY_SECRET_KEY", SECRET)
    monkeypatch.setenv("PICKY_DATABASE_URL", f"postgresql://me:{SECRET}@127.0.0.1:1/market")
    monkeypatch.setenv("PICKY_BUS_URL", f"valkey://:{SECRET}@127.0.0.1:1?password={SECRET}")
    text, well = report(tmp_path)
    assert not well
    assert SECRET not in text
    assert "(set, not shown)" in text
    assert "FAIL  database: it cannot be reached" in text
    assert "FAIL  bus" in text
    assert text.count("mend:") == 2


def test_an_old_schema_is_mended_by_migrating(tmp_path: Path) -> None:
    (tmp_path / "picky.db").touch()
    text, well = report(tmp_path)
    assert not well
    assert "mend: run `picky-server migrate`" in text
    upgrade(f"sqlite:///{tmp_path / 'picky.db'}")
    text, well = report(tmp_path)
    assert well, text


def test_a_key_that_others_can_read_is_pointed_out(tmp_path: Path) -> None:
    key = tmp_path / "secret.key"
    key.write_text(SECRET)
    key.chmod(0o644)
    text, well = report(tmp_path)
    assert not well
    assert f"mend: chmod 600 {key}" in text
    key.chmod(0o600)
    assert report(tmp_path)[1]


def test_a_folder_that_is_none_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    text, well = report(tmp_path / "data")
    assert not well
    assert "is no folder" in text


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PICKY_PORT", "high", "PICKY_PORT"),
        ("PICKY_CONFIG", os.devnull + ".toml", "which is no file"),
        ("PICKY_ROLE", "worker", "the role worker needs PICKY_DATABASE_URL"),
    ],
)
def test_settings_that_do_not_add_up_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    text, well = report(tmp_path)
    assert not well
    assert told in text
    assert "mend:" in text


def test_real_dependencies_are_reached(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    postgres_url: str,
    valkey_url: str,
    s3_bucket: S3Bucket,
) -> None:
    settings = {
        "PICKY_DATABASE_URL": postgres_url,
        "PICKY_BUS_URL": valkey_url,
        "PICKY_OBJECT_STORE_URL": s3_bucket.url,
    }
    for variable, value in (settings | s3_bucket.environment).items():
        monkeypatch.setenv(variable, value)
    text, well = report(tmp_path)
    assert well, text
    monkeypatch.setenv("PICKY_OBJECT_STORE_URL", s3_bucket.url.replace("s3://", "s3://no-"))
    text, well = report(tmp_path)
    assert not well
    assert "FAIL  object store" in text
