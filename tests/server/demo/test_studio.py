"""The process that draws."""

import subprocess
import sys
import textwrap
from pathlib import Path

import psutil

from tests.house.sources import ROOT

DRAWING_FOR_EVER = """
    import sys
    from random import Random
    from server.app.demo.content import people
    from server.app.demo.studio import Studio

    if __name__ == "__main__":
        with Studio(Random(1)) as studio:
            assert studio.face(people()[0]).result()[0].data
            print("drawn", flush=True)
            sys.stdin.read()
"""


def test_the_drawing_process_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "draw.py"
    script.write_text(textwrap.dedent(DRAWING_FOR_EVER))
    with subprocess.Popen(
        [sys.executable, script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT)},
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"drawn\n"
        children = psutil.Process(parent.pid).children(recursive=True)
        assert children
        parent.kill()
    gone, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
    assert len(gone) == len(children)
