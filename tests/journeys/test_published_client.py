"""The published example of a client in another language works as it stands."""

import asyncio
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from client_tui.core.api import Api, Http
from client_tui.core.forms import fill
from client_tui.core.uploads import Uploader
from shared_models.accounts import SignUp
from shared_models.chat import SendMessage
from shared_models.listings import ListingCreate
from shared_models.media import Purpose
from tests.faults.accounts import read_history
from tests.journeys.people import PASSWORD, draw_picture
from tests.servers.lifetime import Lifetime
from tests.servers.picky import start_picky

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "client.mjs"
MOST_LINES = 60
RUNTIMES = [found for found in [shutil.which("node")] if found]
"""None where the language is not installed: then there is nothing to run it by."""
PAGE, MORE_THAN_A_PAGE = 5, 25
"""Of its listings, all of which are the buyer's own here, and of its messages."""


async def sign_up(server: str, handle: str) -> Api:
    async with Api(Http(server)) as visitor:
        form = fill(SignUp, handle=handle, password=PASSWORD, display_name=handle)
        return Api(Http(server, (await visitor.sign_up(form)).token))


async def sell(seller: Api, titles: Sequence[str], folder: Path) -> list[UUID]:
    pictures = [draw_picture(folder / f"{title}.png", "teal", "box") for title in titles]
    photos = await Uploader(seller).photos(Purpose.LISTING, pictures)
    forms = [
        fill(
            ListingCreate,
            title=title,
            description="As good as new, and from a home without pets.",
            category="furniture",
            condition="good",
            price=1_000,
            photo_ids=[photo.id],
        )
        for title, photo in zip(titles, photos, strict=True)
    ]
    return [(await seller.create_listing(form)).id for form in forms]


def run(runtime: str, server: str, handle: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [runtime, EXAMPLE, server, handle],
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("runtime", RUNTIMES)
async def test_it_signs_in_pages_opens_a_room_sends_and_reads_all_of_it(
    private_lifetime: Lifetime, tmp_path: Path, runtime: str
) -> None:
    server = start_picky(private_lifetime).url
    async with await sign_up(server, "minji") as seller, await sign_up(server, "bora") as buyer:
        [chair] = await sell(seller, ["Oak chair"], tmp_path)
        await sell(buyer, [f"Flower pot {number}" for number in range(PAGE)], tmp_path)
        room = await buyer.open_room(chair)
        for number in range(MORE_THAN_A_PAGE):
            form = fill(SendMessage, cid=uuid4(), text=f"line {number}")
            await seller.send_message(room.id, form)
        done = await asyncio.to_thread(run, runtime, server, "bora")
        assert done.returncode == 0, done.stderr
        history = await read_history(buyer, room.id)
        said = [f"{one.seq} {one.sender_id} {one.text}" for one in history if one.sender_id]
        assert [line for line in done.stdout.splitlines() if line in said] == said
        assert said[-1].endswith("Is this still to be had: Oak chair?")
        assert len(done.stdout.splitlines()) == len(history)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_what_is_refused_is_told(private_lifetime: Lifetime, runtime: str) -> None:
    done = run(runtime, start_picky(private_lifetime).url, "nobody")
    assert done.returncode == 1
    assert "bad_credentials" in done.stderr


def test_it_is_short_and_needs_nothing_to_be_installed() -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    assert len(lines) <= MOST_LINES
    imports = [line for line in lines if line.startswith("import ")]
    assert imports
    assert all("from 'node:" in line for line in imports)
