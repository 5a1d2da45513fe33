"""However a text is made, it costs the server no more than a plain one of its length."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from server.app.asgi import MAX_BODY_BYTES
from tests.server.conftest import Person, SignUpPerson

NOBODY = "019a0000-0000-7000-8000-000000000000"
HOSTILE, PLAIN = "\u0301\u0316", "가나"
SIZES = (MAX_BODY_BYTES // 16, MAX_BODY_BYTES - 1024)

Way = list[str | int]


def texts_in(shape: Any, schemas: Any) -> Iterator[Way]:
    """The way to every text field of a shape, also of shapes within it."""
    if "$ref" in shape:
        yield from texts_in(schemas[shape["$ref"].rsplit("/", 1)[1]], schemas)
    elif shape.get("type") == "string":
        if not shape.keys() & {"enum", "const", "format"}:
            yield []
    elif shape.get("type") == "array":
        yield from ([0, *way] for way in texts_in(shape["items"], schemas))
    for name, field in shape.get("properties", {}).items():
        yield from ([name, *way] for way in texts_in(field, schemas))
    for one in shape.get("anyOf", ()):
        yield from texts_in(one, schemas)


def body_with(way: Way, text: str, size: int) -> bytes:
    """A body of about so many bytes with nothing in it but the text, again and again."""
    body: Any = "a" + text * (size // len(text.encode()))
    for step in reversed(way):
        body = {step: body} if isinstance(step, str) else [body]
    return json.dumps(body, ensure_ascii=False).encode()


async def cpu_s(person: Person, method: str, path: str, body: bytes) -> float:
    """What the server takes to refuse it."""
    headers = {"Content-Type": "application/json", "If-Match": '"1"'}
    began = time.process_time()
    answer = await person.request(method, path, headers=headers, content=body)
    took = time.process_time() - began
    assert 400 <= answer.status_code < 500, answer.text
    return took


async def test_no_text_of_a_body_costs_more_than_a_plain_one(
    app: FastAPI, sign_up: SignUpPerson
) -> None:
    person, contract, checked = await sign_up("minji"), app.openapi(), 0
    for path, item in contract["paths"].items():
        url = re.sub(r"\{\w+\}", NOBODY, path.replace("{seq}", "1"))
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {})
            shape = content.get("application/json", {}).get("schema", {})
            for way in texts_in(shape, contract["components"]["schemas"]):
                checked += 1
                for size in SIZES:
                    hostile, plain = [
                        await cpu_s(person, method.upper(), url, body_with(way, text, size))
                        for text in (HOSTILE, PLAIN)
                    ]
                    assert hostile < 10 * plain + 0.2, (method, path, way, size)
    assert checked > 30
