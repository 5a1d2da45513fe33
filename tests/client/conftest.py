"""What holds for every test of the client."""

from tests.quiet import certain

__all__ = ["certain"]
