"""``python -m server`` and ``picky-server``."""

import sys

# structlog and typer import rich and pygments for colours unless they are missing: a tenth of the
# start, for what is never used here.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]

from server.app.cli import main  # noqa: E402

__all__ = ["main"]

if __name__ == "__main__":
    main()
