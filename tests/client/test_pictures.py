import asyncio
from pathlib import Path
from uuid import UUID

from PIL import Image

from client_tui.core.photos import PhotoFiles
from client_tui.pictures import Pictures
from shared_models.media import Photo


async def test_a_photo_whose_own_file_is_gone_is_fetched(tmp_path: Path) -> None:
    async def fetch(_: str) -> bytes:
        Image.new("RGB", (4, 3), "teal").save(tmp_path / "theirs.png")
        return (tmp_path / "theirs.png").read_bytes()

    photo = Photo(id=UUID(int=8), width=4, height=3, placeholder="", thumb_url="/t", full_url="/f")
    pictures = Pictures(PhotoFiles(tmp_path / "photos", fetch, bytes_max=1_000_000))
    told = asyncio.Event()
    pictures.subscribe(lambda photo_id: told.set() if photo_id == photo.id else None)
    pictures.is_uploaded(tmp_path / "gone.png", photo.id)
    grey = pictures.draw(photo, 4, 2)
    for _ in range(2):
        async with asyncio.timeout(10):
            await told.wait()
        told.clear()
        drawn = pictures.draw(photo, 4, 2)
    assert drawn != grey
    assert (tmp_path / "photos" / f"{photo.id}-thumb").exists()
