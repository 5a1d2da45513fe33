import json
from typing import Any
from uuid import UUID

import pytest

from client_tui.format import cells
from tests.client.commands.conftest import Terminal
from tests.client.core.fakes import CARD, OTHER, ROOM, account, card, message, room

LISTINGS = "GET /v1/listings"
MESSAGES = f"GET /v1/chatrooms/{ROOM}/messages"


def page(*items: Any) -> tuple[int, Any]:
    return 200, {"items": [item.model_dump(mode="json") for item in items], "next_cursor": None}


def history(*items: Any) -> tuple[int, Any]:
    found = {
        "items": [item.model_dump(mode="json") for item in items],
        "first_seq": items[0].seq if items else None,
        "last_seq": items[-1].seq if items else None,
        "has_more_before": False,
        "has_more_after": False,
        "profiles": {str(OTHER): CARD.model_dump(mode="json")},
    }
    return 200, found


def test_json_is_one_object_a_line_and_exactly_what_the_server_said(terminal: Terminal) -> None:
    chair = card(title="의자").model_dump(mode="json") | {"new_field": 1}
    terminal.table.answers[LISTINGS] = (200, {"items": [chair, chair], "next_cursor": None})
    result = terminal.run("search", "의자", "--json")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [chair, chair]
    assert "의자" in result.stdout
    assert result.stderr == ""


def test_options_become_the_query(terminal: Terminal) -> None:
    terminal.table.answers[LISTINGS] = page()
    options = ("--condition", "new", "--condition", "good", "--min-price", 5, "--sort", "price_asc")
    terminal.run("search", "chair -desk", *options, "--limit", 7)
    [asked] = terminal.table.asked
    assert asked == (
        "GET /v1/listings?q=chair+-desk&min_price=5&condition=new&condition=good"
        "&sort=price_asc&limit=7"
    )


def test_lines_align_whatever_the_script(terminal: Terminal) -> None:
    titles = ("Oak chair", "허먼밀러 에어론 의자 " * 4, "캠핑 의자 👨‍👩‍👧", "x" * 60)
    terminal.table.answers[LISTINGS] = page(*(card(title=title) for title in titles))
    lines = terminal.run("search").stdout.splitlines()
    heads = [line for line in lines if not line.startswith("  ")]
    assert len(heads) == len(titles)
    assert {cells(line) for line in heads} == {80}
    assert {line[-4:].strip()[-1] for line in heads} <= set("whdmyon")


def test_nothing_found_is_said_to_people_and_not_to_programs(terminal: Terminal) -> None:
    terminal.table.answers[LISTINGS] = page()
    assert terminal.run("search").stderr == "Nothing found.\n"
    silent = terminal.run("search", "--json")
    assert (silent.stdout, silent.stderr) == ("", "")


def test_nobodys_text_can_command_the_terminal(terminal: Terminal) -> None:
    evil = "\x1b]0;owned\x07\x1b[2Jhello\r\x08\u202e!\x9b31m"
    terminal.table.answers |= {
        MESSAGES: history(message(1, text=evil), message(2, text="two\nlines")),
        "GET /v1/chatrooms": page(
            room(listing=card(title=evil), last_message=message(1, text=evil))
        ),
        LISTINGS: page(card(title=evil, place=evil)),
        "GET /v1/me": (200, account().model_dump(mode="json") | {"display_name": evil}),
    }
    for command in (("history", ROOM), ("chats",), ("search",), ("whoami",)):
        output = terminal.run(*command).output
        assert "hello" in output
        assert not set(output) & set("\x1b\x07\r\x08\u202e\x9b")


def test_history_reads_from_old_to_new_with_days_names_and_lines(terminal: Terminal) -> None:
    photo = {
        "id": str(UUID(int=8)),
        "width": 320,
        "height": 240,
        "placeholder": "",
        "thumb_url": "/t",
        "full_url": "/f",
    }
    note = {"event": "trade_reserved", "actor_id": None}
    terminal.table.answers[MESSAGES] = history(
        message(1, sender=None, kind="system", text="Reserved.", system=note),
        message(2, text="one\ntwo"),
        message(3, kind="photo", text="", photos=[photo]),
        message(4, deleted=True, text=""),
    )
    lines = terminal.run("history", ROOM).stdout.splitlines()
    assert lines[0].startswith("— ")
    said = ["Reserved.", "one", "two", "[photo 320×240]", "(deleted)"]
    assert [line.endswith(text) for line, text in zip(lines[1:], said, strict=True)] == [True] * 5
    assert {cells(line) - cells(text) for line, text in zip(lines[1:], said, strict=True)} == {29}
    assert "민지" in lines[2]


def test_history_goes_page_after_page_as_far_as_asked(terminal: Terminal) -> None:
    status, found = history(*(message(seq) for seq in range(101, 201)))
    terminal.table.answers[MESSAGES] = (status, found | {"has_more_before": True})
    result = terminal.run("history", ROOM, "--limit", 150, "--json")
    assert "before=101&limit=50" in terminal.table.asked[1]
    assert len(result.stdout.splitlines()) == 200


def test_an_error_is_one_line_on_stderr_with_its_fields(terminal: Terminal) -> None:
    problem = {
        "title": "Invalid",
        "status": 422,
        "code": "invalid",
        "detail": "Some of the input is not valid.",
        "errors": [{"field": "sort", "code": "enum", "message": "There is no such order."}],
    }
    terminal.table.answers[LISTINGS] = (422, problem)
    result = terminal.run("search", code=5)
    assert result.stdout == ""
    assert result.stderr == (
        "picky: Some of the input is not valid.\n  sort: There is no such order.\n"
    )


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, 3), (403, 5), (404, 4), (409, 5), (412, 5), (422, 5), (429, 6), (500, 1)],
)
def test_each_refusal_has_its_exit_code(terminal: Terminal, status: int, code: int) -> None:
    problem = {"title": "No", "status": status, "code": "no", "detail": "No.", "retry_after_s": 9}
    terminal.table.answers["GET /v1/me"] = (status, problem)
    result = terminal.run("whoami", code=code)
    assert result.stderr.startswith("picky: No.\n")
    assert ("Try again in 9 s." in result.stderr) == (status == 429)


def test_an_answer_from_another_world_is_unexpected(terminal: Terminal) -> None:
    terminal.table.answers["GET /v1/me"] = (200, {"hello": 1})
    assert "does not know" in terminal.run("whoami", code=1).stderr
