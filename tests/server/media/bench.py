"""A bench to convert pictures on."""

import hashlib
import io
from pathlib import Path

from PIL import Image

from server.media.conversion import Converted, Request
from server.media.convert_pool import ConvertPool


class Bench:
    """Converts bytes with a pool and keeps the copies."""

    def __init__(self, directory: Path, pool: ConvertPool) -> None:
        self.directory = directory
        self.pool = pool
        self.serial = 0

    async def convert(
        self, data: bytes, content_type: str = "image/jpeg", **declared: object
    ) -> Converted:
        self.serial += 1
        source = self.directory / f"{self.serial}"
        source.write_bytes(data)
        values: dict[str, object] = {
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "max_pixels": 50_000_000,
        }
        request = Request(
            source=str(source),
            content_type=content_type,
            thumb=str(self.directory / f"{self.serial}-thumb"),
            full=str(self.directory / f"{self.serial}-full"),
            **(values | declared),  # type: ignore[arg-type]
        )
        return await self.pool.convert(request)

    def copy(self, which: str) -> bytes:
        return (self.directory / f"{self.serial}-{which}").read_bytes()

    def picture(self, which: str) -> Image.Image:
        return Image.open(io.BytesIO(self.copy(which)))
