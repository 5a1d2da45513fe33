"""Tests wait for the event, not for time to pass."""

import ast
from collections.abc import Iterator

import pytest

from tests.house.sources import breaks, calls, none_of, python_files, violations

POLLS_OTHER_PROCESSES = ["tests/servers/lifetime.py"]


def sleeps(tree: ast.Module) -> Iterator[ast.AST]:
    """Time passes for no reason; `asyncio.sleep(0)` only lets others run."""
    yield from calls(tree, "time.sleep")
    for node in calls(tree, "asyncio.sleep"):
        assert isinstance(node, ast.Call)
        if not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0):
            yield node


def test_no_test_sleeps() -> None:
    none_of(violations(sleeps, python_files("tests", but=POLLS_OTHER_PROCESSES)))


@pytest.mark.parametrize(
    "code",
    ["import time\ntime.sleep(1)", "from asyncio import sleep\nsleep(0.1)", "asyncio.sleep(wait)"],
)
def test_a_sleep_is_found(code: str) -> None:
    assert breaks(sleeps, code)


def test_giving_way_is_no_sleep() -> None:
    assert not breaks(sleeps, "asyncio.sleep(0)")
