"""From anything on the screen to the app it is in, and to the app's link, by their own types."""

from typing import TYPE_CHECKING, cast

from textual.dom import DOMNode

if TYPE_CHECKING:
    from client_tui.app import PickyApp
    from client_tui.link import Link


def app_of(node: DOMNode) -> "PickyApp":
    """The app; all that we draw is drawn in ours."""
    return cast("PickyApp", node.app)


def link_of(node: DOMNode) -> "Link":
    """The app's way to the server."""
    return app_of(node).link
