"""A zip archive that is written row by row, however much there is."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from server.accounts.ports import ExportRow
from shared_models.base import format_time

_OWNER_ONLY = 0o600 << 16


class Archive:
    """Rows become JSON lists, one file each; the rows of a file come one after another."""

    def __init__(self, path: Path, made_at: datetime) -> None:
        self._zip = ZipFile(path, "w")
        self._made_at = made_at
        self._name: str | None = None
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _t: type[BaseException] | None, _e: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self._end_file()
        self._zip.close()

    def add(self, rows: Sequence[ExportRow]) -> None:
        """Write rows at the end of their files."""
        for row in rows:
            begins = row.file != self._name
            file = self._begin_file(row.file) if begins else self._file
            assert file is not None
            text = json.dumps(row.row, ensure_ascii=False, default=_plain)
            file.write(("[\n" if begins else ",\n").encode() + text.encode())

    def add_file(self, name: str, source: Path) -> None:
        """Copy a file that is compressed already."""
        self._end_file()
        with source.open("rb") as read, self._zip.open(self._info(name, ZIP_STORED), "w") as write:
            while chunk := read.read(1 << 16):
                write.write(chunk)

    def _begin_file(self, name: str) -> IO[bytes]:
        self._end_file()
        info = self._info(f"{name}.json", ZIP_DEFLATED)
        self._name, self._file = name, self._zip.open(info, "w", force_zip64=True)
        return self._file

    def _end_file(self) -> None:
        if self._file is not None:
            self._file.write(b"\n]\n")
            self._file.close()
        self._name = self._file = None

    def _info(self, name: str, compression: int) -> ZipInfo:
        info = ZipInfo(name, self._made_at.timetuple()[:6])
        info.compress_type, info.external_attr = compression, _OWNER_ONLY
        return info


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} in a row of an archive")
