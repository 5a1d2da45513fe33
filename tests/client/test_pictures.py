import asyncio
import gc
import warnings
from pathlib import Path
from uuid import UUID

from PIL import Image

from client_tui.core.photos import PhotoFiles
from client_tui.pictures import Pictures
from shared_models.media import Photo
from tests.quiet import PATIENCE_S, settle

PHOTO = Photo(id=UUID(int=8), width=4, height=3, placeholder="", thumb_url="/t", full_url="/f")


async def test_a_photo_whose_own_file_is_gone_is_fetched(tmp_path: Path) -> None:
    async def fetch(_: str) -> bytes:
        Image.new("RGB", (4, 3), "teal").save(tmp_path / "theirs.png")
        return (tmp_path / "theirs.png").read_bytes()

    pictures = Pictures(PhotoFiles(tmp_path / "photos", fetch, bytes_max=1_000_000))
    told = asyncio.Event()
    pictures.subscribe(lambda photo_id: told.set() if photo_id == PHOTO.id else None)
    pictures.is_uploaded(tmp_path / "gone.png", PHOTO.id)
    grey = pictures.draw(PHOTO, 4, 2)
    for _ in range(2):
        async with asyncio.timeout(PATIENCE_S):
            await told.wait()
        told.clear()
        drawn = pictures.draw(PHOTO, 4, 2)
    assert drawn != grey
    assert (tmp_path / "photos" / f"{PHOTO.id}-thumb").exists()


async def test_what_is_closed_at_once_leaves_nothing_behind(tmp_path: Path) -> None:
    async def fetch(_: str) -> bytes:
        raise AssertionError("nobody wants it any more")

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        gc.collect()
        warned.clear()  # of what was left behind before
        pictures = Pictures(PhotoFiles(tmp_path, fetch, bytes_max=1_000_000))
        pictures.draw(PHOTO, 4, 2)
        pictures.draw_local(tmp_path / "mine.png", 4, 2)
        pictures.close()
        await settle()
        del pictures
        gc.collect()
    assert [str(one.message) for one in warned] == []
