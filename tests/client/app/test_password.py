import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from client_tui.core.errors import FieldError, Forbidden, Invalid
from client_tui.screens.password import PasswordScreen
from client_tui.widgets.field import Field
from tests.client.app.test_without_a_server import GONE, Shown, market

COMMON = "This password is too easy to guess. Choose another."


def refused(field: str, message: str) -> Invalid:
    return Invalid(422, "invalid", message, errors=[FieldError(field, "invalid", message)])


class Lock:
    """Takes another password once, as the server does: the old one is then the old one."""

    def __init__(self) -> None:
        self.present = "old-secret"
        self.refusal: Exception | None = None
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked = 0

    async def change_password(self, change: Any) -> None:
        self.asked += 1
        if self.refusal is not None:
            raise self.refusal
        if change.current_password != self.present:
            raise Forbidden(403, "wrong_password", "The current password is not right.")
        self.present = change.new_password
        await self.answers.wait()


@asynccontextmanager
async def dialog(home: Path, old: str, new: str) -> AsyncIterator[tuple[Shown, Lock]]:
    """The form, filled in."""
    async with market(home) as shown:
        lock, api = Lock(), shown.link.moving
        api.change_password = lock.change_password  # type: ignore[attr-defined]
        await shown.app.push_screen(PasswordScreen())
        for field, text in zip(shown.app.screen.query(Input), (old, new), strict=True):
            field.value = text
        yield shown, lock


def wrong(shown: Shown) -> dict[str | None, str]:
    """What is said to be wrong, by the id of the field it is under; None for the last line."""
    lines = shown.app.screen.query(".field-error.shown")
    return {
        line.parent.id if isinstance(line.parent, Field) else None: str(line.render())
        for line in lines
    }


async def test_a_second_enter_does_not_send_it_a_second_time(tmp_path: Path) -> None:
    async with dialog(tmp_path, "old-secret", "new-secret") as (shown, lock):
        lock.answers.clear()
        await shown.pilot.press("enter")
        await shown.until(lambda: lock.asked == 1)
        await shown.pilot.press("enter")
        await shown.pilot.pause()
        lock.answers.set()
        await shown.until(lambda: not isinstance(shown.app.screen, PasswordScreen))
        await shown.until(lambda: shown.toasts() == ["The password is changed."])
        assert (lock.asked, lock.present) == (1, "new-secret")


@pytest.mark.parametrize(
    ("old", "new", "refusal", "field", "text"),
    [
        ("guess", "new-secret", None, "current_password", "The current password is not right."),
        ("old-secret", "short", None, "new_password", "At least 8 characters."),
        (
            "old-secret",
            "password",
            refused("new_password", COMMON),
            "new_password",
            COMMON,
        ),
        ("old-secret", "new-secret", GONE, None, str(GONE)),
        ("old-secret", "new-secret", refused("device", "Not here."), None, "device: Not here."),
    ],
    ids=["not the present one", "too short", "too easy", "no server", "no field of the form"],
)
async def test_what_is_wrong_is_said_under_its_field(
    tmp_path: Path, old: str, new: str, refusal: Exception | None, field: str | None, text: str
) -> None:
    async with dialog(tmp_path, old, new) as (shown, lock):
        lock.refusal = refusal
        await shown.pilot.press("enter")
        await shown.until(lambda: wrong(shown) == {field: text})
        lock.refusal = None
        for entry, right in zip(
            shown.app.screen.query(Input), ("old-secret", "new-secret"), strict=True
        ):
            entry.value = right
        await shown.pilot.press("enter")
        await shown.until(lambda: shown.toasts() == ["The password is changed."])
