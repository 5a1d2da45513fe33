"""What holds for every test of the app."""

from collections.abc import Iterator

import pytest
from textual.notifications import Notification


@pytest.fixture(autouse=True)
def toasts_stay() -> Iterator[None]:
    """What was said in passing can be looked at until the end of a test, however long it takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Notification, "time_left", 3600.0)
        yield
