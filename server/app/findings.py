"""The lines of `picky-server doctor`'s report."""

import re
from dataclasses import dataclass

_USER_INFO = re.compile(r"(?<=//)[^/\s]*@")
_SECRET_PARAMETER = re.compile(r"(?i)((?:password|secret|token|key)[^=&]*=)[^&]*")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; ``well`` is False when something is to be mended."""

    text: str
    well: bool = True


def good(what: str, state: str) -> Finding:
    """That something can be used as it is."""
    return Finding(f"  ok    {what}: {state}")


def bad(what: str, state: str, mend: str) -> Finding:
    """What is wrong with something, without its secrets, and how to mend it."""
    return Finding(f"  FAIL  {what}: {harmless(state)}\n        mend: {mend}", well=False)


def harmless(text: str) -> str:
    """The text without the passwords that addresses may carry."""
    return _SECRET_PARAMETER.sub(r"\1***", _USER_INFO.sub("***@", text))
