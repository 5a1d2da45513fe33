"""HTTP in, HTTP out: who acts, idempotent writes, and every refusal as a problem."""

import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from server.platform.context import Actor, Context
from server.platform.errors import (
    BadRequest,
    PreconditionRequired,
    Refusal,
    Unauthenticated,
    Unavailable,
)
from server.platform.failures import DATABASE_FAILURES, is_unavailable
from server.platform.idempotency import Answer, fingerprint, recall, remember
from server.platform.rates import Rate, household
from server.platform.unit_of_work import UnitOfWork, reading, transact
from shared_models.bounds import PAGE_MAX
from shared_models.problem import FieldProblem, Problem

log = structlog.get_logger("http")

NO_STORE = "private, no-store"
_TOKEN = re.compile(r"Bearer ([A-Za-z0-9_-]{20,128})", re.ASCII)

Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description=f"How many items, 1 to {PAGE_MAX}.")]
CursorText = Annotated[
    str | None, Query(max_length=600, description="`next_cursor` of the page before.")
]
IdempotencyKey = Annotated[
    UUID | None,
    Header(description="A UUID made once per intent; a repeat gets the stored answer (48 h)."),
]


@dataclass(frozen=True, slots=True)
class Authenticator:
    """The port through which ``accounts`` says whose token it is."""

    resolve: Callable[[UnitOfWork, str], Awaitable[Actor]]
    """Raises :class:`Unauthenticated` for a dead token."""
    note_write: Callable[[UnitOfWork], Awaitable[None]]
    """Has the actor's session remember that it wrote (:attr:`Actor.wrote_at`)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An action's result with a status of its own (201 or 200 for the same call)."""

    body: BaseModel | None
    status: int


def context_of(request: Request) -> Context:
    """The server's context."""
    context: Context = request.app.state.context
    return context


def bearer_token(authorization: str | None) -> str:
    """The token of an ``Authorization`` header."""
    match = _TOKEN.fullmatch(authorization or "")
    if match is None:
        raise Unauthenticated
    return match[1]


def address_of(request: Request) -> str:
    """The caller's address, for rates: what a trusted proxy says, or who is connected; of IPv6 the
    network of 64 bits that it is in.
    """
    return household(request.client.host) if request.client else "local"


async def resolve_actor(context: Context, token: str) -> Actor:
    """Whose token it is."""
    async with reading(context) as work:
        return await context.wiring.port(Authenticator).resolve(work, token)


async def signed_in(request: Request) -> AsyncIterator[UnitOfWork]:
    """A reading unit of work for whoever the token says."""
    context = context_of(request)
    token = bearer_token(request.headers.get("authorization"))
    async with reading(context) as visitor:
        actor = await context.wiring.port(Authenticator).resolve(visitor, token)
        yield UnitOfWork(context, visitor.connection, actor)


Reading = Annotated[UnitOfWork, Depends(signed_in, scope="function")]


@asynccontextmanager
async def reading_after(
    request: Request,
    settle: Callable[[Context, Actor], Awaitable[None]],
    read: Callable[[Context, Actor], AbstractAsyncContextManager[UnitOfWork]] = reading,
) -> AsyncIterator[UnitOfWork]:
    """What :data:`Reading` gives, once ``settle`` has written what the read is to see."""
    context = context_of(request)
    actor = await resolve_actor(context, bearer_token(request.headers.get("authorization")))
    await settle(context, actor)
    async with read(context, actor) as work:
        yield work


class Writer:
    """Runs one action of a signed-in account and answers after its commit."""

    def __init__(self, request: Request, context: Context, actor: Actor, key: UUID | None) -> None:
        self._request = request
        self._key = key
        self.context = context
        self.actor = actor

    def limit(self, rate: Rate) -> None:
        """Take one token of the account's bucket; 429 when there is none."""
        self.context.rates.take(rate, str(self.actor.account_id))

    async def __call__(
        self,
        action: Callable[[UnitOfWork], Awaitable[BaseModel | Reply | None]],
        *,
        status: int = 200,
        secret: bool = False,
    ) -> Response:
        """Run ``action`` in one transaction; None as result is 204.

        An answer that is ``secret`` is never stored, whatever key the request carried.
        """
        key = None if secret else self._key
        print_ = ""
        if key is not None:
            request = self._request
            asked = request.url.path + "?" + request.url.query
            print_ = fingerprint(request.method, asked, await request.body())

        async def run(work: UnitOfWork) -> tuple[Answer, bool]:
            if key is not None:
                stored = await recall(work, key, print_)
                if stored is not None:
                    return stored, True
            answer = to_answer(await action(work), status)
            if self.context.database.replica is not None:
                await self.context.wiring.port(Authenticator).note_write(work)
            if key is not None:
                await remember(work, key, print_, answer)
            return answer, False

        answer, replayed = await transact(self.context, self.actor, run)
        return respond(answer, replayed=replayed)


def created(
    make: Callable[[UnitOfWork], Awaitable[tuple[BaseModel, bool]]],
) -> Callable[[UnitOfWork], Awaitable[Reply]]:
    """The action whose result says whether it is new: 201, or 200 for a repeat that is answered
    with what there is.
    """

    async def run(work: UnitOfWork) -> Reply:
        body, is_new = await make(work)
        return Reply(body, 201 if is_new else 200)

    return run


async def writer(request: Request, idempotency_key: IdempotencyKey = None) -> Writer:
    """A writer for whoever the token says."""
    context = context_of(request)
    token = bearer_token(request.headers.get("authorization"))
    return Writer(request, context, await resolve_actor(context, token), idempotency_key)


Writing = Annotated[Writer, Depends(writer)]


def expected_version(
    _signed_in: Writing,
    if_match: Annotated[str | None, Header(description='The version, quoted: `"3"`.')] = None,
) -> int:
    """The version that ``If-Match`` names."""
    if if_match is None:
        raise PreconditionRequired("precondition_required", 'Send If-Match: "<version>".')
    match = re.fullmatch(r'"?([0-9]{1,9})"?', if_match.strip(), re.ASCII)
    if match is None:
        raise BadRequest("if_match_invalid", 'If-Match must be a quoted version, as "3".')
    return int(match[1])


IfMatch = Annotated[int, Depends(expected_version)]


def to_answer(result: BaseModel | Reply | None, status: int) -> Answer:
    """Encode a result once; the same bytes are stored and sent."""
    body = result.body if isinstance(result, Reply) else result
    if isinstance(result, Reply):
        status = result.status
    if body is None:
        return Answer(204, b"")
    return Answer(status, body.__pydantic_serializer__.to_json(body))


def respond(answer: Answer, *, replayed: bool = False) -> Response:
    """The response for an encoded answer."""
    headers = {"Cache-Control": NO_STORE}
    if replayed:
        headers["Idempotent-Replay"] = "true"
    if answer.status == 204:
        return Response(status_code=204, headers=headers)
    return Response(answer.body, answer.status, headers, media_type="application/json")


def model_response(model: BaseModel, status: int = 200) -> Response:
    """A read's answer, encoded without a second validation."""
    return respond(to_answer(model, status))


def wire_response(wire: dict[str, Any]) -> Response:
    """A read's answer that is ready to be encoded."""
    return respond(Answer(200, to_json(wire)))


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """A problem as ``application/problem+json``."""
    return Response(
        problem.model_dump_json(exclude_none=True),
        problem.status,
        {"Cache-Control": NO_STORE, **(headers or {})},
        media_type="application/problem+json",
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Every refusal, bad input and unknown path is answered as a problem."""
    app.add_exception_handler(Refusal, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_exception)
    for failure in DATABASE_FAILURES:
        app.add_exception_handler(failure, _on_database_failure)
    app.add_exception_handler(Exception, _on_bug)


def problem_of(error: Refusal) -> Problem:
    """How a refusal is told."""
    current = error.current
    if isinstance(current, BaseModel):
        current = current.model_dump(mode="json")
    return Problem(
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        retryable=error.retryable,
        errors=error.errors,
        current=current,
        retry_after_s=error.retry_after_s,
    )


async def _on_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return problem_response(problem_of(error), headers)


async def _on_database_failure(request: Request, error: Exception) -> Response:
    if not is_unavailable(error):
        raise error
    log.warning("database_unavailable", path=request.url.path, error=type(error).__name__)
    refusal = Unavailable(
        "unavailable", "The server is overrun. Try again.", retry_after_s=1, retryable=True
    )
    return await _on_refusal(request, refusal)


async def _on_bug(_request: Request, _error: Exception) -> Response:
    return problem_response(
        Problem(
            title="Internal error",
            status=500,
            detail="Something went wrong here. It has been noted.",
            code="internal",
        )
    )


async def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(
        Problem(
            title="Invalid input",
            status=422,
            detail="Some of the input is not valid.",
            code="invalid",
            errors=[_field_problem(item) for item in error.errors()],
        )
    )


def _field_problem(item: dict[str, Any]) -> FieldProblem:
    source, *place = [str(part) for part in item["loc"]]
    if item["type"] == "json_invalid":  # its place is a byte's, and of no field
        place = []
    elif source != "body":  # what follows a parameter's name tells only how it was tried
        place = place[:1]
    field = ".".join(place) or source
    message = str(item["msg"]).encode("utf-8", "replace").decode()
    return FieldProblem(
        field=field.encode("utf-8", "replace").decode(),
        code=item["type"],
        message=message,
    )


_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}


async def _on_http_exception(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem_response(
        Problem(
            title=str(error.detail),
            status=error.status_code,
            detail=str(error.detail),
            code=_CODES.get(error.status_code, "refused"),
        ),
        dict(error.headers or {}),
    )
