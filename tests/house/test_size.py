"""Files and functions are short, or say why they are not with the words "long because".

A function's signature and docstring do not count. What Alembic writes does not count either.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.house.sources import ROOT, none_of, python_files, tree_of

ROOMS = ("bench", "client_tui", "deploy", "migrations/*.py", "server", "shared_models", "tests")
FILE_LINES = 400
FUNCTION_LINES = 40
REASON = "long because"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def long_functions(tree: ast.Module, source: str) -> Iterator[str]:
    """Yield the functions that are too long without a reason."""
    lines = source.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, Function) and length(node) > FUNCTION_LINES:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            text = lines[max(first - 2, 0) : node.end_lineno]
            if not any(REASON in line for line in text):
                yield f"{node.lineno} {node.name}: {length(node)} lines"


def length(function: Function) -> int:
    """Return the lines of a function's body without its docstring."""
    assert function.end_lineno is not None
    documented = ast.get_docstring(function, clean=False) is not None
    body = function.body[1:] if documented else function.body
    return function.end_lineno - body[0].lineno + 1 if body else 0


def is_long_file(source: str) -> bool:
    """Tell whether a file is too long and does not say why before its first definition."""
    head = source.partition("\ndef ")[0].partition("\nclass ")[0]
    return source.count("\n") > FILE_LINES and REASON not in head


def test_files_are_short_or_say_why() -> None:
    none_of(name for name in python_files(*ROOMS) if is_long_file((ROOT / name).read_text()))


def test_functions_are_short_or_say_why() -> None:
    found = [
        f"{name}:{place}"
        for name in python_files(*ROOMS)
        for place in long_functions(tree_of(name), (ROOT / name).read_text())
    ]
    none_of(found)


SHORT_BODY = "    x = 1\n" * FUNCTION_LINES
BODY = SHORT_BODY + "    x = 2\n"


@pytest.mark.parametrize(
    ("source", "count"),
    [
        (f"def f():\n{BODY}", 1),
        (f"async def f():\n{BODY}", 1),
        (f"def f():\n    '''One.\n\n    Three.\n    '''\n{BODY}", 1),
        (f"def f():\n    '''This is long because of that.'''\n{BODY}", 0),
        (f"# long because of that\ndef f():\n{BODY}", 0),
        (f"def f(\n    a,\n    b,\n):\n    '''One.\n\n    Three.\n    '''\n{SHORT_BODY}", 0),
    ],
)
def test_a_long_function_is_found_unless_it_says_why(source: str, count: int) -> None:
    assert len(list(long_functions(ast.parse(source), source))) == count


def test_a_long_file_is_found_unless_it_says_why() -> None:
    lines = "x = 1\n" * (FILE_LINES + 1)
    assert is_long_file(lines)
    assert not is_long_file(f'"""One table, long because it is one."""\n{lines}')
