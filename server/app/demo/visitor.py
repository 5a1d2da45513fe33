"""Somebody of the demo market who asks the server for things, as any client does."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from server.app.demo.content import Person


class SeedingFailed(Exception):
    """The server refused what the demo asked for; the message says what."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in person."""

    person: Person
    id: UUID
    session_id: UUID
    token: str
    client: httpx.AsyncClient

    async def get(self, path: str) -> Any:
        """The body of a read."""
        return await self._ask("GET", path)

    async def post(self, path: str, **body: Any) -> Any:
        """The body of what a POST made or moved."""
        return await self._ask("POST", path, json=body)

    async def put(self, path: str, **body: Any) -> Any:
        """The body of what a PUT set, None without one."""
        return await self._ask("PUT", path, json=body or None)

    async def patch(self, path: str, *, version: int | None = None, **body: Any) -> Any:
        """The body of what a PATCH changed; `version` is the one it must have."""
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        return await self._ask("PATCH", path, json=body, headers=headers)

    async def delete(self, path: str) -> None:
        """Take something away."""
        await self._ask("DELETE", path)

    async def _ask(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        answer = await self.client.request(method, f"/v1{path}", headers=headers, **options)
        return body_of(answer)


async def sign_up(client: httpx.AsyncClient, person: Person, password: str) -> Visitor:
    """Open an account for somebody."""
    answer = await client.post(
        "/v1/accounts",
        json={
            "handle": person.handle,
            "password": password,
            "display_name": person.name,
            "place": person.place,
            "locale": person.language,
            "device": "demo",
        },
    )
    signed_in = body_of(answer)
    return Visitor(
        person,
        UUID(signed_in["account"]["id"]),
        UUID(signed_in["session"]["id"]),
        signed_in["token"],
        client,
    )


def body_of(answer: httpx.Response) -> Any:
    """The JSON of an answer, None without a body; raises :class:`SeedingFailed` for a refusal."""
    if answer.is_error:
        request = answer.request
        raise SeedingFailed(
            f"{request.method} {request.url.path}: {answer.status_code} {answer.text}"
        )
    return answer.json() if answer.content else None
