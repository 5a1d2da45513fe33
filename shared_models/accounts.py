"""Accounts, sessions and profiles."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from shared_models import bounds
from shared_models.base import Body, Id, Time, Wire
from shared_models.media import Photo
from shared_models.text import Line, Place

Handle = Annotated[
    str, StringConstraints(pattern=rf"^[A-Za-z0-9_]{{{bounds.HANDLE_MIN},{bounds.HANDLE_MAX}}}$")
]
DisplayName = Annotated[str, Line(bounds.DISPLAY_NAME_MAX, least=1)]
Password = Annotated[
    str, StringConstraints(min_length=bounds.PASSWORD_MIN, max_length=bounds.PASSWORD_MAX)
]
Device = Annotated[str, Line(bounds.DEVICE_MAX)]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]


class SignUp(Body):
    """``POST /v1/accounts``. The handle is unique whatever its case."""

    handle: Handle
    password: Password
    display_name: DisplayName
    place: Place | None = None
    locale: Locale | None = None
    device: Device | None = None

    @field_validator("handle")
    @classmethod
    def _lower(cls, handle: str) -> str:
        return handle.lower()


class SignIn(Body):
    """``POST /v1/sessions``."""

    handle: Annotated[str, StringConstraints(max_length=64)]
    password: Annotated[str, StringConstraints(max_length=bounds.PASSWORD_MAX)]
    device: Device | None = None


class Session(Wire):
    """One signed-in device."""

    id: Id
    device: str | None
    created_at: Time
    last_seen_at: Time
    current: bool


class ProfileCard(Wire):
    """Another person in a list. A deleted account keeps its id and a neutral name."""

    id: Id
    handle: str | None
    display_name: str
    avatar: Photo | None
    manner_score: float
    deleted: bool = False


class Account(Wire):
    """One's own account."""

    id: Id
    handle: str
    display_name: str
    place: str | None
    avatar: Photo | None
    locale: str | None
    consents: dict[str, bool]
    notification_switches: dict[str, bool]
    manner_score: float
    review_count: int
    sales: int
    purchases: int
    created_at: Time


class SignedIn(Wire):
    """A fresh token, shown this once; the server keeps only its HMAC."""

    token: str
    session: Session
    account: Account


class AccountPatch(Body):
    """``PATCH /v1/me``. What is left out stays; null clears place and avatar."""

    display_name: DisplayName | None = None
    place: Place | None = None
    avatar: Id | None = None
    locale: Locale | None = None
    consents: Annotated[dict[str, bool], Field(max_length=bounds.CONSENTS_MAX)] | None = None
    notification_switches: Annotated[dict[str, bool], Field(max_length=20)] | None = None


class PasswordChange(Body):
    """``PUT /v1/me/password``; ends all other sessions."""

    current_password: Annotated[str, StringConstraints(max_length=bounds.PASSWORD_MAX)]
    new_password: Password


class Profile(Wire):
    """The public profile (rule 20). Response figures are None below five chatrooms."""

    id: Id
    handle: str | None
    display_name: str
    avatar: Photo | None
    joined_at: Time
    place: str | None
    manner_score: float
    review_count: int
    sales: int
    purchases: int
    no_shows: int
    response_rate: float | None
    response_minutes: int | None
    blocked: bool
    following: bool
    deleted: bool = False


class ExportState(Wire):
    """``GET /v1/me/export``; ``url`` is short-lived and only there when ready."""

    state: Literal["processing", "ready", "failed"]
    url: str | None = None
