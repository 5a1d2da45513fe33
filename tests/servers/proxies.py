"""A real proxy before a fleet: HAProxy from Debian's package where that is installed, or Caddy with
what `deploy/Caddyfile` says about processes that come and go.
"""

import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.servers.lifetime import Lifetime, free_port

PATIENCE_S = 20
HAPROXY = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
CADDY = Path(sys.executable).with_name("caddy")
DEPLOYED = Path(__file__).parents[2] / "deploy" / "Caddyfile"
BALANCED = re.compile(r"^\(balanced\) \{\n(?:\t.*\n)+\}\n", re.MULTILINE)

HAPROXY_CONFIGURATION = """
defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
    timeout check 4s
    option redispatch 1
    default-server check inter 500ms fall 3 rise 1
    option httpchk GET /readyz?serving

frontend people
    bind 127.0.0.1:{port}
    use_backend realtime if {{ path /v1/realtime }}
    default_backend api

backend realtime
    balance leastconn
{realtime}

backend api
    balance roundrobin
{api}
"""
CADDYFILE = """
{{
	admin off
	persist_config off
}}
{balanced}
http://127.0.0.1:{port} {{
	handle /v1/realtime {{
		reverse_proxy {realtime} {{
			import balanced
		}}
	}}
	handle {{
		reverse_proxy {api} {{
			import balanced
		}}
	}}
}}
"""


@dataclass(frozen=True)
class Proxy:
    """A running proxy: sockets go to the realtime processes, all else to the others."""

    name: str
    url: str

    def leads_somewhere(self) -> bool:
        """Whether it answers with what a process said."""
        try:
            answer = httpx.get(f"{self.url}/v1/market", timeout=PATIENCE_S)
            return answer.status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


def start_proxy(lifetime: Lifetime, realtime: Sequence[int], api: Sequence[int]) -> Proxy:
    """Start one before the processes on these ports; it asks each whether it is ready."""
    port = free_port()
    if HAPROXY is None:
        name, command = "Caddy", _caddy(lifetime, port, realtime, api)
    else:
        name, command = "HAProxy", _haproxy(lifetime, port, realtime, api)
    pid = lifetime.start("proxy", command)
    proxy = Proxy(name, f"http://127.0.0.1:{port}")
    lifetime.wait_until("proxy", proxy.leads_somewhere, pid=pid)
    return proxy


def _haproxy(
    lifetime: Lifetime, port: int, realtime: Sequence[int], api: Sequence[int]
) -> list[str | Path]:
    assert HAPROXY is not None
    groups = {
        role: "\n".join(f"    server {role}-{place} 127.0.0.1:{place}" for place in places)
        for role, places in (("realtime", realtime), ("api", api))
    }
    file = lifetime.directory / "haproxy.cfg"
    file.write_text(HAPROXY_CONFIGURATION.format(port=port, **groups))
    return [HAPROXY, "-db", "-f", file]


def _caddy(
    lifetime: Lifetime, port: int, realtime: Sequence[int], api: Sequence[int]
) -> list[str | Path]:
    balanced = BALANCED.search(DEPLOYED.read_text())
    assert balanced is not None
    groups = {
        role: " ".join(f"127.0.0.1:{place}" for place in places)
        for role, places in (("realtime", realtime), ("api", api))
    }
    file = lifetime.directory / "Caddyfile"
    file.write_text(CADDYFILE.format(port=port, balanced=balanced[0], **groups))
    return [CADDY, "run", "--config", file, "--adapter", "caddyfile"]
