"""Sending from sockets: what is plain goes into the log together, many messages a commit."""

import asyncio
from collections.abc import Sequence
from itertools import takewhile
from uuid import UUID

import structlog

from server.chat import guard, repository, service, views
from server.chat.events import MessagePosted
from server.chat.repository import Appended, Post, StoredMessage
from server.chat.service import Sent
from server.platform.context import Actor, Context
from server.platform.database import DATABASE_FAILURES
from server.platform.errors import Refusal
from server.platform.unit_of_work import UnitOfWork, transact, transact_impatiently
from shared_models.chat import MessageKind, SendMessage

_MOST_AT_ONCE = 512

log = structlog.get_logger("chat")

Answer = Sent | Exception
"""A message that is on disk, or why it is not: a refusal, or the database is away."""


class SendLine:
    """Where the messages of all sockets of this process meet on their way into the log.

    While one commit is under way the next messages gather, and go in together with the next
    commit. Everything that is not plain (photos, what the guard looks at twice, whatever a rule
    may refuse) is sent with all the rules, in a transaction of its own.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._waiting: list[tuple[Sequence[Post], asyncio.Future[list[Sent | None]]]] = []
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
        try:
            while self._waiting:
                await self._commit(self._take())
        finally:
            self._writing = None

    def _take(self) -> list[tuple[Sequence[Post], asyncio.Future[list[Sent | None]]]]:
        """Who has waited longest, up to a commit's worth."""
        count, taken = 0, 0
        while taken < len(self._waiting) and count < _MOST_AT_ONCE:
            count += len(self._waiting[taken][0])
            taken += 1
        first, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return first

    async def _commit(
        self, runs: Sequence[tuple[Sequence[Post], asyncio.Future[list[Sent | None]]]]
    ) -> None:
        posts = [post for run, _ in runs for post in run]
        sent: Sequence[Sent | None]
        try:
            sent = await transact_impatiently(self._context, lambda work: append_plain(work, posts))
        except Exception as error:  # noqa: BLE001 - each is sent by itself, and answered what it is
            log.warning("not_sent_together", messages=len(posts), error=type(error).__name__)
            sent = [None] * len(posts)
        start = 0
        for run, answer in runs:
            if not answer.done():
                answer.set_result(list(sent[start : start + len(run)]))
            start += len(run)


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
    message = views.message_of(
        StoredMessage(
            room_id=post.room_id,
            seq=stored.seq,
            id=post.id,
            cid=post.cid,
            sender_id=post.sender_id,
            actor_id=post.sender_id,
            kind=MessageKind.TEXT.value,
            text=post.text,
            photos=[],
            system=None,
            warning=None,
            created_at=stored.at,
            deleted_at=None,
        )
    )
    parties = stored.seller_id, stored.buyer_id
    reader_id = next(account_id for account_id in parties if account_id != post.sender_id)
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
