"""`requirements/`: whatever a setting can ask for is pinned where the server runs from them."""

import re
import subprocess
from collections.abc import Iterable, Iterator
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.composed import DEPLOY, composed
from tests.house.sources import ROOT


def pins(name: str) -> dict[str, str]:
    """Each package of a file, and what is said of it."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    return {entry.partition("==")[0]: entry for entry in entries}


def needs_of(requirement: Requirement, seen: set[str]) -> Iterator[str]:
    """Every package that one brings on this machine, itself included."""
    name = canonicalize_name(requirement.name)
    key = f"{name}[{','.join(sorted(requirement.extras))}]"
    if key in seen:
        return
    seen.add(key)
    yield name
    for text in requires(name) or ():
        wanted = Requirement(text)
        if is_wanted(wanted, requirement.extras):
            yield from needs_of(wanted, seen)


def is_wanted(requirement: Requirement, extras: Iterable[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, ""))


@pytest.mark.parametrize("name", ["run", "binary"])
def test_all_that_the_server_and_its_traces_need_is_pinned_with_its_hash(name: str) -> None:
    needed = set(needs_of(Requirement("picky[traces]"), set())) - {"picky"}
    assert {"opentelemetry-exporter-otlp-proto-http", "protobuf", "boto3"} <= needed
    pinned = pins(name)
    assert needed - set(pinned) == set()
    assert [one for one, said in pinned.items() if "--hash=sha256:" not in said] == []


def test_the_pins_agree() -> None:
    dev = pins("dev")
    for name in ("run", "binary"):
        for package, said in pins(name).items():
            if package in dev:
                assert said.split()[0] == dev[package].split()[0], name


def test_pins_are_made_anew_with_the_traces() -> None:
    rules = (ROOT / "Makefile").read_text()
    assert re.search(r"^EXPORT_RUN := .*--extra traces", rules, re.MULTILINE)
    for name in ("run", "binary"):
        assert re.search(rf"export \$\(EXPORT_RUN\).* requirements/{name}\.txt", rules)


def test_who_makes_pins_anew_is_told_of_every_image() -> None:
    rules = (ROOT / "Makefile").read_text()
    [told] = re.findall(r"^\t@(sed (?:.*\\\n)*.*)", rules, re.MULTILINE)
    listed = subprocess.run(["sh", "-c", told], cwd=ROOT, capture_output=True, text=True).stdout
    files = [file.name for file in DEPLOY.glob("compose*.yaml")]
    images = {
        str(service["image"])
        for name in files
        for service in composed(name)["services"].values()
        if "image" in service
    }
    own = {"picky:local", "picky-backups:local"}
    images = {one for one in images - own if not one.startswith("${")}
    based = re.findall(r"^FROM (\S+:\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert based
    assert listed.split() == sorted({*images, *based})
