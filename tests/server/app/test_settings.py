"""Settings that do not add up are refused with the name of what is missing or wrong."""

import traceback
from pathlib import Path
from typing import Any

import pytest

from server.app.container import build_context
from server.app.roles import Role
from server.app.settings import (
    MIGRATIONS_NEED,
    GivenSettings,
    Settings,
    SettingsError,
    load_settings,
)

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
def test_who_migrates_needs_the_database_and_nothing_else(
    tmp_path: Path, where: dict[str, Any]
) -> None:
    given = {"database_url": WHOLE["database_url"]}
    load_settings(needs=MIGRATIONS_NEED, data_dir=tmp_path, **where, **given)
    with pytest.raises(SettingsError, match=r"needs PICKY_DATABASE_URL$"):
        load_settings(needs=MIGRATIONS_NEED, data_dir=tmp_path, **where)


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
        ("bus_url", "valkey://one,http://two", "PICKY_BUS_URL: it must start with redis://"),
        ("object_store_url", "http://photos", "PICKY_OBJECT_STORE_URL: .* must look like"),
        (
            "object_store_public_url",
            "cdn.example.com",
            "PICKY_OBJECT_STORE_PUBLIC_URL: it must start",
        ),
        ("database_replica_url", "sqlite:///x", "PICKY_DATABASE_REPLICA_URL: it must start with"),
        ("database_url", "sqlite:///", "PICKY_DATABASE_URL: it must name a file"),
        ("public_url", "nonsense", "PICKY_PUBLIC_URL: it must start with http:// or https://"),
        ("public_url", "ftp://market", "PICKY_PUBLIC_URL: it must start with http:// or https://"),
        ("otlp_endpoint", "http://", "PICKY_OTLP_ENDPOINT: it must name a host"),
        ("secret_key", "", "PICKY_SECRET_KEY"),
        ("secret_key", "short", "at least 32 characters"),
        ("database_lock_timeout_s", 11, "PICKY_DATABASE_LOCK_TIMEOUT_S must not be above"),
        ("database_pool", 0, "PICKY_DATABASE_POOL"),
        ("database_pooler", "session", "PICKY_DATABASE_POOLER"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path: Path, setting: str, value: Any, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load_settings(data_dir=tmp_path, **(WHOLE | {setting: value}))


@pytest.mark.parametrize("host", ["me:secret@h:notaport", "me:secret@[::1", "host:123456"])
@pytest.mark.parametrize("scheme", ["database_url postgresql", "bus_url valkey", "public_url http"])
def test_an_address_of_nobody_is_told_without_its_password(
    tmp_path: Path, scheme: str, host: str
) -> None:
    setting, start = scheme.split()
    with pytest.raises(SettingsError, match="its host or its port is none") as refused:
        load_settings(data_dir=tmp_path, **(WHOLE | {setting: f"{start}://{host}"}))
    told = "".join(traceback.format_exception(refused.value))
    assert "secret" not in told
    assert "notaport" not in told


def test_a_setting_that_is_none_is_refused_where_only_settings_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is of this server; the environment is of others too."""
    file = tmp_path / "picky.toml"
    file.write_text("prot = 9\n[limits]\ntitle_mim = 3\n")
    monkeypatch.setenv("PICKY_CONFIG", str(file))
    with pytest.raises(SettingsError) as refused:
        load_settings(data_dir=tmp_path)
    for name in "PICKY_PROT", "PICKY_LIMITS__TITLE_MIM":
        assert f"{name}: there is no such setting" in str(refused.value)
    monkeypatch.delenv("PICKY_CONFIG")
    monkeypatch.setenv("PICKY_PROT", "9")
    load_settings(data_dir=tmp_path)


def test_what_is_given_alone_counts_where_nothing_else_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PICKY_LIMITS__TITLE_MIN", "5")
    monkeypatch.setenv("PICKY_LIMITS__NONE", "5")
    monkeypatch.setenv("PICKY_MARKET_NAME", "elsewhere")
    monkeypatch.setenv("PICKY_CONFIG", "/nowhere")
    given = GivenSettings(port=9)
    assert (given.port, given.market_name, given.limits.title_min) == (9, "Picky", 2)


def test_a_replica_needs_its_primary(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="needs its primary"):
        load_settings(data_dir=tmp_path, database_replica_url="postgresql://copy/market")


@pytest.mark.parametrize("setting", ["database_url", "database_replica_url"])
@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("connect_timeout=3", "says connect_timeout .* what counts there is sslmode, sslrootcert,"),
        ("sslmode=require&sslmode=disable", "says sslmode twice"),
        ("sslmode=require&ssl=require", "says sslmode twice"),
        ("sslmode=on", "sslmode must be one of disable, "),
        ("sslmode=", "sslmode must be one of disable, "),
        ("ssl", "sslmode must be one of disable, "),
        ("sslmode=require&sslrootcert=/nowhere.pem", "names /nowhere.pem, which is no file"),
        ("sslmode=verify-full", "sslmode=verify-full needs sslrootcert"),
        ("sslmode=require&sslkey={file}", "sslkey needs its sslcert"),
    ],
)
def test_who_cannot_have_what_a_database_is_asked_for_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, query: str, told: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    (tmp_path / "file").touch()
    url = "postgresql://market@db/market?" + query.format(file=tmp_path / "file")
    with pytest.raises(SettingsError, match=f"^PICKY_{setting.upper()}: .*{told}"):
        load_settings(data_dir=tmp_path, **(WHOLE | {setting: url}))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://market@db/market?sslmode=require",
        "postgresql://market@db/market?ssl=require",
        "postgresql://market@db/market?sslmode=verify-full&sslrootcert={file}",
        "postgresql://market@db/market?sslmode=require&sslcert={file}&sslkey={file}",
        "postgresql://market@/market?host=one&host=two&target_session_attrs=read-write",
        "postgresql://market@/market?host=one,two&port=1,2",
        "postgresql://market:why?because=so@db/market",
    ],
)
def test_what_a_database_may_be_asked_for(tmp_path: Path, url: str) -> None:
    (tmp_path / "file").touch()
    url = url.format(file=tmp_path / "file")
    assert load_settings(data_dir=tmp_path, **(WHOLE | {"database_url": url})).database_url == url


def test_where_there_is_the_usual_root_it_need_not_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    usual = tmp_path / ".postgresql" / "root.crt"
    usual.parent.mkdir()
    usual.touch()
    url = "postgresql://market@db/market?sslmode=verify-full"
    assert load_settings(data_dir=tmp_path, database_url=url).database_url == url


def test_a_secret_of_nothing_is_refused_where_one_would_be_made(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="PICKY_SECRET_KEY must have at least 32"):
        load_settings(data_dir=tmp_path, secret_key="")


def test_a_secret_is_made_only_where_one_process_is_the_market(tmp_path: Path) -> None:
    local = Settings(data_dir=tmp_path)
    assert local.secret_bytes() == local.secret_bytes()
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0


def test_an_empty_address_is_one_that_is_not_set(tmp_path: Path) -> None:
    names = [name for name in Settings.model_fields if name.endswith(("_url", "_endpoint"))]
    empty: dict[str, Any] = dict.fromkeys(names, "")
    settings = load_settings(data_dir=tmp_path, **empty)
    build_context(settings, base_url="http://here")


SECRET = "do-not-show-this-to-anybody-0123456789"
BEARING: dict[str, Any] = {
    "database_url": f"postgresql://me:{SECRET}@db/market",
    "database_replica_url": f"postgresql://copy/market?user=me&password={SECRET}",
    "bus_url": f"valkey://:{SECRET}@one:6379,redis://two?password={SECRET}",
    "object_store_url": f"s3://photos?endpoint=https://me:{SECRET}@store&region=x",
    "object_store_public_url": f"https://me:{SECRET}@cdn",
    "public_url": f"https://me:{SECRET}@market",
    "otlp_endpoint": f"https://me:{SECRET}@collector",
    "secret_key": SECRET,
}


def test_no_secret_is_shown_with_the_settings(tmp_path: Path) -> None:
    addresses = {name for name in Settings.model_fields if name.endswith(("url", "endpoint"))}
    assert addresses < set(BEARING)
    settings = load_settings(data_dir=tmp_path, **BEARING)
    for shown in repr(settings), str(settings), f"{[settings]}":
        assert SECRET not in shown
    assert "database_url='postgresql://***@db/market'" in repr(settings)


@pytest.mark.parametrize("name", sorted(BEARING))
def test_no_secret_is_shown_with_an_error_about_it(tmp_path: Path, name: str) -> None:
    broken: dict[str, object] = {name: f"nothing://me:{SECRET}@of-the-kind"}
    if name.startswith("database"):
        asking: dict[str, Any] = {name: f"postgresql://db/market?{SECRET}=1"}
        with pytest.raises(SettingsError) as refused:
            load_settings(data_dir=tmp_path, **asking)
        assert SECRET not in "".join(traceback.format_exception(refused.value))
    for flags in {name: [SECRET]}, broken | {"port": SECRET, "log_level": SECRET}:
        with pytest.raises(SettingsError) as refused:
            load_settings(data_dir=tmp_path, **flags)
        assert SECRET not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("urls", ["valkey://one,", ",valkey://one", "valkey://one,,valkey://two"])
def test_an_empty_address_of_the_bus_is_refused(tmp_path: Path, urls: str) -> None:
    with pytest.raises(SettingsError, match="PICKY_BUS_URL has an empty address"):
        load_settings(data_dir=tmp_path, bus_url=urls)


def test_the_addresses_of_the_bus_may_have_spaces_between_them(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, bus_url=" valkey://one , redis://two ")
    assert settings.bus_urls == ["valkey://one", "redis://two"]
