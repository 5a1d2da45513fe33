"""``python -m client_tui`` and the command ``picky``."""


def main() -> None:
    """Run the command line; ends the process with the documented exit code."""
    from client_tui.commands.main import run

    run()


if __name__ == "__main__":
    main()
