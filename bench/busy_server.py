"""`picky-server` without a place for a handshake: `python busy_server.py PYTHON -m server …`."""

import runpy
import sys
from dataclasses import dataclass

sys.path[0] = ""

from server.realtime import settings  # noqa: E402  # found where the command is run


@dataclass(frozen=True, slots=True)
class NoPlace(settings.RealtimeSettings):
    """As it comes from the environment, but for this."""

    handshakes_most: int = 0


def main() -> None:
    """Run the module of the command line as that command would."""
    settings.RealtimeSettings = NoPlace  # type: ignore[misc]
    _python, _m, module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
