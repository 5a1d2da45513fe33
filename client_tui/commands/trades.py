"""``picky trades`` and ``picky trade ...``."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import typer

from client_tui.commands.output import JsonOption, columns, label, now, price, put, put_json
from client_tui.commands.running import api, run, words
from shared_models.bounds import REVIEW_MAX

if TYPE_CHECKING:
    from client_tui.core.api import Api
    from shared_models.trades import Trade

TradeArgument = Annotated[UUID, typer.Argument(help="The trade's id.")]
MethodOption = Annotated[
    str | None,
    typer.Option(help="meet or post; what the listing says, or in person, if left out."),
]
trade = typer.Typer(help="Reserve, confirm, ship, cancel, review.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(trades)
    app.add_typer(trade, name="trade")


def trades(
    role: Annotated[str | None, typer.Option(help="seller or buyer.")] = None,
    state: Annotated[
        str | None,
        typer.Option(help="reserved, shipped, handed_over, disputed, completed, canceled."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    json: JsonOption = False,
) -> None:
    """List your trades, newest first."""

    async def work() -> None:
        from client_tui.commands.running import signed_in
        from client_tui.core.http import Http
        from shared_models.trades import Trade

        credentials = signed_in()
        count = 0
        async with Http(credentials.server, credentials.token) as http:
            wanted = {"role": role, "state": state}
            async for item in http.items("/v1/trades", wanted, limit=limit):
                count += 1
                put_json(item) if json else _put_trade(Trade.model_validate(item))
        if not count and not json:
            words("No trades yet.")

    run(work)


def _put_trade(found: "Trade") -> None:
    from client_tui.format import date_time, pad, trade_state, visible_line

    other = found.buyer if found.role == "seller" else found.seller
    way = "to" if found.role == "seller" else "from"
    state = pad(trade_state(found.state), 13)
    what = f"{visible_line(found.snapshot.title)} {way} {visible_line(other.display_name)}"
    put(columns(what, f"{price(found.agreed_price)}  {state}"))
    due = f" · until {date_time(found.due_at, now())}" if found.due_at else ""
    put(f"  {found.id}  {found.method}{due}")
    if found.allowed_actions:
        put("  You may: " + ", ".join(label(action) for action in found.allowed_actions))


def _act(act: "Callable[[Api], Awaitable[Trade]]", json: bool) -> None:
    async def work() -> None:
        async with api() as account:
            found = await act(account)
        put_json(found) if json else _put_trade(found)

    run(work)


@trade.command()
def show(trade: TradeArgument, json: JsonOption = False) -> None:
    """Show a trade and its timeline."""

    async def work() -> None:
        async with api() as account:
            found = await account.trade(trade)
        if json:
            put_json(found)
            return
        from client_tui.format import date_time, visible_line

        _put_trade(found)
        for entry in found.timeline:
            note = f": {visible_line(entry.note)}" if entry.note else ""
            put(f"  {date_time(entry.at, now())}  {label(entry.event)}{note}")

    run(work)


@trade.command()
def reserve(
    room: Annotated[UUID, typer.Argument(help="The room with the buyer.")],
    price: Annotated[int, typer.Option(help="The price you see now.")],
    method: MethodOption = None,
    json: JsonOption = False,
) -> None:
    """Reserve your listing for the buyer of a room."""

    async def act(account: "Api") -> "Trade":
        from client_tui.core.forms import fill
        from shared_models.trades import TradeCreate

        form = fill(TradeCreate, chatroom_id=room, expected_price=price, method=method)
        return await account.reserve(form)

    _act(act, json)


def _simple(
    action: Literal["confirm", "undo", "withdraw_problem", "consent_to_cancel"],
) -> "Callable[[UUID, bool], None]":
    """The command of an action that needs nothing but the version one sees."""

    def command(trade: TradeArgument, json: JsonOption = False) -> None:
        async def act(account: "Api") -> "Trade":
            version = (await account.trade(trade)).version
            moved: Trade = await getattr(account, action)(trade, version)
            return moved

        _act(act, json)

    return command


trade.command("confirm", help="Say that it was handed over, or received.")(_simple("confirm"))
trade.command("undo", help="Take your confirmation back.")(_simple("undo"))
trade.command("withdraw-problem", help="Take your report of a problem back.")(
    _simple("withdraw_problem")
)
trade.command("consent-cancel", help="As buyer, let a shipped trade be cancelled.")(
    _simple("consent_to_cancel")
)


@trade.command()
def cancel(
    trade: TradeArgument,
    reason: Annotated[
        str,
        typer.Option(help="changed_mind, sold_elsewhere, no_reply, no_show, price, other."),
    ],
    json: JsonOption = False,
) -> None:
    """Cancel a reserved trade."""

    async def act(account: "Api") -> "Trade":
        return await account.cancel(trade, (await account.trade(trade)).version, reason)

    _act(act, json)


@trade.command()
def ship(
    trade: TradeArgument,
    carrier: Annotated[str, typer.Option(help="cj, post, hanjin, lotte, logen, cvs.")],
    tracking: Annotated[str, typer.Option(help="Tracking number.")],
    json: JsonOption = False,
) -> None:
    """Say how it was sent."""

    async def act(account: "Api") -> "Trade":
        version = (await account.trade(trade)).version
        return await account.ship(trade, version, carrier, tracking)

    _act(act, json)


@trade.command()
def problem(
    trade: TradeArgument,
    reason: Annotated[
        str,
        typer.Option(help="not_as_described, damaged, not_received, not_paid, wrong_item, other."),
    ],
    detail: Annotated[
        str | None, typer.Option(help="What happened; the reason's name if left out.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Report a problem; the clock stops."""

    async def act(account: "Api") -> "Trade":
        version = (await account.trade(trade)).version
        return await account.report_problem(trade, version, reason, detail or label(reason))

    _act(act, json)


@trade.command()
def review(
    trade: TradeArgument,
    rating: Annotated[int, typer.Option(help="1 to 5.")],
    tag: Annotated[list[str] | None, typer.Option(help="May repeat, up to 5.")] = None,
    comment: Annotated[str, typer.Option(help=f"Up to {REVIEW_MAX} characters.")] = "",
    json: JsonOption = False,
) -> None:
    """Review the other side; both see the reviews once both are there.

    Of a canceled trade whose other side did not come: --rating 1 --tag no_show.
    """

    async def work() -> None:
        from client_tui.core.forms import fill
        from client_tui.format import stars
        from shared_models.trades import ReviewCreate

        form = fill(ReviewCreate, rating=rating, tags=tag or [], comment=comment)
        async with api() as account:
            made = await account.review(trade, form)
        if json:
            put_json(made)
        else:
            seen = "Published." if made.published else "Hidden until both exist."
            put(f"{stars(made.rating)}  {seen}")

    run(work)
