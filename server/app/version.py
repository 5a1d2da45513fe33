"""Which Picky this is."""

from functools import cache
from importlib.metadata import version


@cache
def picky_version() -> str:
    """The version that is installed; finding it means reading files."""
    return version("picky")
