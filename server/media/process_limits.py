"""What the kernel enforces on the converting subprocess, where the system can (not on Windows)."""

import contextlib
import os
import sys

MEMORY_BYTES = 1_536 * 1024 * 1024
"""Address space; a 50-megapixel picture needs up to 1 GiB of it while it is decoded."""

FILE_BYTES = 64 * 1024 * 1024
PHOTO_CPU_S = 20
NICENESS = 5

if sys.platform != "win32":
    import resource

    def for_process() -> None:
        """Bound memory and written files, leave no core dump, and yield to the server."""
        os.nice(NICENESS)
        _set(resource.RLIMIT_AS, MEMORY_BYTES)
        _set(resource.RLIMIT_FSIZE, FILE_BYTES)
        _set(resource.RLIMIT_CORE, 0)

    def for_one_photo() -> None:
        """From here on ``PHOTO_CPU_S`` seconds of CPU, even when the parent is gone."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        _set(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + PHOTO_CPU_S)

    def _set(limit: int, soft: int) -> None:
        _, hard = resource.getrlimit(limit)
        with contextlib.suppress(ValueError, OSError):  # macOS has no RLIMIT_AS to set
            resource.setrlimit(limit, (soft, hard))

else:

    def for_process() -> None:
        """Nothing to set."""

    def for_one_photo() -> None:
        """Nothing to set."""
