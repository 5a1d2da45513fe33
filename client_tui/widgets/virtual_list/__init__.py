"""A list of any length that costs what is in view, and whose rows do not move by themselves."""

from client_tui.widgets.virtual_list.rendered import ItemRenderer
from client_tui.widgets.virtual_list.view import Pruned
from client_tui.widgets.virtual_list.widget import VirtualList

__all__ = ["ItemRenderer", "Pruned", "VirtualList"]
