"""Equal messages: two commands at once are two, the same command again is one."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.commands.conftest import Table, Terminal
from tests.client.commands.test_sending import SEND, SENT, put, waiting
from tests.client.core.fakes import ROOM

PICKY = Path(sys.executable).with_name("picky")


def start_sending(*arguments: object) -> "subprocess.Popen[str]":
    command = [str(part) for part in (PICKY, "send", ROOM, *arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def cids(table: Table) -> set[str]:
    return {body["cid"] for body in table.bodies}


def first_two_together() -> Callable[[], None]:
    """The first request is answered when there is a second one."""
    arrived, met = threading.Barrier(2), threading.Event()

    def wait() -> None:
        if not met.is_set():
            arrived.wait(60)
            met.set()

    return wait


def test_two_equal_commands_at_once_send_two_messages(terminal: Terminal) -> None:
    terminal.table.answers[SEND] = SENT
    terminal.table.before_answer = first_two_together()
    both = [start_sending("hello") for _ in range(2)]
    assert [command.communicate(timeout=60) for command in both] == [("sent as 7\n", "")] * 2
    assert len(cids(terminal.table)) == 2
    assert waiting() == []


def test_what_one_command_is_sending_no_other_sends(terminal: Terminal) -> None:
    terminal.table.answers[SEND] = SENT
    asked, answered = threading.Event(), threading.Event()

    def hold_the_first() -> None:
        if not asked.is_set():
            asked.set()
            answered.wait(60)

    terminal.table.before_answer = hold_the_first
    first = start_sending("first")
    assert asked.wait(60)
    terminal.run("send", ROOM, "second")
    answered.set()
    assert first.communicate(timeout=60) == ("sent as 7\n", "")
    assert [body["text"] for body in terminal.table.bodies] == ["first", "second"]


def kill_while_it_sends(table: Table, *arguments: object) -> None:
    """The server has the message, and whoever sent it is gone before the answer."""
    asked, answered = threading.Event(), threading.Event()

    def hold() -> None:
        asked.set()
        answered.wait(60)

    table.before_answer = hold
    command = start_sending(*arguments)
    assert asked.wait(60)
    command.kill()
    command.communicate(timeout=60)
    table.before_answer = lambda: None
    answered.set()


@pytest.mark.parametrize("again", [1, 2])
def test_what_a_killed_command_has_left_goes_with_the_same_command(
    terminal: Terminal, again: int
) -> None:
    terminal.table.answers[SEND] = SENT
    kill_while_it_sends(terminal.table, "hello")
    assert len(waiting()) == 1
    for _ in range(again):
        assert terminal.run("send", ROOM, "hello").stdout == "sent as 7\n"
    assert len(cids(terminal.table)) == again
    assert waiting() == []


def test_only_one_of_two_takes_what_a_killed_command_has_left(terminal: Terminal) -> None:
    terminal.table.answers[SEND] = SENT
    kill_while_it_sends(terminal.table, "hello")
    terminal.table.before_answer = first_two_together()
    both = [start_sending("hello") for _ in range(2)]
    assert [command.communicate(timeout=60) for command in both] == [("sent as 7\n", "")] * 2
    assert len(cids(terminal.table)) == 2


@pytest.mark.parametrize("tried", [False, True])
def test_what_the_app_has_is_another_message_however_alike(terminal: Terminal, tried: bool) -> None:
    terminal.table.answers[SEND] = SENT
    put("hello", tried=tried)
    terminal.run("send", ROOM, "hello")
    assert len(cids(terminal.table)) == 2
    assert waiting() == []
