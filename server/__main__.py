"""``python -m server`` and ``picky-server``."""

from server.app.cli import main

if __name__ == "__main__":
    main()
