"""Two people, and what the rooms above would say about who sees what."""

import pytest

from server.media import api as media
from server.platform.context import Context
from tests.server.conftest import Person, SignUpPerson
from tests.server.media.uploading import Sights


@pytest.fixture
def sights(context: Context) -> Sights:
    sights = Sights()
    context.wiring.provide(
        media.PhotoViewers, media.PhotoViewers(sights.listing, sights.message, sights.avatar)
    )
    return sights


@pytest.fixture
async def minsu(sign_up: SignUpPerson) -> Person:
    return await sign_up("minsu")


@pytest.fixture
async def jane(sign_up: SignUpPerson) -> Person:
    return await sign_up("jane")
