"""A real Ceph object gateway: one monitor, one store in memory and `radosgw`, from Debian's
packages ceph-mon, ceph-osd and radosgw. They are in no package index, so they may not be there.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from uuid import uuid4

from tests.servers.lifetime import START_S, Lifetime, ServerError, accepts, free_port
from tests.servers.s3 import ACCESS_KEY, SECRET_KEY, S3Store

USER = "client.admin"
PROGRAMS = (
    "ceph-mon",
    "ceph-osd",
    "radosgw",
    "radosgw-admin",
    "monmaptool",
    "ceph-authtool",
    "ceph",
)
RGW_IS_INSTALLED = all(shutil.which(program) for program in PROGRAMS)
OF_FILES = ("monmaptool", "ceph-authtool")
CONFIGURATION = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{port}]
mon initial members = a
keyring = {directory}/keyring
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = {directory}
admin socket = {directory}/$name.asok
log to stderr = true
err to stderr = true
log file = /dev/null
mon cluster log file = /dev/null
crash dir = {directory}
mon data = {directory}/mon
mon allow pool size one = true
mon data avail crit = 1
mon data avail warn = 2
mon max pg per osd = 1000
osd data = {directory}/osd
osd objectstore = memstore
memstore device bytes = 1073741824
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
rgw data = {directory}/rgw
rgw rados pool pg num min = 1
rgw thread pool size = 16
"""


class RadosGateway(S3Store):
    """A running gateway."""


def start_rgw(lifetime: Lifetime, name: str = "rgw") -> RadosGateway:
    """Start an empty cluster and its gateway on a free port. It verifies SigV4 signatures."""
    directory = lifetime.directory / f"{name}-ceph"
    for folder in ("mon", "osd", "rgw"):
        (directory / folder).mkdir(parents=True)
    configuration = directory / "ceph.conf"
    fsid, port = str(uuid4()), free_port()
    configuration.write_text(CONFIGURATION.format(directory=directory, fsid=fsid, port=port))
    start = partial(start_daemon, lifetime, configuration)
    run = partial(run_tool, configuration)

    keys = directory / "keyring"
    keys.touch(mode=0o600)
    for who in ("mon.", "osd.0", USER):
        everything = [text for part in ("mon", "osd") for text in ("--cap", part, "allow *")]
        run("ceph-authtool", keys, "--gen-key", "-n", who, *everything)
    monitors = directory / "monmap"
    run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:127.0.0.1:{port}]", monitors)
    run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monitors, "--keyring", keys)
    monitor = start(f"{name}-mon", "ceph-mon", "-i", "a")
    lifetime.wait_until(f"{name}-mon", lambda: accepts(port), pid=monitor)
    store = str(uuid4())
    run("ceph", "osd", "new", store)
    run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", store)
    start(f"{name}-osd", "ceph-osd", "-i", "0")
    run("radosgw-admin", "user", "create", "--uid=tests", "--display-name=tests",
        f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}")  # fmt: skip
    gateway_port = free_port()
    gateway = start(
        f"{name}-gateway", "radosgw", "-n", USER,
        f"--rgw-frontends=beast endpoint=127.0.0.1:{gateway_port}",
    )  # fmt: skip
    lifetime.wait_until(f"{name}-gateway", lambda: accepts(gateway_port), pid=gateway)
    return RadosGateway(gateway_port, gateway)


def shared_rgw(lifetime: Lifetime) -> RadosGateway:
    """Return the gateway that all processes of this lifetime share, starting it if need be."""
    return RadosGateway(**lifetime.once("rgw", lambda: asdict(start_rgw(lifetime))))


def start_daemon(
    lifetime: Lifetime, configuration: Path, name: str, program: str, *options: str
) -> int:
    """Start one of Ceph's servers and return its pid."""
    return lifetime.start(name, [program, "-f", "-c", configuration, *options])


def run_tool(configuration: Path, program: str, *arguments: str | Path) -> None:
    """Run one of Ceph's tools to its end; :class:`ServerError` with what it said if it fails."""
    options: Sequence[str | Path] = () if program in OF_FILES else ("-c", configuration)
    try:
        ended = subprocess.run(
            [program, *options, *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=START_S,
        )
    except subprocess.TimeoutExpired as late:
        raise ServerError(f"{program} did not end within {START_S:g} s: {late.stderr!r}") from late
    if ended.returncode != 0:
        raise ServerError(f"{program} failed:\n{ended.stdout}{ended.stderr}")
