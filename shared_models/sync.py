"""Bootstrap and realtime tickets."""

from shared_models.accounts import Account
from shared_models.base import Id, Time, Wire
from shared_models.chat import Chatroom
from shared_models.trades import Trade


class Bootstrap(Wire):
    """The state at ``pos``, which was read before the data: an event may be seen twice."""

    epoch: Id
    pos: int
    account: Account
    chatrooms: list[Chatroom]
    trades: list[Trade]
    unread_notifications: int


class Ticket(Wire):
    """A one-use ticket for ``hello``; 30 s."""

    ticket: str
    expires_at: Time
