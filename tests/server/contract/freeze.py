"""Writes the contract's frozen files anew: ``python -m tests.server.contract.freeze``."""

import tempfile
from pathlib import Path

from server.app.asgi import create_app
from server.app.container import build_context
from server.app.settings import Settings
from tests.server.contract.test_frozen import HERE, as_text, frames


def main() -> None:
    """Write both files."""
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(data_dir=Path(scratch))
        app = create_app(build_context(settings, base_url="http://127.0.0.1"), settings)
        (HERE / "openapi.json").write_text(as_text(app.openapi()))
    (HERE / "frames.json").write_text(as_text(frames()))


if __name__ == "__main__":
    main()
