"""Every setting of the server: flags, then environment (``PICKY_…``), then a TOML file."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from platformdirs import user_data_path
from pydantic import BeforeValidator, Field, IPvAnyNetwork, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from server.app.addresses import (
    POSTGRESQL,
    check_bus,
    check_database,
    check_replica,
    check_web,
)
from server.app.harmless import harmless
from server.app.roles import Role
from server.app.secret_file import SECRET_LEAST, SecretUnusable, kept_secret
from server.platform.pooler import Pooler
from shared_models.market import Rules

CONFIG_VARIABLE = "PICKY_CONFIG"
"""Names the TOML file."""

FLEET_NEEDS = ("database_url", "bus_url", "object_store_url", "secret_key")
"""What a process of a fleet does not start without."""
MIGRATIONS_NEED = ("database_url",)
"""What is enough to migrate: who does is given no more."""


class Environment(StrEnum):
    """Where the server runs."""

    LOCAL = "local"
    TEST = "test"
    PRODUCTION = "production"


class LogLevel(StrEnum):
    """How serious an event must be to be logged."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def _in_capitals(level: object) -> object:
    return level.upper() if isinstance(level, str) else level


class SettingsError(Exception):
    """The settings do not add up; the message says which and what to do."""


class Settings(BaseSettings):
    """The settings of one server process; every field is also ``PICKY_<NAME>``."""

    model_config = SettingsConfigDict(
        env_prefix="PICKY_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
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
    database_url: str | None = Field(
        default=None,
        description="`postgresql://…`; else SQLite. With TLS: "
        "`?sslmode=verify-full&sslrootcert=FILE`, and `sslcert`, `sslkey` of a client.",
    )
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
        description="Connections a process opens to PostgreSQL, and two more; with a replica as "
        "many and one more to that.",
    )
    database_statement_timeout_s: float = Field(
        default=10, gt=0, le=600, description="When PostgreSQL ends a statement."
    )
    database_lock_timeout_s: float = Field(
        default=5,
        gt=0,
        le=600,
        description="How long an action asks for a lock until it is 409 `busy`.",
    )
    database_pooler: Pooler = Field(
        default=Pooler.NONE, description="`transaction` behind PgBouncer in that mode."
    )
    database_replica_url: str | None = Field(
        default=None,
        description="A streaming replica, for pages that may be a little behind. TLS as above.",
    )
    database_replica_lag_s: float = Field(
        default=2, ge=1, le=60, description="A replica further behind is not asked."
    )
    log_level: Annotated[LogLevel, BeforeValidator(_in_capitals)] = Field(
        default=LogLevel.INFO, description="What is logged: this and what is more serious."
    )
    otlp_endpoint: str | None = Field(
        default=None,
        description="Where traces are sent by OTLP over HTTP, as `http://collector:4318`.",
    )
    limits: Rules = Field(default=Rules(), description="The numbers of the rules.")

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Shown without the passwords that addresses may carry, also in a traceback."""
        for name, value in super().__repr_args__():
            yield name, harmless(value) if type(value) is str else value

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
    def secret_path(self) -> Path:
        """Where the secret is kept when none is set."""
        return self.data_dir / "secret.key"

    @property
    def effective_database_url(self) -> str:
        """The database of this process."""
        return self.database_url or f"sqlite:///{self.sqlite_path}"

    @property
    def bus_urls(self) -> list[str]:
        """The addresses of the bus; none for one inside the process."""
        return [url.strip() for url in self.bus_url.split(",")] if self.bus_url else []

    @property
    def migrates(self) -> bool:
        """Whether a start brings the schema up to date; in a fleet `picky-server migrate` does."""
        return self.role is Role.ALL

    def check(self, needs: tuple[str, ...] = FLEET_NEEDS) -> None:
        """Refuse what does not add up, saying exactly what is missing."""
        self._check_fleet(needs)
        self._check_addresses()
        if self.secret_key is not None and len(self.secret_key) < SECRET_LEAST:
            raise SettingsError(f"PICKY_SECRET_KEY must have at least {SECRET_LEAST} characters")
        if self.database_lock_timeout_s > self.database_statement_timeout_s:
            raise SettingsError(
                "PICKY_DATABASE_LOCK_TIMEOUT_S must not be above "
                "PICKY_DATABASE_STATEMENT_TIMEOUT_S: it is a statement that asks"
            )
        uses_server = (self.database_url or "").startswith(POSTGRESQL)
        if not self.rate_limits and uses_server and self.environment is not Environment.TEST:
            raise SettingsError(
                "PICKY_RATE_LIMITS=off with a database server is for PICKY_ENVIRONMENT=test only"
            )

    def _check_fleet(self, needs: tuple[str, ...]) -> None:
        if self.environment is not Environment.PRODUCTION and self.role is Role.ALL:
            return
        what = "production" if self.role is Role.ALL else f"the role {self.role}"
        missing = [f"PICKY_{name}".upper() for name in needs if not getattr(self, name)]
        if missing:
            raise SettingsError(f"{what} needs {', '.join(missing)}")
        if not (self.database_url or "").startswith(POSTGRESQL):
            raise SettingsError(
                f"{what} needs PICKY_DATABASE_URL to start with {POSTGRESQL}: "
                "SQLite is a file, which other processes do not share"
            )

    def _check_addresses(self) -> None:
        """Refuse what no server can be reached at, before anything is built on it."""
        self._check_each(check_database, "database_url", self.database_url)
        self._check_each(check_replica, "database_replica_url", self.database_replica_url)
        if not all(self.bus_urls):
            raise SettingsError(
                "PICKY_BUS_URL has an empty address: a comma too many, or a value that is not "
                "filled in"
            )
        self._check_each(check_bus, "bus_url", *self.bus_urls)
        for name in "public_url", "object_store_public_url", "otlp_endpoint":
            self._check_each(check_web, name, getattr(self, name))
        if self.database_replica_url and not (self.database_url or "").startswith(POSTGRESQL):
            raise SettingsError("PICKY_DATABASE_REPLICA_URL needs its primary: PICKY_DATABASE_URL")
        if self.object_store_url:
            from server.platform.object_store import parse_s3_url

            self._check_each(parse_s3_url, "object_store_url", self.object_store_url)

    def _check_each(self, check: Callable[[str], object], name: str, *urls: str | None) -> None:
        try:
            for url in urls:
                if url:
                    check(url)
        except ValueError as error:
            raise SettingsError(f"PICKY_{name.upper()}: {error}") from error

    def secret_bytes(self) -> bytes:
        """The server's secret; made once and kept in the data dir when none is set.

        Raises :class:`SettingsError`, and :class:`OSError` where none can be made.
        """
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        try:
            return kept_secret(self.secret_path)
        except SecretUnusable as error:
            raise SettingsError(str(error)) from error

    def make_data_dir(self) -> None:
        """Make it where it is not there; raises :class:`SettingsError`."""
        with self.using_data_dir():
            self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def using_data_dir(self) -> Iterator[None]:
        """What goes wrong with the data dir and the files in it is a :class:`SettingsError`."""
        try:
            yield
        except OSError as error:
            which = f" ({error.filename})" if error.filename else ""
            raise SettingsError(
                f"{self.data_dir} cannot be used: {error.strerror}{which}. Mend it, or choose "
                "another --data-dir"
            ) from error


class GivenSettings(Settings):
    """Only what is given counts, and neither the environment nor a file."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Of all sources the first one."""
        return (init_settings,)


def load_settings(*, needs: tuple[str, ...] = FLEET_NEEDS, **flags: Any) -> Settings:
    """Read the settings; flags that are None were not given. A fleet needs the settings of these
    names. Raises :class:`SettingsError`.
    """
    file = os.environ.get(CONFIG_VARIABLE)
    if file and not Path(file).is_file():
        raise SettingsError(f"{CONFIG_VARIABLE} names {file}, which is no file")
    try:
        settings = Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise SettingsError("; ".join(map(_setting_problem, error.errors()))) from error
    except ValueError as error:  # not TOML, or no JSON where a list is wanted
        raise SettingsError(str(error)) from error
    settings.check(needs)
    return settings


def _setting_problem(problem: ErrorDetails) -> str:
    name = "__".join(map(str, problem["loc"])).upper()
    is_none = problem["type"] == "extra_forbidden"
    return f"PICKY_{name}: {'there is no such setting' if is_none else problem['msg']}"
