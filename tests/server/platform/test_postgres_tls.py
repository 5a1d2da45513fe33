"""Who asks PostgreSQL for TLS gets it, in libpq's words, or is refused; nobody goes without."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from server.platform.database import Database
from server.platform.failures import DATABASE_FAILURES, why_unavailable
from server.platform.migrate import upgrade
from server.platform.pooler import Pooler
from server.platform.postgres_programs import _environment
from tests.server.app.test_doctor import report
from tests.servers.certificates import Authority
from tests.servers.lifetime import Lifetime
from tests.servers.picky import start_picky
from tests.servers.postgres import Postgres
from tests.servers.postgres_tls import TlsLine, with_tls

ENCRYPTED: list[dict[str, str]] = [
    {"sslmode": "require"},
    {"ssl": "require"},
    {"sslmode": "verify-ca", "sslrootcert": "right"},
    {"sslmode": "verify-full", "sslrootcert": "right"},
]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "right")


@pytest.fixture
def line(postgres: Postgres, authority: Authority) -> Iterator[TlsLine]:
    own = authority.signs("database", addresses=("127.0.0.1",))
    with with_tls(postgres, own) as line:
        yield line


@pytest.fixture
def database(empty_postgres_url: str) -> str:
    return str(make_url(empty_postgres_url).database)


def said(told: dict[str, str], directory: Path) -> dict[str, str]:
    """With the file of a root in the place of its name."""
    roots = {"sslrootcert": f"{directory}/{told.get('sslrootcert')}-root.pem"}
    return {name: roots.get(name, value) for name, value in told.items()}


async def ask(url: str, **options: Any) -> object:
    database = Database(url, **options)
    try:
        async with database.reader.connect() as connection:
            return await connection.scalar(text("SELECT 1"))
    finally:
        await database.close()


@pytest.mark.parametrize("pooler", Pooler)
@pytest.mark.parametrize("told", ENCRYPTED, ids=lambda told: "-".join(told.values()))
async def test_it_is_had_for_the_asking(
    line: TlsLine, database: str, tmp_path: Path, told: dict[str, str], pooler: Pooler
) -> None:
    url = line.url(database, **said(told, tmp_path))
    assert await ask(url, pooler=pooler) == 1


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
async def test_who_somebody_else_has_signed_is_refused(
    line: TlsLine, database: str, tmp_path: Path, mode: str
) -> None:
    other = Authority(tmp_path, "wrong")
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        await ask(line.url(database, sslmode=mode, sslrootcert=other.root))
    assert "certificate verify failed" in str(why_unavailable(refused.value))


async def test_who_has_another_name_is_refused_where_names_are_looked_at(
    postgres: Postgres, authority: Authority, database: str
) -> None:
    elsewhere = authority.signs("elsewhere", addresses=("127.0.0.2",))
    with with_tls(postgres, elsewhere) as line:
        root = authority.root
        assert await ask(line.url(database, sslmode="verify-ca", sslrootcert=root)) == 1
        with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
            await ask(line.url(database, sslmode="verify-full", sslrootcert=root))


async def test_who_goes_without_is_refused(line: TlsLine, database: str) -> None:
    with pytest.raises(DATABASE_FAILURES) as refused:
        await ask(line.url(database, sslmode="disable"))
    assert why_unavailable(refused.value)


async def test_a_client_shows_its_own_certificate(
    postgres: Postgres, authority: Authority, tmp_path: Path, database: str
) -> None:
    own = authority.signs("database", addresses=("127.0.0.1",))
    client = authority.signs("client")
    with with_tls(postgres, own, clients_by=authority.root) as line:
        shown = {"sslcert": client.file, "sslkey": client.key}
        assert await ask(line.url(database, sslmode="require", **shown)) == 1
        with pytest.raises(DATABASE_FAILURES) as refused:
            await ask(line.url(database, sslmode="require"))
        assert why_unavailable(refused.value)


async def test_a_replica_is_asked_the_same_way(
    line: TlsLine, database: str, authority: Authority
) -> None:
    url = line.url(database, sslmode="verify-full", sslrootcert=authority.root)
    both = Database(url, replica_url=url)
    try:
        assert both.replica is not None
        for asked in (both.replica.probes.primary, both.replica.probes.replica):
            async with asked.connect() as connection:
                assert await connection.scalar(text("SELECT 1")) == 1
    finally:
        await both.close()


def test_a_market_is_migrated_served_and_examined_over_it(
    private_lifetime: Lifetime,
    line: TlsLine,
    database: str,
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = line.url(database, sslmode="verify-full", sslrootcert=authority.root)
    upgrade(url)
    start_picky(private_lifetime, database_url=url).stop()
    monkeypatch.setenv("PICKY_DATABASE_URL", url)
    assert "  ok    database: reachable, with the newest schema" in report(tmp_path)[0]
    other = Authority(tmp_path, "wrong")
    wrong = line.url(database, sslmode="verify-full", sslrootcert=other.root)
    monkeypatch.setenv("PICKY_DATABASE_URL", wrong)
    text, well = report(tmp_path)
    assert not well
    assert "FAIL  database: it cannot be reached: [SSL: CERTIFICATE_VERIFY_FAILED]" in text
    assert "mend: correct sslmode and sslrootcert in PICKY_DATABASE_URL" in text


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (
            "postgresql://me:pw@db:5433/market?sslmode=verify-full&sslrootcert=/ca.pem",
            {
                "PGHOST": "db",
                "PGPORT": "5433",
                "PGUSER": "me",
                "PGPASSWORD": "pw",
                "PGDATABASE": "market",
                "PGSSLMODE": "verify-full",
                "PGSSLROOTCERT": "/ca.pem",
            },
        ),
        (
            "postgresql:///market?host=one,two&user=me&password=pw&ssl=require&sslcert=c&sslkey=k",
            {
                "PGHOST": "one,two",
                "PGUSER": "me",
                "PGPASSWORD": "pw",
                "PGDATABASE": "market",
                "PGSSLMODE": "require",
                "PGSSLCERT": "c",
                "PGSSLKEY": "k",
            },
        ),
    ],
)
def test_postgresqls_programs_are_told_all_of_it(url: str, told: dict[str, str]) -> None:
    assert _environment(make_url(url)) == told
