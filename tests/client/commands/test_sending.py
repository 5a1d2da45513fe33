import asyncio
from pathlib import Path
from typing import Any

import pytest

from client_tui.core.errors import StorageFailed
from client_tui.core.outbox import Outbox, OutboxMessage, OutboxState
from client_tui.core.paths import Paths
from tests.client.commands.conftest import Terminal
from tests.client.core.fakes import ME, ROOM, message

SEND = f"POST /v1/chatrooms/{ROOM}/messages"
SENT: tuple[int, Any] = (201, message(7, sender=ME).model_dump(mode="json"))


def problem(status: int, code: str = "no", *, retryable: bool = False) -> tuple[int, Any]:
    body = {"title": "No", "status": status, "code": code, "detail": "No.", "retryable": retryable}
    return status, body


def waiting() -> list[OutboxMessage]:
    async def read() -> list[OutboxMessage]:
        outbox = await Outbox(Paths.find().outbox_file(ME)).open()
        try:
            return await outbox.waiting()
        finally:
            await outbox.close()

    return asyncio.run(read())


def put(text: str, *photos: Path, tried: bool = False) -> None:
    async def write() -> None:
        outbox = await Outbox(Paths.find().outbox_file(ME)).open()
        kept = await outbox.put(ROOM, text, photos)
        if tried:
            await outbox.sending(kept.cid)
        await outbox.close()

    asyncio.run(write())


UNSURE = [
    problem(500),
    problem(502, retryable=True),
    problem(503, retryable=True),
    (201, {"an": "answer of another version"}),
]


@pytest.mark.parametrize("answer", UNSURE)
def test_what_may_be_on_the_server_is_kept_and_sent_again_under_the_same_cid(
    terminal: Terminal, answer: tuple[int, Any]
) -> None:
    terminal.table.answers[SEND] = answer
    result = terminal.run("send", ROOM, "hello", code=1)
    assert "not known whether it was sent. It is kept" in result.stderr
    assert [kept.state for kept in waiting()] == [OutboxState.SENDING]
    terminal.table.answers[SEND] = SENT
    assert terminal.run("send", ROOM, "hello").stdout == "sent as 7\n"
    assert len({body["cid"] for body in terminal.table.bodies}) == 1
    assert waiting() == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (problem(422, "message_blocked"), 5),
        (problem(409, "confirm_needed"), 5),
        (problem(403, "blocked"), 5),
        (problem(429, "rate_limited", retryable=True), 6),
        (problem(401), 3),
    ],
)
def test_what_was_refused_is_not_kept(
    terminal: Terminal, answer: tuple[int, Any], code: int
) -> None:
    terminal.table.answers[SEND] = answer
    result = terminal.run("send", ROOM, "hello", code=code)
    assert "kept" not in result.stderr
    assert waiting() == []


@pytest.mark.parametrize("answer", [problem(429, "rate_limited", retryable=True), problem(401)])
def test_a_refusal_that_looks_at_no_message_says_nothing_of_an_earlier_try(
    terminal: Terminal, answer: tuple[int, Any]
) -> None:
    put("hello", tried=True)
    terminal.table.answers[SEND] = answer
    result = terminal.run("send", ROOM, "hello", code=6 if answer[0] == 429 else 3)
    assert "It is kept" in result.stderr
    assert len(waiting()) == 1


def test_a_disk_that_cannot_note_it_makes_a_sent_message_no_failure(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise StorageFailed("The disk is full.")

    terminal.table.answers[SEND] = SENT
    with monkeypatch.context() as full:
        full.setattr(Outbox, "done", fail)
        result = terminal.run("send", ROOM, "hello")
    assert result.stdout == "sent as 7\n"
    assert "not noted as sent" in result.stderr
    assert len(waiting()) == 1


def test_an_earlier_message_without_its_picture_holds_up_nothing(
    terminal: Terminal, tmp_path: Path
) -> None:
    put("look", tmp_path / "gone.jpg")
    terminal.table.answers[SEND] = SENT
    result = terminal.run("send", ROOM, "hello")
    assert result.stdout == "sent as 7\n"
    assert "An earlier message was refused" in result.stderr
    assert [(kept.state, kept.code) for kept in waiting()] == [(OutboxState.FAILED, "photo_failed")]


def test_a_dead_token_fails_no_earlier_message(terminal: Terminal) -> None:
    put("earlier")
    terminal.table.answers[SEND] = problem(401)
    result = terminal.run("send", ROOM, "hello", code=3)
    assert "like what waits before it. It is kept" in result.stderr
    assert OutboxState.FAILED not in [kept.state for kept in waiting()]


def test_the_same_picture_again_is_the_same_message(terminal: Terminal, tmp_path: Path) -> None:
    picture = tmp_path / "chair.jpg"
    picture.write_bytes(b"\xff\xd8\xff\xe0 chair")
    for _ in range(2):
        terminal.table.answers["POST /v1/uploads"] = problem(503, retryable=True)
        terminal.run("send", ROOM, "look", "--photo", picture, code=1)
    assert len(waiting()) == 1
