"""Which server the demo runs: the command ``picky-server``, whether installed or one file."""

import shutil
import sys
from pathlib import Path

_NAME = "picky-server"
_AS_MODULE = (sys.executable, "-P", "-m", "server")


def server_command() -> tuple[str, ...]:
    """How to run it: the one beside ``picky``, else the first on the ``PATH``, else the module."""
    beside = Path(sys.argv[0]).absolute().parent
    found = shutil.which(_NAME, path=beside) or shutil.which(_NAME)
    return (found,) if found else _AS_MODULE
