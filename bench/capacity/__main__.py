"""`python -m bench.capacity`: prints what a number of users needs, as Markdown."""

import argparse
import sys
from dataclasses import fields

from bench.capacity import habits
from bench.capacity.fleet import Room
from bench.capacity.habits import Habits
from bench.capacity.page import Question, page


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
    chosen = Habits(**{one.name: asked[one.name] for one in fields(Habits)})
    enough = Room(**{one.name: asked[one.name] for one in fields(Room)})
    sys.stdout.write(page(Question(asked["users"], chosen, enough, asked["seed"])))


if __name__ == "__main__":
    main()
