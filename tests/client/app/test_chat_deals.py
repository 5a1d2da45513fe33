from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from client_tui.core.errors import Conflict
from client_tui.screens.appointment import AppointmentScreen
from client_tui.screens.ask import AskScreen
from client_tui.screens.chat import ChatScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.reserve import ReserveScreen
from client_tui.widgets.chat_header import ChatHeader
from client_tui.widgets.field import Field
from shared_models.market import Method
from tests.client.app.chat_room import Chat, open_chat
from tests.client.app.chat_rows import message, note
from tests.client.app.room_server import RoomServer, meeting, offer, talk_of
from tests.client.core.fakes import ME, OTHER, ROOM, card

OFFER_ID, MEETING_ID = str(offer().id), str(meeting().id)


def offered(*actions: str, maker: Any = OTHER) -> RoomServer:
    """A room in which somebody has just offered 40,000."""
    line = note(4, "offer_made", by=maker, offer_id=OFFER_ID, amount=40_000, counter=False)
    return RoomServer([*talk_of(3), line], offer=offer(*actions, maker=maker))


def proposed(*actions: str, proposer: Any = OTHER, **fields: Any) -> RoomServer:
    """A room in which somebody has just proposed to meet."""
    when = meeting().at.isoformat()
    line = note(
        4,
        "appointment_proposed",
        by=proposer,
        appointment_id=MEETING_ID,
        at=when,
        place="Hapjeong exit 3",
    )
    proposal = meeting(*actions, proposer=proposer, **fields)
    return RoomServer([*talk_of(3), line], appointment=proposal)


async def answer(chat: Chat, kind: type, key: str) -> None:
    """Press a key in a dialog, once it is there."""
    await chat.until(lambda: isinstance(chat.app.screen, kind))
    await chat.pilot.press(key)
    await chat.until(lambda: isinstance(chat.app.screen, ChatScreen))


async def test_an_offer_is_a_card_with_its_keys(tmp_path: Path) -> None:
    async with open_chat(tmp_path, offered("accept", "decline", "counter")) as chat:
        assert "┃ 민지 offers 40,000  48 h left" in chat.row("offers 40,000")
        assert "a accept   d decline   c counter" in chat.row("accept")
        header = chat.screen.query_one(ChatHeader)
        assert header.deal == "offer to answer: 40,000"
        assert header.urgent


async def test_accepting_asks_first_and_reads_the_room_again(tmp_path: Path) -> None:
    async with open_chat(tmp_path, offered("accept", "decline", "counter")) as chat:
        await chat.press("a")
        chat.server.fields["offer"] = None
        await answer(chat, ConfirmScreen, "y")
        await chat.until(lambda: chat.server.asked("accept_offer") == [(offer().id,)])
        await chat.until(lambda: chat.screen.query_one(ChatHeader).deal == "")


async def test_who_accepts_chooses_among_the_ways_of_the_listing(tmp_path: Path) -> None:
    server = offered("accept", "decline", "counter")
    server.fields["listing"] = card(method=Method.BOTH)
    async with open_chat(tmp_path, server) as chat:
        await chat.press("a")
        await chat.until(lambda: isinstance(chat.app.screen, ReserveScreen))
        await chat.pilot.press("escape")
        await chat.until(lambda: isinstance(chat.app.screen, ChatScreen))
        assert chat.server.asked("accept_offer") == []
        await chat.press("a")
        await chat.until(lambda: isinstance(chat.app.screen, ReserveScreen))
        await chat.pilot.press("down")
        await answer(chat, ReserveScreen, "enter")
        await chat.until(lambda: chat.server.asked("accept_offer") == [(offer().id, "post")])


async def test_who_says_no_has_not_accepted(tmp_path: Path) -> None:
    async with open_chat(tmp_path, offered("accept", "decline", "counter")) as chat:
        await chat.press("a")
        await answer(chat, ConfirmScreen, "n")
        assert chat.server.asked("accept_offer") == []


@pytest.mark.parametrize(
    ("key", "allowed", "call"),
    [("d", "decline", "decline_offer"), ("w", "withdraw", "withdraw_offer")],
)
async def test_an_offer_is_declined_or_withdrawn_after_a_question(
    tmp_path: Path, key: str, allowed: str, call: str
) -> None:
    async with open_chat(tmp_path, offered(allowed)) as chat:
        await chat.press(key)
        await answer(chat, ConfirmScreen, "y")
        await chat.until(lambda: chat.server.asked(call) == [(offer().id,)])


async def test_a_counter_offer_asks_for_the_amount(tmp_path: Path) -> None:
    async with open_chat(tmp_path, offered("accept", "decline", "counter")) as chat:
        await chat.press("c")
        await chat.until(lambda: isinstance(chat.app.screen, AskScreen))
        chat.app.screen.query_one("#answer").value = "42,000"  # type: ignore[attr-defined]
        await answer(chat, AskScreen, "enter")
        await chat.until(lambda: chat.server.asked("counter_offer") == [(offer().id, 42_000)])


async def test_a_buyer_offers_a_price(tmp_path: Path) -> None:
    server = RoomServer(talk_of(3), allowed_actions=["send", "offer"])
    async with open_chat(tmp_path, server) as chat:
        await chat.press("o")
        await chat.until(lambda: isinstance(chat.app.screen, AskScreen))
        chat.app.screen.query_one("#answer").value = "39500"  # type: ignore[attr-defined]
        await answer(chat, AskScreen, "enter")
        await chat.until(lambda: chat.server.asked("make_offer") == [(ROOM, 39_500)])


async def test_a_deal_never_waits_in_a_queue(tmp_path: Path) -> None:
    async with open_chat(tmp_path, offered("accept", "decline", "counter")) as chat:
        chat.link.cut()
        await chat.press("a")
        await chat.until(lambda: chat.toasts()[-1:] and "You are offline" in chat.toasts()[-1])
        assert isinstance(chat.app.screen, ChatScreen)


async def test_what_the_server_does_not_allow_is_not_offered(tmp_path: Path) -> None:
    async with open_chat(tmp_path, offered("withdraw", maker=ME)) as chat:
        assert "you offer 40,000" in chat.row("40,000")
        assert "accept" not in "".join(chat.rows())
        await chat.press("a")
        await chat.until(lambda: chat.toasts() == ["There is nothing to accept."])


async def test_a_refusal_is_said_and_the_room_is_read_again(tmp_path: Path) -> None:
    async with open_chat(tmp_path, offered("accept", "decline", "counter")) as chat:
        await chat.press("a")
        await chat.until(lambda: isinstance(chat.app.screen, ConfirmScreen))
        rooms = len(chat.server.asked("room"))
        chat.server.refusal = Conflict(409, "already_reserved", "It is reserved already.")
        await chat.pilot.press("y")
        await chat.until(lambda: "It is reserved already." in chat.toasts())
        await chat.until(lambda: len(chat.server.asked("room")) > rooms)


@pytest.mark.parametrize(
    ("state", "word"),
    [("accepted", "accepted"), ("countered", "countered"), ("superseded", "no longer stands")],
)
async def test_an_offer_that_ended_shows_how_in_its_place(
    tmp_path: Path, state: str, word: str
) -> None:
    async with open_chat(tmp_path, offered("accept", "decline", "counter")) as chat:
        chat.link.event(offer(state=state), "offer.changed")
        await chat.until(lambda: word in chat.row("offers 40,000"))
        assert "accept " not in chat.row("decline")


async def test_an_old_offer_tells_its_end_from_the_history(tmp_path: Path) -> None:
    made = note(4, "offer_made", offer_id="1", amount=30_000, counter=False)
    declined = note(5, "offer_declined", "The offer was declined.", offer_id="1", amount=30_000)
    async with open_chat(tmp_path, RoomServer([*talk_of(3), made, declined])) as chat:
        assert "30,000  declined" in chat.row("offers 30,000")


async def test_the_seller_reserves_by_one_of_the_ways_of_the_listing(tmp_path: Path) -> None:
    server = RoomServer(
        talk_of(3), allowed_actions=["send", "reserve"], listing=card(method=Method.BOTH)
    )
    async with open_chat(tmp_path, server) as chat:
        await chat.press("R")
        await chat.until(lambda: isinstance(chat.app.screen, ReserveScreen))
        await chat.pilot.press("down")
        await answer(chat, ReserveScreen, "enter")
        await chat.until(lambda: chat.server.asked("reserve"))
        form = chat.server.asked("reserve")[0][0]
        assert (form.chatroom_id, form.expected_price, form.method) == (ROOM, 45_000, "post")


async def test_a_meeting_is_proposed_with_time_and_place(tmp_path: Path) -> None:
    server = RoomServer(talk_of(3), allowed_actions=["send", "appointment"])
    async with open_chat(tmp_path, server) as chat:
        await chat.press("p")
        await chat.until(lambda: isinstance(chat.app.screen, AppointmentScreen))
        chat.app.screen.query_one("#at Input").value = "tomorrow 14:00"  # type: ignore[attr-defined]
        chat.app.screen.query_one("#place Input").value = "Mapo"  # type: ignore[attr-defined]
        chat.app.screen.query_one("#place Input").focus()
        await answer(chat, AppointmentScreen, "enter")
        room_id, form = chat.server.asked("propose_appointment")[0]
        here = form.at.astimezone()
        tomorrow = (chat.link.now().astimezone() + timedelta(days=1)).date()
        assert (room_id, here.date(), here.hour, form.place) == (ROOM, tomorrow, 14, "Mapo")


async def test_the_form_says_what_is_wrong_under_its_field(tmp_path: Path) -> None:
    server = RoomServer(talk_of(3), allowed_actions=["send", "appointment"])
    async with open_chat(tmp_path, server) as chat:
        await chat.press("p")
        await chat.until(lambda: isinstance(chat.app.screen, AppointmentScreen))
        await chat.pilot.press("x", "enter")
        error = chat.app.screen.query_one("#at", Field).query_one(".field-error")
        assert str(error.render()).startswith("Write a day and a time")
        chat.app.screen.query_one("#at Input").value = "sat 14:00"  # type: ignore[attr-defined]
        await chat.pilot.press("enter")
        missing = chat.app.screen.query_one("#place", Field).query_one(".field-error")
        await chat.until(lambda: missing.has_class("shown"))
        assert chat.server.asked("propose_appointment") == []


async def test_a_proposal_is_accepted_or_declined_by_its_keys(tmp_path: Path) -> None:
    async with open_chat(tmp_path, proposed("accept", "cancel")) as chat:
        assert "민지 proposes to meet" in chat.row("Hapjeong exit 3")
        assert "a accept   d decline" in chat.row("accept")
        await chat.press("a")
        await chat.until(lambda: chat.server.asked("accept_appointment") == [(meeting().id,)])
        await chat.press("d")
        await answer(chat, ConfirmScreen, "y")
        await chat.until(lambda: chat.server.asked("cancel_appointment") == [(meeting().id,)])


async def test_ones_own_proposal_is_called_off(tmp_path: Path) -> None:
    async with open_chat(tmp_path, proposed("cancel", proposer=ME)) as chat:
        assert "not answered yet" in "".join(chat.rows())
        assert chat.row("d call off")


async def test_with_an_offer_and_a_proposal_the_cursor_decides(tmp_path: Path) -> None:
    server = proposed("accept", "cancel")
    server.log.append(
        note(5, "offer_made", offer_id=OFFER_ID, amount=40_000, counter=False, by=OTHER)
    )
    server.fields["offer"] = offer("accept", "decline", "counter")
    async with open_chat(tmp_path, server) as chat:
        chat.select(4)
        await chat.press("a")
        await chat.until(lambda: chat.server.asked("accept_appointment"))
        chat.select(5)
        await chat.press("a")
        await answer(chat, ConfirmScreen, "y")
        await chat.until(lambda: chat.server.asked("accept_offer"))


async def test_a_meeting_that_was_missed_is_reported(tmp_path: Path) -> None:
    async with open_chat(tmp_path, proposed("no_show", state="accepted")) as chat:
        assert chat.row("N did not come")
        await chat.press("N")
        await answer(chat, ConfirmScreen, "y")
        await chat.until(lambda: chat.server.asked("report_no_show") == [(meeting().id,)])


def absent(by: Any, *actions: str, **fields: Any) -> RoomServer:
    """A room where somebody is reported to have missed a meeting, and another is proposed."""
    until = meeting().at + timedelta(days=3)
    given = {"state": "replaced", "no_show_by": by, "no_show_until": until}
    server = RoomServer(talk_of(3), no_show=meeting(*actions, **given | fields))
    where = {"appointment_id": MEETING_ID, "at": meeting().at.isoformat(), "place": "Hapjeong"}
    reporter = OTHER if by == ME else ME
    server.log.append(note(4, "appointment_no_show", by=reporter, **where))
    return server


async def test_who_is_reported_is_told_until_when_to_contest_and_does_it(tmp_path: Path) -> None:
    async with open_chat(tmp_path, absent(ME, "contest"), size=(140, 36)) as chat:
        header = chat.screen.query_one(ChatHeader)
        assert header.deal.startswith("reported: you did not come; to be contested until ")
        assert header.deal.endswith("C contests it")
        assert header.urgent
        assert chat.row("You are reported not to have come: ")
        await chat.press("C")
        await answer(chat, ConfirmScreen, "y")
        await chat.until(lambda: chat.server.asked("contest_no_show") == [(meeting().id,)])


@pytest.mark.parametrize(
    ("by", "fields", "words"),
    [
        (OTHER, {}, "you reported a no-show; it counts from "),
        (ME, {"no_show_contested_at": meeting().at}, "you contest that you did not come"),
        (OTHER, {"no_show_contested_at": meeting().at}, "they contest your report"),
        (ME, {"no_show_upheld": True}, "your no-show counts"),
        (OTHER, {"no_show_upheld": True}, "their no-show counts"),
        (OTHER, {"no_show_until": meeting().at - timedelta(days=5)}, ""),
    ],
)
async def test_the_header_says_how_a_report_stands(
    tmp_path: Path, by: Any, fields: dict[str, Any], words: str
) -> None:
    async with open_chat(tmp_path, absent(by, **fields), size=(140, 36)) as chat:
        header = chat.screen.query_one(ChatHeader)
        assert header.deal.startswith(words)
        assert bool(header.deal) == bool(words)
        assert not header.urgent
        await chat.press("C")
        assert isinstance(chat.app.screen, ChatScreen), "there is nothing to contest"


async def test_the_header_says_when_and_where_one_meets(tmp_path: Path) -> None:
    async with open_chat(tmp_path, proposed("cancel", state="accepted"), size=(120, 36)) as chat:
        deal = chat.screen.query_one(ChatHeader).deal
        assert deal.startswith("hand-over tomorrow ")
        assert deal.endswith(", Hapjeong exit 3")


async def test_a_click_on_a_card_does_what_its_key_does(tmp_path: Path) -> None:
    async with open_chat(tmp_path, offered("accept", "decline", "counter")) as chat:
        rows = chat.rows()
        y = next(y for y, row in enumerate(rows) if "d decline" in row)
        at = chat.screen.history.render_line(y).text.index("decline")
        await chat.pilot.click("#history", offset=(at + 1, y))
        await answer(chat, ConfirmScreen, "y")
        await chat.until(lambda: chat.server.asked("decline_offer"))


async def test_without_a_trade_its_key_says_so(tmp_path: Path) -> None:
    async with open_chat(tmp_path, RoomServer([*talk_of(3), message(4)])) as chat:
        await chat.press("t")
        await chat.until(lambda: chat.toasts() == ["There is no trade here yet."])
