"""``picky offer ROOM AMOUNT`` and ``picky offer accept|decline|counter|withdraw``."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from typer.core import TyperGroup

from client_tui.commands.output import JsonOption, label, now, price, put, put_json
from client_tui.commands.running import api, run
from client_tui.commands.trades import MethodOption

if TYPE_CHECKING:
    from client_tui.core.api import Api
    from shared_models.trades import Offer

OfferArgument = Annotated[UUID, typer.Argument(help="The offer's id.")]
AmountArgument = Annotated[int, typer.Argument(min=0, help="The price.")]


class OfferGroup(TyperGroup):
    """What is no name of a command is the room of a new offer."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put the hidden command's name before a room."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["make", *args]
        return super().parse_args(ctx, args)


offer = typer.Typer(
    cls=OfferGroup,
    help="Offer a price (picky offer ROOM AMOUNT) or answer an offer.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(offer, name="offer")


def _act(act: "Callable[[Api], Awaitable[Offer]]", json: bool) -> None:
    async def work() -> None:
        async with api() as account:
            made = await act(account)
        if json:
            put_json(made)
            return
        from client_tui.format import time_left

        left = f" · {time_left(made.expires_at, now())}" if made.state == "pending" else ""
        put(f"{price(made.amount)} · {label(made.state)}{left}")
        put(str(made.id))

    run(work)


@offer.command(hidden=True)
def make(
    room: Annotated[UUID, typer.Argument(help="The room's id.")],
    amount: AmountArgument,
    json: JsonOption = False,
) -> None:
    """Offer a price in a room."""
    _act(lambda account: account.make_offer(room, amount), json)


@offer.command()
def accept(offer: OfferArgument, method: MethodOption = None, json: JsonOption = False) -> None:
    """Accept; the listing is reserved at that price."""
    _act(lambda account: account.accept_offer(offer, method), json)


@offer.command()
def decline(offer: OfferArgument, json: JsonOption = False) -> None:
    """Decline."""
    _act(lambda account: account.decline_offer(offer), json)


@offer.command()
def withdraw(offer: OfferArgument, json: JsonOption = False) -> None:
    """Take your offer back."""
    _act(lambda account: account.withdraw_offer(offer), json)


@offer.command()
def counter(offer: OfferArgument, amount: AmountArgument, json: JsonOption = False) -> None:
    """Answer with another price."""
    _act(lambda account: account.counter_offer(offer, amount), json)
