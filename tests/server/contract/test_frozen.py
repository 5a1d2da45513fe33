"""The contract is frozen: a change of it shows in a diff of these files and is looked at.

``make contract`` writes them anew. Additive changes are free; others need a new version prefix.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from fastapi import FastAPI

from shared_models.realtime import client_frame, server_frame

HERE = Path(__file__).parent


def frames() -> dict[str, object]:
    """The JSON schema of every frame, by direction."""
    return {"client": client_frame.json_schema(), "server": server_frame.json_schema()}


def as_text(contract: object) -> str:
    """As it is kept in the file."""
    return json.dumps(contract, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_the_http_contract_is_the_frozen_one(app: FastAPI) -> None:
    assert (HERE / "openapi.json").read_text() == as_text(app.openapi())


def test_the_command_prints_the_same_whatever_the_order_of_sets_and_the_settings() -> None:
    command = [sys.executable, "-m", "server", "openapi"]
    seeded = os.environ | {"PYTHONHASHSEED": "1"}
    seeded |= {"PICKY_LIMITS__TITLE_MAX": "5", "PICKY_ROLE": "worker", "PICKY_DATABASE_URL": "none"}
    printed = subprocess.run(command, check=True, capture_output=True, env=seeded).stdout
    assert as_text(json.loads(printed)) == (HERE / "openapi.json").read_text()


def test_the_frames_are_the_frozen_ones() -> None:
    assert (HERE / "frames.json").read_text() == as_text(frames())
