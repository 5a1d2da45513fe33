"""Work beside the drawing: named workers that never take the app down."""

from collections.abc import Callable, Coroutine
from typing import Any, cast

from textual.dom import DOMNode
from textual.widget import Widget
from textual.worker import Worker


def start(
    node: DOMNode,
    act: Callable[[], Coroutine[Any, Any, Any]],
    *,
    group: str = "work",
    name: str = "",
    exclusive: bool = False,
) -> Worker[Any]:
    """Run ``act`` in a worker of ``node`` and end it with it.

    What it raises becomes a toast (:meth:`PickyApp.on_worker_state_changed`). ``exclusive`` ends
    the others of its group. Takes an async function or a partial of one, and not its coroutine, so
    that a worker that is ended before it began leaves none behind.
    """
    return node.run_worker(
        cast("Any", act), group=group, name=name, exclusive=exclusive, exit_on_error=False
    )


def is_there(widget: Widget) -> bool:
    """Whether its parts can be drawn on. Textual's ``is_mounted`` stays True after the end.

    What is being taken down is displayed no more, and loses its parts before it is detached.
    """
    return widget.is_mounted and widget.is_attached and widget.is_running and widget.display
