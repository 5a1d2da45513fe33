"""What holds for every test of the client."""

import asyncio
from collections.abc import Iterator

import pytest
import textual.app
import textual.pilot

from tests.client.quiet import count_threads, settle

_DRAWN_WITHIN_S = 0.02
"""A little more than Textual waits before it draws."""


async def _until_settled(*_: float) -> None:
    await asyncio.sleep(_DRAWN_WITHIN_S)
    await settle()


@pytest.fixture(autouse=True)
def certain() -> Iterator[None]:
    """What a test has done to the app is done when it looks, also on a busy machine.

    Textual's pilot waits until the process takes no time of the processor. A process that gets
    none, because others have it, looks as if it had nothing to do.
    """
    with pytest.MonkeyPatch.context() as patch:
        count_threads(patch)
        for module in (textual.app, textual.pilot):
            patch.setattr(module, "wait_for_idle", _until_settled)
        yield
