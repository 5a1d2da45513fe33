import sys
from pathlib import Path
from types import ModuleType
from uuid import UUID

import pytest

from client_tui.core.credentials import Credentials, CredentialStore
from client_tui.core.errors import Invalid
from client_tui.core.forms import fill
from client_tui.core.paths import Paths
from shared_models.accounts import SignUp

ACCOUNT = Credentials("https://market.example", UUID(int=1), "minji", "secret-token")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.find({"PICKY_HOME": str(tmp_path / "home")})


class FakeKeyring(ModuleType):
    """A keyring in memory, or one that always fails."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__("keyring")
        self.kept: dict[tuple[str, str], str] = {}
        self.broken = broken

    def _check(self) -> None:
        if self.broken:
            raise RuntimeError("no D-Bus here")

    def set_password(self, service: str, user: str, password: str) -> None:
        self._check()
        self.kept[service, user] = password

    def get_password(self, service: str, user: str) -> str | None:
        self._check()
        return self.kept.get((service, user))

    def delete_password(self, service: str, user: str) -> None:
        self._check()
        del self.kept[service, user]


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> FakeKeyring:
    fake = FakeKeyring()
    monkeypatch.setitem(sys.modules, "keyring", fake)
    return fake


def test_everything_is_below_picky_home_when_it_is_set(tmp_path: Path) -> None:
    paths = Paths.find({"PICKY_HOME": str(tmp_path)})
    account = UUID(int=1)
    for place in (
        paths.config_file,
        paths.account_file,
        paths.outbox_file(account),
        paths.cache_file(account),
        paths.photo_directory(account),
    ):
        assert place.is_relative_to(tmp_path)
    assert paths.outbox_file(account) != paths.outbox_file(UUID(int=2))
    assert not any(tmp_path.iterdir())


def test_without_it_the_platform_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Paths.find({}).config_file.parent.name == "picky"


def test_the_token_is_kept_in_the_keyring_and_not_in_the_file(
    paths: Paths, keyring: FakeKeyring
) -> None:
    store = CredentialStore(paths, {})
    store.save(ACCOUNT)
    assert store.load() == ACCOUNT
    assert "secret-token" not in paths.account_file.read_text()
    store.clear()
    assert store.load() is None
    assert keyring.kept == {}


def test_a_keyring_that_fails_is_replaced_by_a_private_file(
    paths: Paths, keyring: FakeKeyring
) -> None:
    keyring.broken = True
    store = CredentialStore(paths, {})
    store.save(ACCOUNT)
    assert store.load() == ACCOUNT
    assert paths.account_file.stat().st_mode & 0o777 == 0o600
    store.clear()
    assert store.load() is None


def test_a_missing_keyring_is_replaced_by_a_private_file(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    store = CredentialStore(paths, {})
    store.save(ACCOUNT)
    assert store.load() == ACCOUNT


def test_a_keyring_that_keeps_nothing_is_replaced_by_a_private_file(
    paths: Paths, keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "set_password", lambda *_: None)
    store = CredentialStore(paths, {})
    store.save(ACCOUNT)
    assert store.load() == ACCOUNT


def test_the_file_can_be_asked_for(paths: Paths, keyring: FakeKeyring) -> None:
    store = CredentialStore(paths, {"PICKY_CREDENTIALS": "file"})
    store.save(ACCOUNT)
    assert keyring.kept == {}
    assert store.load() == ACCOUNT


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"server": "x"}', "\x00"])
def test_a_file_that_makes_no_sense_means_that_nobody_is_signed_in(
    paths: Paths, content: str
) -> None:
    paths.account_file.parent.mkdir(parents=True)
    paths.account_file.write_text(content)
    assert CredentialStore(paths, {"PICKY_CREDENTIALS": "file"}).load() is None


def test_a_token_is_never_shown_by_accident() -> None:
    assert "secret-token" not in f"{ACCOUNT} {ACCOUNT!r}"


def test_a_form_says_which_fields_are_wrong() -> None:
    with pytest.raises(Invalid) as refused:
        fill(SignUp, handle="x!", password="short", display_name="Minji", place=None)
    assert refused.value.field("handle") == "A handle has 3 to 20 of a-z, 0-9 and _."
    assert refused.value.field("password")
    assert refused.value.field("place") is None


def test_what_is_left_out_of_a_form_stays_out() -> None:
    form = fill(SignUp, handle="Minji", password="long enough", display_name="민지", place=None)
    assert "place" not in form.model_fields_set
    assert form.handle == "minji"
