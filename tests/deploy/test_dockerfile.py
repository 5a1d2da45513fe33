"""`deploy/Dockerfile`: small, without rights, on a file system that is only read."""

import json
import re
import tomllib
from pathlib import PurePosixPath

import pytest

from server.app.cli import app
from server.app.settings import Settings
from tests.deploy.composed import DEPLOY, ROOT, services

Instruction = tuple[str, str]


def instructions() -> list[Instruction]:
    """Every instruction and its arguments, comments left out and continued lines joined."""
    text = (DEPLOY / "Dockerfile").read_text()
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\s*\\\n\s*", " ", lines)
    pairs = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name, arguments.strip()) for name, _, arguments in pairs]


def stages() -> list[list[Instruction]]:
    found: list[list[Instruction]] = []
    for instruction in instructions():
        if instruction[0] == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def final(name: str) -> list[str]:
    """The arguments of the last stage's instructions of this name."""
    return [arguments for one, arguments in stages()[-1] if one == name]


def environment() -> dict[str, str]:
    pairs = [pair.partition("=") for arguments in final("ENV") for pair in arguments.split()]
    return {name: value for name, _, value in pairs}


def copied() -> list[str]:
    """What is copied from the project."""
    return [
        source
        for name, arguments in stages()[0]
        if name == "COPY"
        for source in arguments.split()[:-1]
    ]


def test_it_is_built_in_one_stage_and_runs_in_another() -> None:
    assert len(stages()) == 2
    bases = [stage[0][1] for stage in stages()]
    assert all(re.fullmatch(r"python:3\.11\.\d+-slim-\w+( AS build)?", base) for base in bases)
    assert final("COPY") == ["--from=build /opt/picky /opt/picky"]
    assert not any("pip" in run for run in final("RUN"))


def test_every_package_is_held_to_its_hash_and_compiled() -> None:
    runs = " && ".join(arguments for name, arguments in stages()[0] if name == "RUN")
    installs = re.findall(r"(?:pip install|pip sync)[^&]*", runs)
    assert len(installs) == 3
    boot, requirements, own = installs
    assert "--require-hashes -r requirements/boot.txt" in boot
    assert "--require-hashes --compile-bytecode requirements/run.txt" in requirements
    assert "--no-deps --build-constraint requirements/boot.txt --compile-bytecode ." in own
    for name in ("boot", "run"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        assert len(re.findall(r"^[\w-]+==", text, re.MULTILINE)) > 0
        assert "--hash=sha256:" in text


def test_it_is_nobody_who_runs() -> None:
    [user] = final("USER")
    assert int(user) >= 10_000
    names = [name for name, _ in stages()[-1]]
    assert not {"RUN", "COPY", "ADD"} & set(names[names.index("USER") :])
    assert any(f"--uid {user} " in run for run in final("RUN"))


def test_one_folder_is_written_and_it_is_named() -> None:
    [volume] = final("VOLUME")
    told = environment()
    assert told["TMPDIR"] == told["PICKY_DATA_DIR"] == volume
    assert any(run.endswith(f"--owner picky --mode 0700 {volume}") for run in final("RUN"))
    for name in ("api-1", "realtime-1", "worker", "migrate"):
        [mount] = services()[name]["tmpfs"]
        assert mount.startswith(f"{volume}:uid={final('USER')[0]},")


def test_signals_reach_the_process() -> None:
    assert json.loads(final("ENTRYPOINT")[0]) == ["picky-server"]
    assert json.loads(final("CMD")[0]) == ["serve"]
    assert final("STOPSIGNAL") == ["SIGTERM"]


def test_the_program_looks_after_its_own_health() -> None:
    options, _, command = final("HEALTHCHECK")[0].partition(" CMD ")
    program, subcommand = json.loads(command)
    assert program == "picky-server"
    commands = {one.callback.__name__ for one in app.registered_commands if one.callback}
    assert {subcommand, "serve", "migrate"} <= commands
    assert "--start-period=" in options


def test_its_settings_exist_and_none_of_them_is_a_secret() -> None:
    own = {
        name.removeprefix("PICKY_").lower(): value
        for name, value in environment().items()
        if name.startswith("PICKY_")
    }
    settings = Settings.model_validate(own)
    assert set(own) <= set(Settings.model_fields)
    assert settings.environment == "production"
    assert str(settings.port) in final("EXPOSE")
    assert not re.search(r"(?i)secret|password|token|_key", " ".join(map(str, instructions())))


@pytest.mark.parametrize("source", copied())
def test_what_is_copied_is_there_and_not_ignored(source: str) -> None:
    assert (ROOT / source).exists()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    path = PurePosixPath(source)
    assert any(f"!{one}" in ignored for one in (path, *path.parents))


def test_all_that_the_distribution_holds_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {*packages, "pyproject.toml", project["project"]["readme"]} <= set(copied())
