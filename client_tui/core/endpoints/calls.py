"""What every endpoint needs: models out, models in, a fresh key for each intent."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from typing import Any, TypeVar
from uuid import UUID, uuid4

from pydantic import BaseModel, TypeAdapter, ValidationError

from client_tui.core.errors import UnreadableAnswer
from client_tui.core.http import Answer, Http, Params
from shared_models.base import Page, Wire

Model = TypeVar("Model", bound=BaseModel)
Item = TypeVar("Item")


class Calls:
    """The base of every group of endpoints."""

    def __init__(self, http: Http) -> None:
        self.http = http

    async def _get(self, model: type[Model], path: str, **params: Any) -> Model:
        answer = await self.http.call("GET", path, params=params)
        return self._read(model, answer)

    async def _post(
        self, model: type[Model], path: str, body: Wire | None = None, *, key: UUID | None = None
    ) -> Model:
        """A POST that creates or moves; the same ``key`` again gets the first answer."""
        answer = await self.http.call("POST", path, body=_encode(body), key=key or uuid4())
        return self._read(model, answer)

    async def _act(
        self, method: str, path: str, body: Wire | None = None, *, params: Params | None = None
    ) -> None:
        """A call that may be repeated and whose answer holds nothing of interest."""
        await self.http.call(method, path, body=_encode(body), params=params)

    async def _page(
        self, item: type[Model], path: str, cursor: str | None, limit: int, **params: Any
    ) -> Page[Model]:
        answer = await self.http.call(
            "GET", path, params={**params, "cursor": cursor, "limit": limit}
        )
        try:
            return _page_of(item).validate_json(answer.body)
        except ValidationError as error:
            raise UnreadableAnswer(self.http.server) from error

    def _read(self, model: type[Model], answer: Answer) -> Model:
        try:
            return model.model_validate_json(answer.body)
        except ValidationError as error:
            raise UnreadableAnswer(self.http.server) from error


@cache
def _page_of(item: type[Model]) -> TypeAdapter[Page[Model]]:
    return TypeAdapter(Page[item])  # type: ignore[valid-type]


def _encode(body: Wire | None) -> bytes | None:
    """What was set is sent; what was left out is the server's to decide."""
    return None if body is None else body.model_dump_json(exclude_unset=True).encode()


async def every(
    fetch: Callable[[str | None], Awaitable[Page[Item]]], *, limit: int | None = None
) -> AsyncIterator[Item]:
    """All items of a list, fetched page after page as they are asked for, at most ``limit``.

    ``fetch`` takes the cursor: ``every(lambda cursor: api.trades(cursor=cursor))``.
    """
    cursor: str | None = None
    count = 0
    while True:
        page = await fetch(cursor)
        for item in page.items:
            if limit is not None and count >= limit:
                return
            count += 1
            yield item
        cursor = page.next_cursor
        if cursor is None or not page.items:
            return
