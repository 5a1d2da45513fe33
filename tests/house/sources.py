"""The project's files as the house rules see them."""

import ast
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]

Rule = Callable[[ast.Module], Iterable[ast.AST]]
"""Yields the places in a module that break the rule."""


@cache
def project_files() -> tuple[str, ...]:
    """Return every file of the project, tracked or about to be, as paths from its root."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    names = {name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()}
    return tuple(sorted(names))


def python_files(*patterns: str, but: Iterable[str] = ()) -> Iterator[str]:
    """Yield the Python files that match one of the patterns and none of `but`."""
    for name in project_files():
        path = PurePosixPath(name)
        if path.suffix == ".py" and matches(path, patterns) and not matches(path, but):
            yield name


def matches(path: PurePosixPath, patterns: Iterable[str]) -> bool:
    """Tell whether the path is one of the patterns, or below one that names a folder."""
    return any(path.match(pattern) or path.is_relative_to(pattern) for pattern in patterns)


@cache
def tree_of(name: str) -> ast.Module:
    """Return the parsed module."""
    return ast.parse((ROOT / name).read_text(), name)


def violations(rule: Rule, names: Iterable[str]) -> list[str]:
    """Return `file:line` for each place that breaks the rule."""
    return [
        f"{name}:{getattr(place, 'lineno', 1)}" for name in names for place in rule(tree_of(name))
    ]


def none_of(found: Iterable[str]) -> None:
    """Fail with the whole list unless it is empty."""
    places = list(found)
    assert not places, "\n".join(["found here:", *places])


def breaks(rule: Rule, code: str) -> bool:
    """Tell whether a piece of code breaks the rule."""
    return any(True for _ in rule(ast.parse(code)))


def called_name(node: ast.AST) -> str:
    """Return the dotted name that a call calls, as `engine.begin`; empty for anything else.

    Parts that are no plain names are left out: `connect().execute()` is `.execute`.
    """
    return dotted(node.func) if isinstance(node, ast.Call) else ""


def dotted(node: ast.expr) -> str:
    """Return an expression's dotted name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def calls(tree: ast.Module, *names: str) -> Iterator[ast.AST]:
    """Yield the calls whose dotted name is one of `names`, or ends with one that starts with a dot.

    A name imported from a module counts as that module's: after `from time import time`, `time()`
    is `time.time`.
    """
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    } | {
        alias.asname: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname
    }
    for node in ast.walk(tree):
        first, dot, rest = called_name(node).partition(".")
        name = f"{imported.get(first, first)}{dot}{rest}"
        if any(name == wanted or f".{name}".endswith(f".{wanted.lstrip('.')}") for wanted in names):
            yield node
