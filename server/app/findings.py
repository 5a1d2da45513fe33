"""The lines of `picky-server doctor`'s report."""

from dataclasses import dataclass

from server.app.harmless import harmless


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


def noted(what: str, state: str, mend: str) -> Finding:
    """What a server can be without, and how to have it."""
    return Finding(f"  note  {what}: {harmless(state)}\n        mend: {mend}")
