"""What no file may hold: addresses of package indexes, paths of one machine, work undone."""

import re

import pytest

from tests.house.sources import ROOT, none_of, project_files, python_files

LARGEST_BYTES = 2_000_000

# Written so that this file does not contain what it looks for.
INDEX = re.compile(
    r"py[p]i\.(?:org|python)|python[h]osted|--(?:extra-)?index[-]url|--find[-]links"
    r"|registry\.npm[j]s|^\s*registry[ ]*=|source\s*=\s*\{\s*registry",
    re.IGNORECASE | re.MULTILINE,
)
MACHINE_PATH = re.compile(
    r"(?<![\w./}-])/(?:work|root|farm|tmp|home/\w+|Users/\w+)(?:/|\b(?=['\"\s]))"
)
UNDONE = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X]|HAC[K])\b|NotImplemented[E]rror")
SKIPPED = re.compile(r"pytest\.(?:ski[p]|xfai[l]|mark\.ski[p]|mark\.xfai[l]|importorski[p])")


def text_of(name: str) -> str:
    """Return a file's text; nothing for pictures and the like."""
    content = (ROOT / name).read_bytes()
    return "" if b"\0" in content[:8000] else content.decode(errors="replace")


def found(pattern: re.Pattern[str], names: tuple[str, ...]) -> list[str]:
    """Return `file:line: text` for each place where the pattern is found."""
    return [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match.group().strip()}"
        for name in names
        if (text := text_of(name))
        for match in pattern.finditer(text)
    ]


def test_no_file_names_a_package_index() -> None:
    none_of(found(INDEX, project_files()))


def test_no_file_names_a_path_of_one_machine() -> None:
    none_of(found(MACHINE_PATH, project_files()))


def test_nothing_is_left_undone_or_skipped() -> None:
    none_of(found(UNDONE, tuple(python_files("*.py"))))
    none_of(found(SKIPPED, tuple(python_files("tests"))))


def test_no_file_is_huge() -> None:
    large = [name for name in project_files() if (ROOT / name).stat().st_size > LARGEST_BYTES]
    none_of(large)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (INDEX, "https://py" + "pi.org/simple"),
        (INDEX, "pip install --extra-" + "index-url http://x"),
        (INDEX, "source = { regis" + 'try = "x" }'),
        (MACHINE_PATH, "open('/ro" + "ot/.cache')"),
        (MACHINE_PATH, "cd /wo" + "rk/main"),
        (MACHINE_PATH, '"/t' + 'mp"'),
        (UNDONE, "# TO" + "DO: later"),
        (SKIPPED, "@pytest.mark.sk" + "ip"),
    ],
)
def test_each_of_them_is_found(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


@pytest.mark.parametrize("text", ["/v1/work/items", "tests/tmp/x", "https://example.com/root/"])
def test_a_path_of_a_url_is_no_path_of_a_machine(text: str) -> None:
    assert not MACHINE_PATH.search(text)
