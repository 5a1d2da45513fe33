import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from client_tui.core.errors import TOO_SLOW, StorageFailed, UploadFailed
from client_tui.core.outbox import Outbox, OutboxMessage, OutboxState
from client_tui.core.paths import Paths
from client_tui.core.uploads import Uploader, check_file
from shared_models.chat import MessagePage
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


def put(text: str, *photos: Path, tried: bool = False, by_command: bool = False) -> None:
    async def write() -> None:
        outbox = await Outbox(Paths.find().outbox_file(ME)).open()
        kept = await outbox.put(ROOM, text, photos, by_command=by_command)
        if tried:
            await outbox.sending(kept.cid)
        await outbox.close()

    asyncio.run(write())


async def gone(cid: UUID) -> None:
    outbox = await Outbox(Paths.find().outbox_file(ME)).open()
    await outbox.done(cid)
    await outbox.close()


def picture(folder: Path) -> Path:
    path = folder / "chair.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0 chair")
    return path


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
    put("hello", tried=True, by_command=True)
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


@pytest.fixture
def slow_server(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """At a server that makes no photo of a picture in time."""

    async def too_slow(*_: object) -> None:
        raise UploadFailed(TOO_SLOW, "The server took too long.")

    monkeypatch.setattr(Uploader, "photos", too_slow)
    terminal.table.answers[SEND] = SENT
    return terminal


def test_a_server_that_is_too_slow_fails_no_earlier_message(
    slow_server: Terminal, tmp_path: Path
) -> None:
    put("look", picture(tmp_path))
    result = slow_server.run("send", ROOM, "hello", code=7)
    assert "like what waits before it. It is kept" in result.stderr
    assert [(kept.text, kept.state) for kept in waiting()] == [
        ("look", OutboxState.QUEUED),
        ("hello", OutboxState.QUEUED),
    ]


def test_what_a_server_is_too_slow_for_is_kept_with_its_pictures(
    slow_server: Terminal, tmp_path: Path
) -> None:
    result = slow_server.run("send", ROOM, "look", "--photo", picture(tmp_path), code=7)
    assert "Not sent yet. It is kept" in result.stderr
    [kept] = waiting()
    assert kept.photos[0].path.read_bytes() == picture(tmp_path).read_bytes()
    assert kept.photos[0].path != kept.photos[0].origin


@pytest.mark.parametrize("photos", [(), ("--photo",)], ids=["text", "photo"])
@pytest.mark.parametrize("sent", [True, False], ids=["sent", "discarded"])
def test_what_the_app_has_sent_or_discarded_meanwhile_is_not_sent_again(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: Any, sent: bool
) -> None:
    async def upload(_: object, __: object, paths: list[Path], *___: object) -> list[Any]:
        for path in paths:
            check_file(path)
        return [SimpleNamespace(id=uuid4())]

    monkeypatch.setattr(Uploader, "photos", upload)
    put("earlier")
    pictures = [picture(tmp_path)] if photos else []

    def by_the_app() -> None:
        """While the command sends what waits before its message."""
        terminal.table.before_answer = lambda: None
        mine = waiting()[-1]
        asyncio.run(gone(mine.cid))
        there = MessagePage(
            items=[message(8, sender=ME, cid=mine.cid)] if sent else [],
            first_seq=8 if sent else None,
            last_seq=8 if sent else None,
            has_more_before=False,
            has_more_after=False,
            profiles={},
        )
        newest = f"GET /v1/chatrooms/{ROOM}/messages"
        terminal.table.answers[newest] = (200, there.model_dump(mode="json"))

    terminal.table.before_answer = by_the_app
    terminal.table.answers[SEND] = SENT
    result = terminal.run("send", ROOM, "look", *photos, *pictures, code=0 if sent else 1)
    assert result.stdout == ("sent as 8\n" if sent else "")
    assert ("discarded in the app" in result.stderr) == (not sent)
    assert [body["text"] for body in terminal.table.bodies if body] == ["earlier"]


def test_where_nobody_says_whether_the_app_has_sent_it_one_is_told_to_look(
    terminal: Terminal,
) -> None:
    def by_the_app() -> None:
        terminal.table.before_answer = lambda: None
        asyncio.run(gone(waiting()[-1].cid))

    put("earlier")
    terminal.table.before_answer = by_the_app
    terminal.table.answers[SEND] = SENT
    terminal.table.answers[f"GET /v1/chatrooms/{ROOM}/messages"] = problem(503, retryable=True)
    result = terminal.run("send", ROOM, "look", code=1)
    assert "look before you send it again" in result.stderr


def test_an_error_of_all_of_the_input_names_no_field(terminal: Terminal) -> None:
    problem_of_all = {"field": "", "code": "value_error", "message": "That goes not together."}
    status, body = problem(422, "invalid")
    terminal.table.answers[SEND] = (status, body | {"errors": [problem_of_all]})
    result = terminal.run("send", ROOM, "hello", code=5)
    assert result.stderr == "picky: No.\n  That goes not together.\n"


def test_a_dead_token_fails_no_earlier_message(terminal: Terminal) -> None:
    put("earlier")
    terminal.table.answers[SEND] = problem(401)
    result = terminal.run("send", ROOM, "hello", code=3)
    assert "like what waits before it. It is kept" in result.stderr
    assert OutboxState.FAILED not in [kept.state for kept in waiting()]


def test_the_same_picture_again_is_the_same_message(terminal: Terminal, tmp_path: Path) -> None:
    for _ in range(2):
        terminal.table.answers["POST /v1/uploads"] = problem(503, retryable=True)
        terminal.run("send", ROOM, "look", "--photo", picture(tmp_path), code=1)
    assert len(waiting()) == 1


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ([], ""),
        (["one"], "1 message was not sent. It stays on this machine, for when @me signs in here"),
        (["one", "two"], "2 messages were not sent. They stay on this machine, for when @me signs"),
    ],
)
def test_signing_out_says_what_becomes_of_what_was_not_sent(
    terminal: Terminal, texts: list[str], told: str
) -> None:
    terminal.table.answers["DELETE /v1/sessions/current"] = (204, None)
    for text in texts:
        put(text)
    result = terminal.run("logout")
    assert told in result.stderr
    assert ("not sent" in result.stderr) is bool(texts)
    assert [kept.text for kept in waiting()] == texts


def test_signing_out_needs_no_outbox_that_can_be_read(terminal: Terminal) -> None:
    terminal.table.answers["DELETE /v1/sessions/current"] = (204, None)
    file = Paths.find().outbox_file(ME)
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no database" * 100)
    result = terminal.run("logout")
    assert "me is signed out." in result.stderr
    assert "not known" in result.stderr
