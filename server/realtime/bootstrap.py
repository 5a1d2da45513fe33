"""The state a client begins from."""

from server.accounts import api as accounts
from server.chat import api as chat
from server.notifications import api as notifications
from server.platform import streams
from server.platform.unit_of_work import UnitOfWork
from server.trades import api as trades
from shared_models.sync import Bootstrap


async def bootstrap(work: UnitOfWork) -> Bootstrap:
    """The actor's state at ``pos``.

    ``work`` reads one moment: counters that later events move would be moved twice otherwise.
    """
    account_id = work.actor.account_id
    position = await streams.position(work, account_id)
    return Bootstrap.trusted(
        epoch=position.epoch,
        pos=position.head,
        account=await accounts.own_account(work, account_id),
        chatrooms=await chat.all_rooms(work, account_id),
        trades=await trades.open_trades(work, account_id),
        unread_notifications=await notifications.unread_count(work, account_id),
    )
