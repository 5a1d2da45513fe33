"""The main job through the real commands: from the first photo to the last review.

On PostgreSQL as it is, on SQLite with crashes; in the app it is the other way round.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.people import PASSWORD, Person, draw_picture
from tests.servers.lifetime import Lifetime
from tests.servers.picky import start_picky

pytestmark = pytest.mark.timeout(240)

CHAIR = (
    *("--title", "허먼밀러 에어론 의자", "--category", "furniture", "--condition", "good"),
    *("--description", "B size, hardly used, with all papers.", "--place", "서초"),
    *("--price", 480_000, "--negotiable", "--method", "both"),
)
Between = Callable[[], None]


class Journey:
    """Two people, one chair; ``between`` happens wherever it could do harm."""

    def __init__(
        self, seller: Person, buyer: Person, pictures: list[Path], between: Between
    ) -> None:
        self.seller, self.buyer = seller, buyer
        self.pictures = pictures
        self.between = between
        self.listing = self.room = self.trade = ""

    def sell(self) -> None:
        photos = [part for path in self.pictures[:2] for part in ("--photo", path)]
        self.listing = self.seller.get("sell", *CHAIR, *photos)["id"]

    def find(self) -> None:
        [card] = self.buyer.list(
            "search", "의자 -책상", "--max-price", 500_000, "--condition", "good"
        )
        assert card["id"] == self.listing
        shown = self.buyer.get("show", card["id"])
        assert [len(shown["photos"]), shown["price"]] == [2, 480_000]
        assert shown["seller"]["handle"] == self.seller.handle
        assert self.buyer.list("search", "냉장고") == []

    def talk(self) -> None:
        self.room = self.buyer.get("open", self.listing)["id"]
        assert self.buyer.get("open", self.listing)["id"] == self.room
        first = self.buyer.get("send", self.room, stdin="안녕하세요, still there?\n")
        assert first["text"] == "안녕하세요, still there?"
        self.between()
        shown = self.buyer.get(
            "send", self.room, "Mine looks like this", "--photo", self.pictures[2]
        )
        assert len(shown["photos"]) == 1
        self.seller.get("send", self.room, "Yes. \x1b[31mRed\x1b[0m is the other one.")

    def agree(self) -> None:
        offer = self.buyer.get("offer", self.room, 450_000)
        self.buyer.run("offer", self.room, 440_000, code=5)
        self.between()
        assert self.seller.get("offer", "accept", offer["id"])["state"] == "accepted"
        [trade] = self.buyer.list("trades", "--role", "buyer")
        assert (trade["state"], trade["agreed_price"]) == ("reserved", 450_000)
        self.trade = trade["id"]
        assert self.buyer.list("search", "의자") == []

    def hand_over(self) -> None:
        self.buyer.run("trade", "review", self.trade, "--rating", 5, code=5)
        assert self.seller.get("trade", "confirm", self.trade)["state"] == "handed_over"
        self.between()
        assert self.buyer.get("trade", "confirm", self.trade)["state"] == "completed"
        again = self.seller.get("trade", "confirm", self.trade)
        assert again["state"] == "completed"

    def review(self) -> None:
        good = ("--rating", 5, "--tag", "friendly", "--tag", "on_time", "--comment", "좋아요!")
        assert not self.buyer.get("trade", "review", self.trade, *good)["published"]
        assert self.seller.get("trade", "review", self.trade, "--rating", 4)["published"]

    def sold_everywhere(self) -> None:
        [card] = self.buyer.list("search", "의자", "--state", "sold")
        assert card["id"] == self.listing
        for person in (self.seller, self.buyer):
            assert person.get("show", self.listing)["state"] == "sold"
            [room] = person.list("chats")
            assert room["listing"]["state"] == "sold"
            [trade] = person.list("trades", "--state", "completed")
            assert trade["my_review"]["published"]
            assert trade["other_review"]["published"]
        assert self.seller.get("whoami")["sales"] == 1
        assert self.buyer.get("whoami")["purchases"] == 1

    def nothing_lost_or_doubled(self) -> None:
        seen = [person.list("history", self.room) for person in (self.seller, self.buyer)]
        assert seen[0] == seen[1]
        assert [message["seq"] for message in seen[0]] == list(range(1, len(seen[0]) + 1))
        said = [message["text"] for message in seen[0] if message["kind"] != "system"]
        assert said == [
            "안녕하세요, still there?",
            "Mine looks like this",
            "Yes. Red is the other one.",
        ]


def travel(journey: Journey) -> None:
    journey.seller.sign_up()
    journey.buyer.sign_up()
    for step in (
        journey.sell,
        journey.find,
        journey.talk,
        journey.agree,
        journey.hand_over,
        journey.review,
        journey.sold_everywhere,
        journey.nothing_lost_or_doubled,
    ):
        step()


def two_people(server: str, folder: Path) -> tuple[Person, Person, list[Path]]:
    seller = Person(folder / "seller", server, "minji", "민지")
    buyer = Person(folder / "buyer", server, "bora", "보라")
    drawn = [("teal", "circle"), ("tomato", "box"), ("gold", "circle")]
    pictures = [draw_picture(folder / f"{colour}.jpg", colour, shape) for colour, shape in drawn]
    return seller, buyer, pictures


def test_two_people_sell_and_buy_a_chair(
    private_lifetime: Lifetime, postgres_url: str, tmp_path: Path
) -> None:
    server = start_picky(private_lifetime, database_url=postgres_url)
    travel(Journey(*two_people(server.url, tmp_path), between=lambda: None))


def test_a_server_killed_again_and_again_loses_nothing_of_it(
    private_lifetime: Lifetime, tmp_path: Path
) -> None:
    server = start_picky(private_lifetime)

    def crash_and_come_back() -> None:
        nonlocal server
        server.kill()
        server = start_picky(private_lifetime, port=server.port)

    travel(Journey(*two_people(server.url, tmp_path), between=crash_and_come_back))


def test_a_message_sent_while_the_server_is_away_goes_out_once_afterwards(
    tmp_path: Path, private_lifetime: Lifetime
) -> None:
    server = start_picky(private_lifetime)
    seller, buyer, pictures = two_people(server.url, tmp_path)
    seller.sign_up()
    buyer.sign_up()
    listing = seller.get("sell", *CHAIR, "--photo", pictures[0])["id"]
    room = buyer.get("open", listing)["id"]
    server.kill()
    away = buyer.run("send", room, "first", code=7)
    assert "is kept" in away.stderr
    buyer.run("send", room, "second", code=7)
    start_picky(private_lifetime, port=server.port)
    buyer.get("send", room, "second")
    said = [line["text"] for line in seller.list("history", room) if line["sender_id"]]
    assert said == ["first", "second"]


def test_every_kind_of_failure_has_its_exit_code(
    tmp_path: Path, private_lifetime: Lifetime
) -> None:
    server = start_picky(private_lifetime, rate_limits="on")
    person = Person(tmp_path / "home", server.url, "minji", "민지")
    person.sign_up()
    picture = draw_picture(tmp_path / "chair.png", "teal", "box")
    listing = person.get("sell", *CHAIR, "--photo", picture)["id"]
    login = ("login", "--server", server.url, "--handle", "minji", "--password-stdin")
    for command, stdin, code in (
        (("open", listing), "", 5),
        (("history", listing), "", 4),
        (("search", "--sort", "bogus"), "", 5),
        (("sell", *CHAIR, "--photo", tmp_path / "none.jpg"), "", 5),
        (login, "wrong wrong wrong\n", 3),
        (login, PASSWORD + "\n", 0),
        (("logout",), "", 0),
        (("whoami",), "", 3),
    ):
        ended = person.run(*command, stdin=stdin, code=code)
        assert ended.stdout == ""
        assert ended.stderr
        assert "Traceback" not in ended.stderr
    server.kill()
    person.run(*login, stdin=PASSWORD + "\n", code=7)
