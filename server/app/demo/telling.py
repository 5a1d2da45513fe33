"""How far the filling of a market is: for scripts, or as a bar."""

import json
import sys

_BAR_CELLS = 30


def print_progress(done: int, total: int, label: str) -> None:
    """A JSON object a line on stdout."""
    told = json.dumps({"done": done, "total": total, "label": label})
    sys.stdout.write(f"{told}\n")
    sys.stdout.flush()


def draw_progress(done: int, total: int, label: str) -> None:
    """A bar on stderr, where that is a terminal."""
    if not sys.stderr.isatty():
        return
    filled = "━" * (_BAR_CELLS * done // total)
    end = "\n" if done == total else ""
    line = f"\r{filled:─<{_BAR_CELLS}} {done:>5} of {total} {label:<20}"
    sys.stderr.write(line + end)
    sys.stderr.flush()
