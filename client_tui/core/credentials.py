"""Who is signed in on this machine, and the token: in the system's keyring, else in a 0600 file."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

from client_tui.core.errors import StorageFailed
from client_tui.core.files import write_atomically
from client_tui.core.paths import Paths

SERVICE: Final = "picky"


@dataclass(frozen=True, slots=True)
class Credentials:
    """One signed-in account."""

    server: str
    account_id: UUID
    handle: str
    token: str

    def __repr__(self) -> str:
        return f"Credentials({self.handle} at {self.server})"


class CredentialStore:
    """Keeps one account. A missing, locked or broken keyring is never an error: a file serves."""

    def __init__(self, paths: Paths, environment: Mapping[str, str] = os.environ) -> None:
        """``PICKY_CREDENTIALS=file`` leaves the keyring alone."""
        self._file = paths.account_file
        self._keyring_wanted = environment.get("PICKY_CREDENTIALS") != "file"

    def load(self) -> Credentials | None:
        """Who is signed in, None for nobody (or when the token is gone)."""
        try:
            saved = json.loads(self._file.read_bytes())
            server, handle = saved["server"], saved["handle"]
            account_id = UUID(saved["account_id"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        except OSError as error:
            raise StorageFailed(f"{self._file} cannot be read: {error.strerror}.") from error
        token = saved.get("token") or self._from_keyring(server, account_id)
        return Credentials(server, account_id, handle, token) if token else None

    def save(self, credentials: Credentials) -> None:
        """Remember this account instead of the one before."""
        known = asdict(credentials) | {"account_id": str(credentials.account_id)}
        if self._to_keyring(credentials):
            del known["token"]
        try:
            write_atomically(self._file, json.dumps(known, ensure_ascii=False).encode())
        except OSError as error:
            raise StorageFailed(f"{self._file} cannot be written: {error.strerror}.") from error

    def clear(self) -> None:
        """Forget the account and its token."""
        known = self.load()
        self._file.unlink(missing_ok=True)
        if known is not None and self._keyring_wanted:
            self._delete_from_keyring(known)

    def _to_keyring(self, credentials: Credentials) -> bool:
        if not self._keyring_wanted:
            return False
        try:
            import keyring

            user = _user(credentials.server, credentials.account_id)
            keyring.set_password(SERVICE, user, credentials.token)
            # One back end takes everything and keeps nothing.
            return bool(keyring.get_password(SERVICE, user) == credentials.token)
        except Exception:  # noqa: BLE001 - back ends raise whatever they like; the file serves
            return False

    def _from_keyring(self, server: str, account_id: UUID) -> str | None:
        if not self._keyring_wanted:
            return None
        try:
            import keyring

            return keyring.get_password(SERVICE, _user(server, account_id))
        except Exception:  # noqa: BLE001 - as above: then nobody is signed in
            return None

    def _delete_from_keyring(self, credentials: Credentials) -> None:
        try:
            import keyring

            keyring.delete_password(SERVICE, _user(credentials.server, credentials.account_id))
        except Exception:  # noqa: BLE001, S110 - not there, or no keyring: it is gone either way
            pass


def _user(server: str, account_id: UUID) -> str:
    return f"{account_id}@{server}"
