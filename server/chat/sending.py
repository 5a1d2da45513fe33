"""Sending from sockets: what is plain goes into the log together, many messages a commit."""

import asyncio
from collections.abc import Sequence
from itertools import takewhile
from uuid import UUID

import structlog

from server.chat import guard, repository, service
from server.chat.events import MessagePosted
from server.chat.repository import Appended, Post
from server.chat.service import Sent
from server.platform.context import Actor, Context
from server.platform.errors import Refusal
from server.platform.failures import DATABASE_FAILURES
from server.platform.unit_of_work import UnitOfWork, transact, transact_impatiently
from shared_models.chat import Message, MessageKind, SendMessage

_MOST_AT_ONCE = 512
_APART_S = 0.004
"""How far apart commits begin that several share. Further apart, each message waits for longer;
nearer, none waits for less.
"""

log = structlog.get_logger("chat")

Answer = Sent | Exception
"""A message that is on disk, or why it is not: a refusal, or the database is away."""

_Run = tuple[Sequence[Post], asyncio.Future[list[Sent | None]]]
"""Messages of one socket, and who waits for what became of them."""


class SendLine:
    """Where the messages of all sockets of this process meet on their way into the log.

    While one commit is under way the next messages gather, and go in together with the next
    commit. Where several send at once the next one waits a moment for more of them; who sends alone
    never waits. Everything that is not plain (photos, what the guard looks at twice, whatever a
    rule may refuse) is sent with all the rules, in a transaction of its own.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._waiting: list[_Run] = []
        self._writing: asyncio.Task[None] | None = None

    async def send(
        self, actor: Actor, messages: Sequence[tuple[UUID, SendMessage]]
    ) -> list[Answer]:
        """Send messages of one account to rooms, in their order within each room.

        Every answer is given after the commit of its message.
        """
        answers: list[Answer] = []
        while len(answers) < len(messages):
            rest = messages[len(answers) :]
            plain = list(takewhile(lambda message: _is_plain(message[1]), rest))
            sent = await self._append([self._post(actor, *message) for message in plain])
            for message, done in zip(plain, sent, strict=True):
                answers.append(done or await self._with_all_rules(actor, *message))
            if len(plain) < len(rest):
                answers.append(await self._with_all_rules(actor, *rest[len(plain)]))
        return answers

    def _post(self, actor: Actor, room_id: UUID, body: SendMessage) -> Post:
        id_ = self._context.make_id(self._context.clock.now())
        print_ = service.fingerprint(room_id, body)
        return Post(room_id, actor.account_id, body.cid, id_, body.text, print_)

    async def _with_all_rules(self, actor: Actor, room_id: UUID, body: SendMessage) -> Answer:
        try:
            return await transact(
                self._context, actor, lambda work: service.send(work, room_id, body)
            )
        except (Refusal, *DATABASE_FAILURES) as error:
            return error

    async def _append(self, posts: Sequence[Post]) -> list[Sent | None]:
        if not posts:
            return []
        answer: asyncio.Future[list[Sent | None]] = asyncio.get_running_loop().create_future()
        self._waiting.append((posts, answer))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(), name="message log")
        return await answer

    async def _write(self) -> None:
        now = asyncio.get_running_loop().time
        try:
            while self._waiting:
                began = now()
                if await self._commit() > 1:
                    await asyncio.sleep(began + _APART_S - now())
        finally:
            self._writing = None

    async def _commit(self) -> int:
        """Write what waits by the time the lock is there; how many share the commit."""
        runs: list[_Run] = []

        async def append(work: UnitOfWork) -> list[Sent | None]:
            runs.extend(self._take())
            return await append_plain(work, _posts_of(runs))

        sent: Sequence[Sent | None]
        try:
            sent = await transact_impatiently(self._context, append)
        except Exception as error:  # noqa: BLE001 - each is sent by itself, and answered what it is
            runs = runs or self._take()
            sent = [None] * len(_posts_of(runs))
            log.warning("not_sent_together", messages=len(sent), error=type(error).__name__)
        start = 0
        for run, answer in runs:
            if not answer.done():
                answer.set_result(list(sent[start : start + len(run)]))
            start += len(run)
        return len(runs)

    def _take(self) -> list[_Run]:
        """Who has waited longest, up to a commit's worth."""
        count, taken = 0, 0
        while taken < len(self._waiting) and count < _MOST_AT_ONCE:
            count += len(self._waiting[taken][0])
            taken += 1
        first, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return first


def _posts_of(runs: Sequence[_Run]) -> list[Post]:
    return [post for run, _ in runs for post in run]


def _is_plain(body: SendMessage) -> bool:
    return not body.photo_ids and guard.find(body.text) is None


async def append_plain(work: UnitOfWork, posts: Sequence[Post]) -> list[Sent | None]:
    """Append what is plain and tell both parties; None for what needs all the rules."""
    appended = await repository.append(work, posts)
    return [
        None if stored is None else _tell(work, post, stored)
        for post, stored in zip(posts, appended, strict=True)
    ]


def _tell(work: UnitOfWork, post: Post, stored: Appended) -> Sent:
    message = Message.trusted(
        chatroom_id=post.room_id,
        seq=stored.seq,
        id=post.id,
        cid=post.cid,
        sender_id=post.sender_id,
        kind=MessageKind.TEXT,
        text=post.text,
        photos=[],
        system=None,
        created_at=stored.at,
        deleted=False,
        warning=None,
    )
    is_by_seller = post.sender_id == stored.seller_id
    reader_id = stored.buyer_id if is_by_seller else stored.seller_id
    work.announce(
        MessagePosted(
            message=message,
            seller_id=stored.seller_id,
            buyer_id=stored.buyer_id,
            actor_id=post.sender_id,
            newly_unread_for=(reader_id,) if stored.news else (),
        )
    )
    return Sent(message, duplicate=False)
