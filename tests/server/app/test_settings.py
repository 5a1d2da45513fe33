"""Settings that do not add up are refused with the name of what is missing or wrong."""

from pathlib import Path
from typing import Any

import pytest

from server.app.roles import Role
from server.app.settings import Settings, SettingsError, load_settings

WHOLE: dict[str, Any] = {
    "database_url": "postgresql://market@db/market",
    "bus_url": "valkey://one,valkey://two",
    "object_store_url": "s3://photos?region=eu-west-1",
    "secret_key": "a key for tests that is long enough",
}
FLEET: list[dict[str, Any]] = [
    {"role": Role.API},
    {"role": Role.REALTIME},
    {"role": Role.WORKER},
    {"environment": "production"},
]


@pytest.mark.parametrize("where", FLEET)
@pytest.mark.parametrize("missing", WHOLE)
def test_a_fleet_needs_all_of_it_and_is_told_what_is_missing(
    tmp_path: Path, where: dict[str, Any], missing: str
) -> None:
    given = {name: value for name, value in WHOLE.items() if name != missing}
    with pytest.raises(SettingsError, match=f"needs PICKY_{missing.upper()}$"):
        load_settings(data_dir=tmp_path, **where, **given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", FLEET)
def test_all_that_is_missing_is_told_at_once(tmp_path: Path, where: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(data_dir=tmp_path, **where)
    assert str(refused.value).endswith(
        "needs " + ", ".join(f"PICKY_{name.upper()}" for name in WHOLE)
    )


@pytest.mark.parametrize("where", FLEET)
def test_a_fleet_has_no_file_for_a_database(tmp_path: Path, where: dict[str, Any]) -> None:
    given = WHOLE | {"database_url": f"sqlite:///{tmp_path / 'picky.db'}"}
    with pytest.raises(SettingsError, match="PICKY_DATABASE_URL to start with postgresql://"):
        load_settings(data_dir=tmp_path, **where, **given)


@pytest.mark.parametrize("where", FLEET)
def test_a_fleet_that_has_all_of_it_is_taken(tmp_path: Path, where: dict[str, Any]) -> None:
    assert load_settings(data_dir=tmp_path, **where, **WHOLE).secret_bytes() == (
        WHOLE["secret_key"].encode()
    )


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("database_url", "mysql://market", "postgresql:// or sqlite:///"),
        ("bus_url", "valkey://one,http://two", "PICKY_BUS_URL must start with redis://"),
        ("object_store_url", "http://photos", "PICKY_OBJECT_STORE_URL: .* must look like"),
        ("object_store_public_url", "cdn.example.com", "PICKY_OBJECT_STORE_PUBLIC_URL must start"),
        ("database_replica_url", "sqlite:///x", "PICKY_DATABASE_REPLICA_URL must start with"),
        ("secret_key", "short", "at least 32 characters"),
        ("database_lock_timeout_s", 11, "PICKY_DATABASE_LOCK_TIMEOUT_S must not be above"),
        ("database_pool", 0, "PICKY_DATABASE_POOL"),
        ("database_pooler", "session", "PICKY_DATABASE_POOLER"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path: Path, setting: str, value: Any, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load_settings(data_dir=tmp_path, **(WHOLE | {setting: value}))


def test_a_replica_needs_its_primary(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="needs its primary"):
        load_settings(data_dir=tmp_path, database_replica_url="postgresql://copy/market")


def test_a_secret_is_made_only_where_one_process_is_the_market(tmp_path: Path) -> None:
    local = Settings(data_dir=tmp_path)
    assert local.secret_bytes() == local.secret_bytes()
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0
