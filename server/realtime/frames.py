"""Frames: decoded once on their way in, encoded once on their way out."""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from server.platform.errors import Refusal
from shared_models.base import Wire
from shared_models.realtime import ClientFrame, Ephemeral, Err, client_frame

_LONGEST_TAG = 64
_LONGEST_DETAIL = 300
_BODY_FIELDS = frozenset({"text", "photo_ids"})
# As `streams.encode_event` and `shared_models.chat.Message` put them: what people wrote comes after
# the client id, and its quotation marks are escaped.
_NEW_MESSAGE = re.compile(rb'"kind":"message\.new","data":\{[^{}]*?"cid":"([0-9a-f-]{36})"')


class BadFrame(Exception):
    """A frame that cannot be taken; the answer to it is ``err``."""

    def __init__(self, err: Err) -> None:
        super().__init__(err.detail)
        self.err = err


def encode(model: Wire) -> bytes:
    """The JSON of a frame, shared by all connections it goes to, or of an event's data."""
    return model.__pydantic_serializer__.to_json(model)


def new_messages_in(frame: bytes) -> Iterator[UUID]:
    """The client ids of the new messages in a frame; it is not decoded, for most have none."""
    return (UUID(match[1].decode()) for match in _NEW_MESSAGE.finditer(frame))


def ephemeral(kind: Any, room_id: UUID, account_id: UUID, *, on: bool, ttl_ms: int) -> bytes:
    """``typing`` or ``presence`` of an account in a room."""
    data = {"account_id": str(account_id), "on": on}
    return encode(Ephemeral(kind=kind, chatroom_id=room_id, data=data, ttl_ms=ttl_ms))


def refusal(error: Refusal, tag: str | None = None) -> Err:
    """The ``err`` for what a rule refused."""
    wait_s = error.retry_after_s
    return Err(
        id=tag,
        code=error.code,
        retryable=error.retryable,
        retry_ms=None if wait_s is None else max(1, round(wait_s * 1000)),
        detail=error.detail,
    )


def decode(text: str) -> ClientFrame:
    """A client's frame; :class:`BadFrame` (``bad_frame`` or, for a message, ``invalid``)."""
    try:
        return client_frame.validate_json(text)
    except ValidationError as error:
        raise BadFrame(_bad_frame(text, error)) from None


def _bad_frame(text: str, error: ValidationError) -> Err:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = [str(part) for part in first["loc"]]
    about_body = place[:1] == ["send"] and (len(place) == 1 or place[1] in _BODY_FIELDS)
    detail = ": ".join(filter(None, (".".join(place), str(first["msg"]))))
    return Err(
        id=_tag_of(text),
        code="invalid" if about_body else "bad_frame",
        retryable=False,
        detail=_encodable(detail)[:_LONGEST_DETAIL],
    )


def _tag_of(text: str) -> str | None:
    try:
        tag = json.loads(text)["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(tag, str) or len(tag) > _LONGEST_TAG:
        return None
    return tag if _encodable(tag) == tag else None


def _encodable(text: str) -> str:
    """Without the halves of surrogate pairs that JSON escapes can smuggle in."""
    return text.encode("utf-8", "ignore").decode()
