"""Which server the demo runs: the command ``picky-server``, whether installed or one file."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

_NAME = "picky-server"


def server_command() -> tuple[str, ...]:
    """How to run it: the one beside ``picky``, also where that is linked to; else the one of its
    own environment, as a command or as a module; else the first on the ``PATH``, which may be of
    another version.
    """
    picky = Path(sys.argv[0])
    for place in (picky.absolute().parent, picky.resolve().parent, Path(sys.executable).parent):
        if found := shutil.which(_NAME, path=place):
            return (found,)
    found = None if find_spec("server") else shutil.which(_NAME)
    return (found,) if found else (sys.executable, "-P", "-m", "server")
