"""`picky-server` that can be profiled: `python profiled_server.py OUTPUT PYTHON -m server …`.

SIGUSR1 begins, SIGUSR2 ends and writes what was counted to the output file.
"""

import cProfile
import runpy
import signal
import sys
import time


def main() -> None:
    """Run the module of the command line as that command would."""
    output, _python, _m, module, *arguments = sys.argv[1:]
    profile = cProfile.Profile(time.thread_time)  # what waits for the disk is not work

    def begin(*_: object) -> None:
        profile.enable()

    def end(*_: object) -> None:
        profile.disable()
        profile.dump_stats(output)
        profile.clear()

    signal.signal(signal.SIGUSR1, begin)
    signal.signal(signal.SIGUSR2, end)
    sys.argv = [module, *arguments]
    sys.path[0] = ""
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
