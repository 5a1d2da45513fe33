"""Where this machine keeps settings, messages that wait, and copies that may be thrown away."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one person on one machine; nothing in them is made before it is needed."""

    config: Path
    data: Path
    cache: Path

    @classmethod
    def find(cls, environment: Mapping[str, str] = os.environ) -> "Paths":
        """The platform's usual folders, or everything below ``PICKY_HOME`` when that is set."""
        home = environment.get("PICKY_HOME")
        if home:
            root = Path(home).expanduser()
            return cls(root / "config", root / "data", root / "cache")
        import platformdirs

        return cls(
            platformdirs.user_config_path("picky"),
            platformdirs.user_data_path("picky"),
            platformdirs.user_cache_path("picky"),
        )

    @property
    def config_file(self) -> Path:
        """Settings, TOML."""
        return self.config / "config.toml"

    @property
    def account_file(self) -> Path:
        """Who is signed in."""
        return self.config / "account.json"

    def outbox_file(self, account_id: UUID) -> Path:
        """Messages and drafts that exist nowhere else; one file an account."""
        return self.data / str(account_id) / "outbox.db"

    def cache_file(self, account_id: UUID) -> Path:
        """Copies of what the server has, and the position in the account's stream."""
        return self.cache / str(account_id) / "cache.db"

    def market_file(self, account_id: UUID) -> Path:
        """The market's lists and limits, as its server last told them."""
        return self.cache / str(account_id) / "market.json"

    def photo_directory(self, account_id: UUID) -> Path:
        """Copies of photos."""
        return self.cache / str(account_id) / "photos"
