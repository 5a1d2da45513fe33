"""`deploy/Caddyfile` in a real Caddy, before real processes of each role and a real store."""

import asyncio
import hashlib
import json
import re
import socket
import ssl
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil
import pytest
from botocore.exceptions import ClientError
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from deploy.ecs.services import PUBLIC_PATHS
from server.app.asgi import MAX_BODY_BYTES
from server.app.settings import Settings
from server.media.keys import original_key
from shared_models.bounds import PHOTO_BYTES_MAX
from shared_models.realtime import SUBPROTOCOL, CloseCode
from tests.deploy.composed import DEPLOY, roles, services
from tests.server.media import pictures
from tests.servers.lifetime import Lifetime, free_port
from tests.servers.picky import ALONE, PickyServer, start_picky
from tests.servers.s3 import s3_client, start_s3

PICTURE = pictures.jpeg()
PATIENCE_S = 30
ARCHIVE = b"picky" * (PHOTO_BYTES_MAX // 4)
INSIDE = (
    "/metrics",
    "/healthz",
    "/startedz",
    "/readyz",
    "/%6detrics",
    "//metrics",
    "/v1/../metrics",
    "/metrics/",
)
CADDYFILE = (DEPLOY / "Caddyfile").read_text()


@dataclass(frozen=True)
class Market:
    """A market behind its proxy."""

    url: str
    root: Path
    trust: ssl.SSLContext
    api: PickyServer
    realtime: PickyServer


@pytest.fixture
def market(
    private_lifetime: Lifetime,
    postgres_url: str,
    valkey_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Market:
    """Caddy as it is deployed, but for the places of the others and who signs its certificate."""
    store = start_s3(private_lifetime)
    bucket = store.create_bucket("picky")
    root = private_lifetime.directory / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    for name, value in (bucket.environment | {"AWS_CA_BUNDLE": str(root)}).items():
        monkeypatch.setenv(name, value)
    own = free_port()
    url = f"https://localhost:{own}"
    settings: dict[str, Any] = {
        "database_url": postgres_url,
        "bus_url": valkey_url,
        "object_store_url": f"s3://picky?endpoint={url}&region=us-east-1",
        "secret_key": "k" * 32,
    }
    api, realtime = (
        start_picky(private_lifetime, role, role=role, under=ALONE, **settings)
        for role in ("api", "realtime")
    )
    places = {
        f"{server.log.stem}-{n}:8470": server.port for server in (api, realtime) for n in "12"
    }
    start_caddy(private_lifetime, own, places | {"store:8080": store.port}, root)
    return Market(url, root, ssl.create_default_context(cafile=root), api, realtime)


def start_caddy(lifetime: Lifetime, port: int, places: dict[str, int], root: Path) -> None:
    """Start it on that port; ``root`` is the certificate of who signs its own."""
    text = CADDYFILE
    for name, place in places.items():
        assert name in text
        text = text.replace(name, f"127.0.0.1:{place}")
    ports = f"\thttp_port {free_port()}\n\thttps_port {port}\n\tskip_install_trust\n"
    file = lifetime.directory / "Caddyfile"
    file.write_text(text.replace("\tadmin off\n", f"\tadmin off\n{ports}"))
    pid = lifetime.start(
        "caddy",
        [
            Path(sys.executable).with_name("caddy"),
            *("run", "--config", file, "--adapter", "caddyfile"),
        ],
        env={"PICKY_SITE": "localhost", "XDG_DATA_HOME": str(lifetime.directory)},
    )
    lifetime.wait_until("caddy", lambda: has_certificate(port, root), pid=pid)


def has_certificate(port: int, root: Path) -> bool:
    try:
        trust = ssl.create_default_context(cafile=root)
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as line:
            trust.wrap_socket(line, server_hostname="localhost").close()
    except OSError:
        return False
    return True


def sockets(server: PickyServer) -> float:
    text = httpx.get(f"{server.url}/metrics", timeout=PATIENCE_S).text
    [family] = [one for one in text_string_to_metric_families(text) if one.name == "picky_sockets"]
    return family.samples[0].value


def sign_up(client: httpx.Client) -> str:
    body = {"handle": "seller", "password": "correct horse battery", "display_name": "seller"}
    answer = client.post("/v1/accounts", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def upload(client: httpx.Client, market: Market) -> None:
    """Ask for an upload and make it, as a client does."""
    declared = {
        "name": "photo.jpg",
        "content_type": "image/jpeg",
        "size": len(PICTURE),
        "sha256": hashlib.sha256(PICTURE).hexdigest(),
    }
    asked = client.post("/v1/uploads", json={"purpose": "listing", "files": [declared]})
    [begun] = asked.json()["uploads"]
    assert begun["put"]["url"].startswith(f"{market.url}/picky/originals/")
    stored = httpx.put(
        begun["put"]["url"],
        headers=begun["put"]["headers"],
        content=PICTURE,
        verify=market.trust,
        timeout=PATIENCE_S,
    )
    assert stored.status_code == 200, stored.text
    done = client.post(f"/v1/uploads/{begun['id']}/complete")
    assert done.json()["state"] == "processing", done.text


async def until(line: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            frame: dict[str, Any] = json.loads(await line.recv())
            if frame["t"] == kind:
                return frame


async def see_a_drain(market: Market, signed_in: dict[str, str]) -> None:
    # Not the threaded client: Python 3.11 lets one thread read from TLS while another writes, and
    # now and then loses what either wanted.
    async with connect(
        f"{market.url.replace('http', 'ws', 1)}/v1/realtime",
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        additional_headers=signed_in,
        ssl=market.trust,
        proxy=None,
    ) as line:
        await line.send(json.dumps({"t": "hello", "device": "test", "client": "tests"}))
        await until(line, "welcome")
        assert (sockets(market.realtime), sockets(market.api)) == (1, 0)
        psutil.Process(market.realtime.pid).terminate()
        bye = await until(line, "bye")
        assert 0 <= bye["reconnect_in_ms"] <= 20_000
        with pytest.raises(ConnectionClosed) as closed:
            await until(line, "nothing more")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == CloseCode.DRAINING


def test_each_path_leads_to_its_role_and_a_drain_reaches_the_clients(
    market: Market, private_lifetime: Lifetime
) -> None:
    with httpx.Client(base_url=market.url, verify=market.trust, timeout=PATIENCE_S) as client:
        assert client.get("/v1/market").json()["name"] == "Picky"
        for path in INSIDE:
            hidden = client.get(path)
            assert (hidden.status_code, hidden.text) == (404, ""), path
        for path in ("/openapi.json", "/docs"):
            assert client.get(path).status_code == 200
        for path in client.get("/openapi.json").json()["paths"]:
            assert any(fnmatch(path, public) for public in PUBLIC_PATHS), path
        signed_in = {"Authorization": f"Bearer {sign_up(client)}"}
        client.headers.update(signed_in)
        upload(client, market)
    asyncio.run(see_a_drain(market, signed_in))
    gone = httpx.get(
        f"{market.url}/v1/realtime?ticket=SECRET", verify=market.trust, timeout=PATIENCE_S
    )
    assert gone.status_code in (502, 503)
    log = private_lifetime.log("caddy").read_text()
    assert '"uri":"/v1/realtime"' in log
    assert "SECRET" not in log


def test_the_proxy_takes_what_the_server_would_take() -> None:
    [told] = re.findall(r"@api path (.+)", CADDYFILE)
    assert told.split() == list(PUBLIC_PATHS)
    named = {"1MiB": MAX_BODY_BYTES, "10MiB": PHOTO_BYTES_MAX}
    assert {text: int(text.removesuffix("MiB")) * 1024**2 for text in named} == named
    assert re.findall(r"max_size (\S+)", CADDYFILE) == ["10MiB", "1MiB"]
    assert f"@photos path /picky/{original_key(UUID(int=0)).partition('/')[0]}/*" in CADDYFILE


def test_an_archive_may_be_larger_than_a_photo(market: Market) -> None:
    """Processes put it there by the same way as clients put photos."""
    with s3_client(market.url, verify=market.root) as bucket:
        bucket.put_object(Bucket="picky", Key="exports/one/picky.zip", Body=ARCHIVE)
        size = bucket.head_object(Bucket="picky", Key="exports/one/picky.zip")["ContentLength"]
        assert size == len(ARCHIVE)
        with pytest.raises(ClientError, match="413"):
            bucket.put_object(Bucket="picky", Key="originals/one", Body=ARCHIVE)


def test_every_place_that_the_proxy_names_is_there() -> None:
    places = re.findall(r"([\w-]+):(\d{4})\b", CADDYFILE)
    assert sorted({name for name, _ in places} | {"proxy"}) == sorted(
        {"proxy", "store"} | {name for name, role in roles().items() if role in ("api", "realtime")}
    )
    listens = {"store": services()["store"]["command"][4].removeprefix(":")}
    for name, port in places:
        assert port == listens.get(name, str(Settings.model_fields["port"].default))
