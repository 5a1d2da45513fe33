"""A busy machine takes nothing for away: what is there is waited for."""

from datetime import timedelta

import pytest

PATIENCE_S = 30.0
WAITS = (
    "server.app.doctor._BUS_ANSWERS_S",
    "server.app.doctor_otlp._ANSWERS_WITHIN_S",
    "server.app.doctor_replica._ANSWERS_WITHIN_S",
    "server.app.health._ANSWERS_WITHIN_S",
    "server.app.health._OPENS_WITHIN_S",
    "server.app.health_probe.PATIENCE_S",
    "server.app.metrics._PATIENCE_S",
)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks waits for longer than the machine may be busy; a test of the wait itself says how
    long it is. A clock that was looked at late is not taken for one that is wrong.
    """
    for wait in WAITS:
        monkeypatch.setattr(wait, PATIENCE_S)
    monkeypatch.setattr("server.app.doctor_database.MOST_SKEW", timedelta(seconds=PATIENCE_S))
