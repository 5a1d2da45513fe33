"""Frozen surroundings: time zone, locale, colours."""

import time
from collections.abc import Iterator

import pytest

from tests.quiet import certain

__all__ = ["certain", "seoul"]


@pytest.fixture(autouse=True)
def seoul(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local times are those of Seoul; colours are full."""
    monkeypatch.setenv("TZ", "Asia/Seoul")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
