"""What a virtual list tells. Handlers are named ``on_virtual_list_...``."""

from typing import TYPE_CHECKING, Any

from textual.geometry import Offset
from textual.message import Message

if TYPE_CHECKING:
    from client_tui.widgets.virtual_list.view import ItemsView


class ListMessage(Message, namespace="virtual_list"):
    """From a list, which is also its ``control``."""

    def __init__(self, virtual_list: "ItemsView[Any]") -> None:
        super().__init__()
        self.virtual_list = virtual_list

    @property
    def control(self) -> "ItemsView[Any]":
        """The list, for the selectors of ``@on``."""
        return self.virtual_list


class NearTop(ListMessage, namespace="virtual_list"):
    """The top is within 1.5 screens. Told once for each first item."""


class NearBottom(ListMessage, namespace="virtual_list"):
    """The bottom is within 1.5 screens. Told once for each last item."""


class BottomChanged(ListMessage, namespace="virtual_list"):
    """The list has come to its bottom or has left it."""

    def __init__(self, virtual_list: "ItemsView[Any]", at_bottom: bool) -> None:
        super().__init__(virtual_list)
        self.at_bottom = at_bottom


class CursorMoved(ListMessage, namespace="virtual_list"):
    """The cursor has come to an item."""

    def __init__(self, virtual_list: "ItemsView[Any]", key: int, item: Any) -> None:
        super().__init__(virtual_list)
        self.key = key
        self.item = item


class Activated(ListMessage, namespace="virtual_list"):
    """An item was clicked, or enter pressed on it.

    ``offset`` is the cell inside the item that was clicked; None for the key.
    """

    def __init__(
        self, virtual_list: "ItemsView[Any]", key: int, item: Any, offset: Offset | None
    ) -> None:
        super().__init__(virtual_list)
        self.key = key
        self.item = item
        self.offset = offset
