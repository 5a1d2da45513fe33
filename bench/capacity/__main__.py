"""`python -m bench.capacity`: prints what a number of users needs, as Markdown."""

import argparse
import sys
from dataclasses import fields

from bench.capacity import habits
from bench.capacity.fleet import Room
from bench.capacity.habits import Habits
from bench.capacity.page import Question, page

_ABOVE_0 = ("users", "sockets", "primary_cores", "devices", "minutes")


def main() -> None:
    """Print the page for what was asked."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.capacity",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    usual, room = Question(), Room()
    parser.add_argument("--users", type=int, default=usual.users, help="connected at the peak")
    parser.add_argument("--seed", type=int, default=usual.seed, help="of the day and the storms")
    parser.add_argument(
        "--utilisation", type=float, default=room.utilisation, help="share of a core at work"
    )
    parser.add_argument("--sockets", type=int, default=room.sockets, help="a realtime process")
    parser.add_argument(
        "--primary-cores", type=int, default=room.primary_cores, help="of the largest PostgreSQL"
    )
    assumed = parser.add_argument_group("habits, an hour and connected user")
    for habit in habits.table():
        assumed.add_argument(
            f"--{habit.name.replace('_', '-')}",
            type=float,
            default=habit.default,
            help=habit.metadata["what"],
        )
    asked = vars(parser.parse_args())
    wrong = _wrong(asked)
    if wrong:
        parser.error(wrong)
    chosen = Habits(**{one.name: asked[one.name] for one in fields(Habits)})
    enough = Room(**{one.name: asked[one.name] for one in fields(Room)})
    sys.stdout.write(page(Question(asked["users"], chosen, enough, asked["seed"])))


def _wrong(asked: dict[str, float]) -> str | None:
    """What cannot be asked, and what can; None when all is well."""
    if not 0 < asked["utilisation"] < 1:
        return "--utilisation is the share of a core at work, between 0 and 1, as 0.6"
    for name, value in asked.items():
        flag = f"--{name.replace('_', '-')}"
        if name in _ABOVE_0 and value <= 0:
            return f"{flag} must be above 0"
        if value < 0:
            return f"{flag} must be 0 or more"
    return None


if __name__ == "__main__":
    main()
