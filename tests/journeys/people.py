"""People who use the real ``picky`` commands, each on a machine of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

PICKY = Path(sys.executable).with_name("picky")
PASSWORD = "correct horse 9 staple"


class Person:
    """Somebody with a home folder and a terminal."""

    def __init__(self, home: Path, server: str, handle: str, name: str) -> None:
        self.home = home
        self.server = server
        self.handle = handle
        self.name = name

    def run(
        self, *arguments: object, stdin: str = "", code: int = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run one command; it must end with this exit code."""
        environment = os.environ | {
            "PICKY_HOME": str(self.home),
            "PICKY_CREDENTIALS": "file",
            "PYTHONDONTWRITEBYTECODE": "",
        }
        done = subprocess.run(
            [PICKY, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=50,
            env=environment,
        )
        told = f"picky {' '.join(map(str, arguments))}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == code, told
        return done

    def get(self, *arguments: object, stdin: str = "") -> Any:
        """Run one command that prints one object."""
        [found] = self.list(*arguments, stdin=stdin)
        return found

    def list(self, *arguments: object, stdin: str = "") -> list[Any]:
        """Run one command that prints objects, one a line and nothing else."""
        output = self.run(*arguments, "--json", stdin=stdin).stdout
        return [json.loads(line) for line in output.splitlines()]

    def sign_up(self) -> Any:
        """Make the account."""
        options = ("--server", self.server, "--handle", self.handle, "--name", self.name)
        return self.get("signup", *options, "--password-stdin", stdin=PASSWORD + "\n")


def draw_picture(path: Path, colour: str, shape: str) -> Path:
    """A picture that can be told from the others."""
    picture = Image.new("RGB", (640, 480), colour)
    pen = ImageDraw.Draw(picture)
    {"circle": pen.ellipse, "box": pen.rectangle}[shape]((160, 80, 480, 400), fill="white")
    picture.save(path)
    return path
