"""`deploy/Dockerfile`: small, without rights, on a file system that is only read."""

import json
import re
import tomllib
from pathlib import PurePosixPath

import pytest

from server.app.cli import app
from server.app.health_probe import PATIENCE_S
from server.app.settings import Settings
from tests.deploy.composed import DEPLOY, ROOT, composed, services

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


def stage(name: str) -> list[Instruction]:
    [found] = [stage for stage in stages() if stage[0][1].endswith(f" AS {name}")]
    return found


def final(name: str, of: str = "server") -> list[str]:
    """The arguments of the instructions of this name, of the stage that runs."""
    return [arguments for one, arguments in stage(of) if one == name]


def environment() -> dict[str, str]:
    pairs = [pair.partition("=") for arguments in final("ENV") for pair in arguments.split()]
    return {name: value for name, _, value in pairs}


def copied() -> list[str]:
    """What is copied from the project."""
    return [
        source
        for name, arguments in instructions()
        if name == "COPY" and not arguments.startswith("--from=")
        for source in arguments.split()[:-1]
    ]


def test_it_is_built_in_one_stage_and_runs_in_another() -> None:
    build, server, backups, usual = [stage[0][1] for stage in stages()]
    for base in (build, server):
        assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm AS (build|server)", base)
    assert (backups, usual) == ("server AS backups", "server")
    assert len(stages()[-1]) == 1
    assert final("COPY") == ["--from=build /opt/picky /opt/picky", "deploy/trust /trust"]


@pytest.mark.parametrize("name", ["server", "backups"])
def test_what_runs_has_all_mends_of_debian(name: str) -> None:
    [run] = [run for run in final("RUN", name) if "apt-get" in run]
    steps = run.split(" && ")
    assert steps[:2] == ["apt-get update", "apt-get upgrade --yes"]
    assert "rm --recursive /var/lib/apt/lists/*" in steps


def test_what_runs_cannot_install_anything_and_has_none_of_its_holes() -> None:
    [step] = [
        step for run in final("RUN") for step in run.split(" && ") if step.startswith("python ")
    ]
    program, *words = step.split()
    assert (program, words[:3]) == ("python", ["-m", "pip", "uninstall"])
    assert words[-3:] == ["setuptools", "wheel", "pip"], "the one that does it comes last"
    pinned = (ROOT / "requirements" / "run.txt").read_text()
    assert not re.search(r"^(setuptools|wheel|pip)==", pinned, re.MULTILINE)


def test_backups_have_the_programs_of_the_database_that_is_deployed() -> None:
    database = services()["database"]["image"]
    major = database.partition(":")[2].partition(".")[0]
    programs, library = final("COPY", "backups")
    for copied_ in (programs, library):
        assert copied_.startswith(f"--from={database} ")
    assert f"/usr/lib/postgresql/{major}/bin/pg_dump " in programs
    assert f"/usr/lib/postgresql/{major}/bin/pg_restore " in programs
    [run] = final("RUN", "backups")
    assert "pg_dump --version && pg_restore --version" in run, "the build fails without libraries"
    kept = services()["backups"]["volumes"][0].partition(":")[2]
    assert run.endswith(f"install --directory --owner picky --mode 0700 {kept}")
    assert final("USER", "backups") == ["root", *final("USER")]


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
    names = [name for name, _ in stage("server")]
    assert not {"RUN", "COPY", "ADD"} & set(names[names.index("USER") :])
    assert any(f"--uid {user} " in run for run in final("RUN"))


def test_one_folder_is_written_and_it_is_named() -> None:
    [volume] = final("VOLUME")
    told = environment()
    assert told["TMPDIR"] == told["PICKY_DATA_DIR"] == volume
    assert any(run.endswith(f"--owner picky --mode 0700 {volume}") for run in final("RUN"))
    for name in ("api-1", "realtime-1", "migrate", "backups"):
        [mount] = services()[name]["tmpfs"]
        assert mount.startswith(f"{volume}:uid={final('USER')[0]},")


def test_archives_are_written_to_a_disk() -> None:
    """Docker gives a new volume the owner that the folder has in the image."""
    worker = services()["worker"]
    assert worker["tmpfs"] == [], "two things are not mounted in one place"
    [mount] = worker["volumes"]
    name, _, place = mount.partition(":")
    assert [place] == final("VOLUME")
    assert name in composed()["volumes"]
    users = [one for one, each in services().items() if mount in each.get("volumes", [])]
    assert users == ["worker"]


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
    [patience] = re.findall(r"--timeout=(\d+)s", options)
    assert int(patience) > PATIENCE_S, "or it never says that nothing answers"


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
