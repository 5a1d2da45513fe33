"""What holds for every test of the client."""

from collections.abc import Iterator

import pytest
import textual.app
import textual.pilot
from textual._wait import wait_for_idle

from tests.client.quiet import count_threads, settle


async def _until_settled(*within_s: float) -> None:
    await wait_for_idle(*within_s)
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
