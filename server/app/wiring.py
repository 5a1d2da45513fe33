"""Who hears what, and who stands behind which port. The only place that knows all rooms.

Each room has a function here; it is the whole list of what plugs that room into the others.
"""

from server.platform.context import Context


def wire(context: Context) -> None:
    """Plug all rooms together."""
