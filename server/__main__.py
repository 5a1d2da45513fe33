"""``python -m server`` and ``picky-server``."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run a command; a container's health check is asked without all that the others need."""
    from server.app.health_check import problem, where_told

    told = where_told(sys.argv[1:])
    if told is None:
        _run_any()
        return
    host, port, started = told
    if refusal := problem(host, port, started=started):
        sys.exit(f"picky-server: {refusal}")


def hide_rich() -> None:
    """Keep structlog and typer from importing rich and pygments: a tenth of the start, for colours
    that are never used here.
    """
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]


def _run_any() -> None:
    hide_rich()
    from server.app.cli import main as run

    run()


if __name__ == "__main__":
    main()
