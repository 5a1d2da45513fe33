"""One buyer and one seller about one thing: what they can do, each by the market's own calls."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from server.app.demo.stage import Offered, Stage
from server.app.demo.talk import Note, conversation, live_line
from server.app.demo.texts import Language, Phrase, load, phrases, pick
from server.app.demo.visitor import Visitor
from server.chat import api as chat
from server.platform.unit_of_work import UnitOfWork, transact

_LINE_EVERY = timedelta(minutes=3)
_SHARES = (0.75, 0.8, 0.85, 0.9)


@dataclass(slots=True)
class Scene:
    """A chatroom and, perhaps, a trade."""

    stage: Stage
    offered: Offered
    buyer: Visitor
    room: str = ""
    trade: dict[str, Any] = field(default_factory=dict)
    offer: dict[str, Any] = field(default_factory=dict)
    appointment: dict[str, Any] = field(default_factory=dict)

    @property
    def seller(self) -> Visitor:
        """Who sells."""
        return self.offered.seller

    @property
    def language(self) -> Language:
        """English as soon as one of the two prefers it."""
        both = (self.buyer.person.language, self.seller.person.language)
        return "en" if "en" in both else "ko"

    @property
    def asking(self) -> int:
        """What the buyer would like to pay."""
        price = self.offered.thing.price
        if not self.offered.thing.negotiable:
            return price
        least = -(-price // 2)
        return max(least, int(price * self.stage.rng.choice(_SHARES)) // 1_000 * 1_000)

    async def open(self) -> None:
        """T1: the buyer opens the room."""
        body = await self.buyer.post("/chatrooms", listing_id=str(self.offered.listing_id))
        self.room = body["id"]
        self._moved()

    async def talk(self, *stages: str) -> None:
        """They have talked since the room last moved, and read it."""
        lines = conversation(self.stage.rng, self.offered.thing, self.language, stages, self.asking)
        now, since = self.stage.now(), self.offered.last_at
        gap = min(_LINE_EVERY, (now - since) / (len(lines) + 1))
        await self._import(
            Note(line.by_buyer, line.text, now - gap * (len(lines) - index - 1))
            for index, line in enumerate(lines)
        )

    async def recall(self, notes: Iterable[Note]) -> None:
        """They have written all this since the room last moved, and read it."""
        await self._import(notes)

    async def _import(self, notes: Iterable[Note]) -> None:
        messages = [
            chat.ImportedMessage(
                (self.buyer if note.by_buyer else self.seller).id, note.text, note.at
            )
            for note in notes
        ]

        async def add(work: UnitOfWork) -> None:
            await chat.import_messages(work, UUID(self.room), messages)

        await transact(self.stage.context, None, add)
        self._moved()

    async def write(self, *, by_buyer: bool) -> None:
        """One message, sent as anybody sends it."""
        rng, sender = self.stage.rng, self.buyer if by_buyer else self.seller
        cid = UUID(int=rng.getrandbits(128), version=4)
        text = live_line(rng, self.language)
        await sender.post(f"/chatrooms/{self.room}/messages", cid=str(cid), text=text)
        self._moved()

    async def read(self, reader: Visitor) -> None:
        """Somebody has seen everything."""
        room = await reader.get(f"/chatrooms/{self.room}")
        await reader.put(f"/chatrooms/{self.room}/read", seq=room["last_seq"])

    async def make_offer(self, *, full: bool = False) -> None:
        """T2: the buyer offers a price."""
        amount = self.offered.thing.price if full else self.asking
        self.offer = await self.buyer.post(f"/chatrooms/{self.room}/offers", amount=amount)
        self._moved()

    async def answer_offer(self, answer: str, by: Visitor, **body: Any) -> None:
        """T4 and its like: accept, decline, counter or withdraw. An accepted one is a trade."""
        self.offer = await by.post(f"/offers/{self.offer['id']}/{answer}", **body)
        if answer == "accept":
            self.trade = (await self.seller.get(f"/chatrooms/{self.room}"))["trade"]
        self._moved()

    async def reserve(self, method: str) -> None:
        """T3: the seller reserves."""
        self.trade = await self.seller.post(
            "/trades",
            chatroom_id=self.room,
            expected_price=self.offered.thing.price,
            method=method,
        )
        self._moved()

    async def agree_to_meet(self, at: datetime) -> None:
        """T5: the buyer proposes a time and place, the seller accepts."""
        rng = self.stage.rng
        place = rng.choice(phrases("people", "meeting_places")).said(self.language)
        self.appointment = await self.buyer.post(
            f"/chatrooms/{self.room}/appointments", at=at.isoformat(), place=place
        )
        await self.seller.post(f"/appointments/{self.appointment['id']}/accept")
        self._moved()

    async def report_no_show(self) -> None:
        """Rule 12: the buyer did not come."""
        await self.seller.post(f"/appointments/{self.appointment['id']}/no-show")
        self._moved()

    async def act(self, action: str, by: Visitor, **body: Any) -> None:
        """A trade's next step, by one of the two."""
        path = f"/trades/{self.trade['id']}"
        if action != "confirm":  # which goes through whatever the version is
            self.trade = await by.get(path)
        version = self.trade["version"]
        self.trade = await by.post(f"{path}/{action}", expected_version=version, **body)
        self._moved()

    async def ship(self) -> None:
        """P1: the seller sends it."""
        rng = self.stage.rng
        number = "".join(rng.choice("0123456789") for _ in range(12))
        carrier = rng.choice(("cj", "post", "cvs"))
        await self.act("ship", self.seller, carrier=carrier, tracking_number=number)

    async def report_problem(self) -> None:
        """T11, P4: the buyer reports a problem."""
        detail = pick(self.stage.rng, "reviews", "problem_details").said(self.language)
        await self.act("problem", self.buyer, reason="not_as_described", detail=detail)

    async def review(self, by: Visitor) -> dict[str, Any]:
        """T16: one of the two reviews the other."""
        rng = self.stage.rng
        kind = rng.choice(load("reviews")["reviews"])
        comment = Phrase.parse(rng.choice(kind["comments"])).said(self.language)
        review: dict[str, Any] = await by.post(
            f"/trades/{self.trade['id']}/review",
            rating=kind["rating"],
            tags=kind["tags"],
            comment=comment,
        )
        return review

    async def review_no_show(self) -> None:
        """Rule 13: all that the seller may say of a canceled trade."""
        path = f"/trades/{self.trade['id']}/review"
        await self.seller.post(path, rating=1, tags=["no_show"])

    async def answer_review(self, review: dict[str, Any], by: Visitor) -> None:
        """The reviewed person answers a published review."""
        text = pick(self.stage.rng, "reviews", "answers").said(self.language)
        await by.post(f"/reviews/{review['id']}/answer", text=text)

    def _moved(self) -> None:
        self.offered.last_at = self.stage.now()
