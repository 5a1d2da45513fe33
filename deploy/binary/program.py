"""What the one file runs: ``picky-server``, and in processes of its own what that starts.

A frozen program is its own ``sys.executable``: here it understands those command lines that the
server gives to Python.
"""

import multiprocessing
import sys

multiprocessing.freeze_support()  # does not return in the process that draws the demo's pictures

if sys.argv[1:] == ["-m", "server.media.convert"]:
    from server.media.convert import main
else:
    from server.__main__ import main

main()
