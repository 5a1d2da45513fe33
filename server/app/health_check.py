"""``picky-server health`` for containers, whose images say by variables where the server listens.

It is run every ten seconds beside each process, and to read and check all settings takes five times
as long as the question itself.
"""

import os
from collections.abc import Sequence

from server.app.health_probe import ALIVE, STARTED, answers

_COMMAND = "health"
_STARTED = "--started"
_VARIABLES = ("PICKY_HOST", "PICKY_PORT")


def problem(host: str, port: int, *, started: bool) -> str | None:
    """Ask; what is wrong, in one line."""
    if answers(host, port, STARTED if started else ALIVE):
        return None
    what = "nothing that was ready" if started else "nothing alive"
    return f"{what} answers on {host}, port {port}"


def where_told(arguments: Sequence[str]) -> tuple[str, int, bool] | None:
    """What these arguments ask for, if it is this and the environment says where: before a file,
    and after flags, that counts.
    """
    if list(arguments) not in ([_COMMAND], [_COMMAND, _STARTED]):
        return None
    said = [name for name in os.environ if name.upper() in _VARIABLES]
    if sorted(said) != sorted(_VARIABLES):
        return None
    host, port = (os.environ[name] for name in _VARIABLES)
    if not (host and port.isascii() and port.isdecimal() and int(port) <= 65535):
        return None
    return host, int(port), _STARTED in arguments
