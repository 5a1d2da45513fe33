"""Every setting of the server: flags, then environment (``PICKY_…``), then a TOML file."""

import os
import secrets
from enum import StrEnum
from pathlib import Path
from typing import Any

from platformdirs import user_data_path
from pydantic import Field, IPvAnyNetwork, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from server.app.roles import Role
from server.platform.pooler import Pooler
from shared_models.market import Rules

CONFIG_VARIABLE = "PICKY_CONFIG"
"""Names the TOML file."""

_POSTGRESQL = "postgresql://"
_SQLITE = "sqlite:///"
_BUSES = ("redis://", "rediss://", "valkey://", "valkeys://")


class Environment(StrEnum):
    """Where the server runs."""

    LOCAL = "local"
    TEST = "test"
    PRODUCTION = "production"


class SettingsError(Exception):
    """The settings do not add up; the message says which and what to do."""


class Settings(BaseSettings):
    """The settings of one server process; every field is also ``PICKY_<NAME>``."""

    model_config = SettingsConfigDict(
        env_prefix="PICKY_", env_nested_delimiter="__", extra="ignore", frozen=True
    )

    environment: Environment = Field(
        default=Environment.LOCAL, description="Where the server runs: what it insists on."
    )
    role: Role = Field(default=Role.ALL, description="What this process does.")
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(
        default=8470, ge=0, le=65535, description="The port to listen on; 0 takes a free one."
    )
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("picky") / "server",
        description="Where SQLite, the embedded store and the secret key are kept.",
    )
    database_url: str | None = Field(default=None, description="`postgresql://…`; else SQLite.")
    bus_url: str | None = Field(
        default=None,
        description="`redis://…` or `valkey://…`, several with commas; else inside the process.",
    )
    object_store_url: str | None = Field(
        default=None, description="`s3://bucket?endpoint=URL&region=R`; else the embedded store."
    )
    object_store_public_url: str | None = Field(
        default=None, description="A CDN in front of the bucket, from which photos are read."
    )
    public_url: str | None = Field(
        default=None, description="How clients reach this server, when not by host and port."
    )
    secret_key: SecretStr | None = Field(
        default=None, description="At least 32 characters; made and kept in the data dir locally."
    )
    rate_limits: bool = Field(default=True, description="`off` for tests and benchmarks.")
    allowed_origins: list[str] = Field(
        default=[], description="Origins whose pages may open the realtime websocket."
    )
    trusted_proxies: list[IPvAnyNetwork] = Field(
        default=[],
        description="Addresses and networks of proxies that are believed in `X-Forwarded-For`: "
        "rates by address need to know who asks.",
    )
    market_name: str = Field(default="Picky", description="What clients call the market.")
    currency: str = Field(
        default="KRW", pattern=r"^[A-Z]{3}$", description="The ISO 4217 code of every price."
    )
    currency_exponent: int = Field(
        default=0, ge=0, le=3, description="Decimal places of the currency."
    )
    database_pool: int = Field(
        default=8,
        ge=1,
        le=100,
        description="Connections a process opens to PostgreSQL, and one more.",
    )
    database_statement_timeout_s: float = Field(
        default=10, gt=0, le=600, description="When PostgreSQL ends a statement."
    )
    database_lock_timeout_s: float = Field(
        default=5, gt=0, le=600, description="How long a statement waits for a lock."
    )
    database_pooler: Pooler = Field(
        default=Pooler.NONE, description="`transaction` behind PgBouncer in that mode."
    )
    database_replica_url: str | None = Field(
        default=None, description="A streaming replica, for pages that may be a little behind."
    )
    database_replica_lag_s: float = Field(
        default=2, ge=1, le=60, description="A replica further behind is not asked."
    )
    log_level: str = Field(
        default="INFO", description="`DEBUG`, `INFO`, `WARNING` or `ERROR`: what is logged."
    )
    otlp_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Where traces are sent by OTLP over HTTP, as `http://collector:4318`.",
    )
    limits: Rules = Field(default=Rules(), description="The numbers of the rules.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, environment, then the file that ``PICKY_CONFIG`` names."""
        file = os.environ.get(CONFIG_VARIABLE)
        sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings)
        if file:
            sources += (TomlConfigSettingsSource(settings_cls, Path(file)),)
        return sources

    @property
    def sqlite_path(self) -> Path:
        """Where the local database is."""
        return self.data_dir / "picky.db"

    @property
    def effective_database_url(self) -> str:
        """The database of this process."""
        return self.database_url or f"sqlite:///{self.sqlite_path}"

    @property
    def migrates(self) -> bool:
        """Whether a start brings the schema up to date; in a fleet `picky-server migrate` does."""
        return self.role is Role.ALL

    def check(self) -> None:
        """Refuse what does not add up, saying exactly what is missing."""
        self._check_fleet()
        self._check_addresses()
        if self.secret_key and len(self.secret_key.get_secret_value()) < 32:
            raise SettingsError("PICKY_SECRET_KEY must have at least 32 characters")
        if self.database_lock_timeout_s > self.database_statement_timeout_s:
            raise SettingsError(
                "PICKY_DATABASE_LOCK_TIMEOUT_S must not be above "
                "PICKY_DATABASE_STATEMENT_TIMEOUT_S: the statement would end first"
            )
        uses_server = (self.database_url or "").startswith(_POSTGRESQL)
        if not self.rate_limits and uses_server and self.environment is not Environment.TEST:
            raise SettingsError(
                "PICKY_RATE_LIMITS=off with a database server is for PICKY_ENVIRONMENT=test only"
            )

    def _check_fleet(self) -> None:
        if self.environment is not Environment.PRODUCTION and self.role is Role.ALL:
            return
        what = "production" if self.role is Role.ALL else f"the role {self.role}"
        needed = {
            "PICKY_DATABASE_URL": self.database_url,
            "PICKY_BUS_URL": self.bus_url,
            "PICKY_OBJECT_STORE_URL": self.object_store_url,
            "PICKY_SECRET_KEY": self.secret_key,
        }
        missing = [name for name, value in needed.items() if not value]
        if missing:
            raise SettingsError(f"{what} needs {', '.join(missing)}")
        if not (self.database_url or "").startswith(_POSTGRESQL):
            raise SettingsError(
                f"{what} needs PICKY_DATABASE_URL to start with {_POSTGRESQL}: "
                "SQLite is a file, which other processes do not share"
            )

    def _check_addresses(self) -> None:
        """Refuse what no server can be reached at, before anything is built on it."""
        _check_scheme("PICKY_DATABASE_URL", self.database_url, _POSTGRESQL, _SQLITE)
        _check_scheme("PICKY_DATABASE_REPLICA_URL", self.database_replica_url, _POSTGRESQL)
        if self.database_replica_url and not (self.database_url or "").startswith(_POSTGRESQL):
            raise SettingsError("PICKY_DATABASE_REPLICA_URL needs its primary: PICKY_DATABASE_URL")
        for url in (self.bus_url or "").split(","):
            _check_scheme("PICKY_BUS_URL", url.strip(), *_BUSES)
        _check_scheme(
            "PICKY_OBJECT_STORE_PUBLIC_URL", self.object_store_public_url, "http://", "https://"
        )
        if self.object_store_url:
            from server.platform.object_store import parse_s3_url

            try:
                parse_s3_url(self.object_store_url)
            except ValueError as error:
                raise SettingsError(f"PICKY_OBJECT_STORE_URL: {error}") from error

    def secret_bytes(self) -> bytes:
        """The server's secret; made once and kept in the data dir when none is set."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        return _kept_secret(self.data_dir / "secret.key")


def _check_scheme(name: str, url: str | None, *schemes: str) -> None:
    if url and not url.startswith(schemes):
        raise SettingsError(f"{name} must start with {' or '.join(schemes)}")


def _kept_secret(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = secrets.token_hex(32).encode()
    temporary = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(fresh)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        return path.read_bytes()
    finally:
        temporary.unlink()
    return fresh


def load_settings(**flags: Any) -> Settings:
    """Read the settings; flags that are None were not given. Raises :class:`SettingsError`."""
    file = os.environ.get(CONFIG_VARIABLE)
    if file and not Path(file).is_file():
        raise SettingsError(f"{CONFIG_VARIABLE} names {file}, which is no file")
    try:
        settings = Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise SettingsError("; ".join(map(_told, error.errors()))) from error
    except ValueError as error:  # not TOML, or no JSON where a list is wanted
        raise SettingsError(str(error)) from error
    settings.check()
    return settings


def _told(problem: ErrorDetails) -> str:
    name = "__".join(map(str, problem["loc"])).upper()
    return f"PICKY_{name}: {problem['msg']}"
