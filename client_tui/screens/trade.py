"""A trade: how it stands, what can be done now, and everything that happened."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from uuid import UUID

from rich.text import Text
from textual.widget import Widget
from textual.widgets import Static

from client_tui.core.errors import ClientError, Conflict, NotFound, Stale
from client_tui.format import (
    counted,
    date_time,
    money,
    stars,
    time_left,
    trade_state,
    visible,
    visible_line,
)
from client_tui.keymap import Action
from client_tui.screens.base import PickyScreen
from client_tui.screens.choose import ChooseScreen
from client_tui.screens.confirm import ConfirmScreen
from client_tui.screens.problem import ProblemScreen
from client_tui.screens.review import ReviewScreen
from client_tui.screens.ship import ShipScreen
from client_tui.store import Change, Reset, TradeChanged
from client_tui.widgets.scroll import ScrollColumn
from client_tui.widgets.trade_rows import other_party
from client_tui.work import start
from shared_models.trades import Review, ReviewCreate, Trade, TradeState

ACTIONS = frozenset(
    {"confirm", "undo", "cancel", "ship", "problem", "withdraw_problem", "consent_cancel", "review"}
)

Move = Callable[[Trade], Awaitable[Trade]]

_WHEN_DUE = {
    TradeState.RESERVED: "until the reservation ends",
    TradeState.SHIPPED: "until it completes by itself",
    TradeState.HANDED_OVER: "until it completes by itself",
    TradeState.DISPUTED: "until it is canceled if nobody resolves it",
}


class TradeScreen(PickyScreen):
    """One trade, as its party sees it; only what the server allows can be done."""

    context = "trade"

    def __init__(self, trade_id: UUID) -> None:
        super().__init__()
        self.trade_id = trade_id
        self.trade: Trade | None = None

    def heading(self) -> str:
        """What it is about."""
        return f"‹ trade · {visible_line(self.trade.snapshot.title)}" if self.trade else "‹ trade"

    def content(self) -> Iterable[Widget]:
        """Facts and the timeline."""
        with ScrollColumn(id="trade"):
            yield Static(id="trade-facts", markup=False)
            yield Static(id="trade-timeline", markup=False)
            yield Static(id="trade-reviews", markup=False)
        yield Static("One moment…", id="trade-note", classes="empty", markup=False)

    def on_mount(self) -> None:
        """Show what is known, then read it."""
        super().on_mount()
        self.query_one("#trade").display = False
        self._show_known()
        self.do_refresh()

    def _show_known(self) -> None:
        known = self.store.state.trades.get(self.trade_id)
        if known is not None:
            self._show(known)

    def do_refresh(self) -> None:
        """Read it again."""
        start(self, self._load, group="trade", exclusive=True)

    async def _load(self) -> None:
        try:
            self._show(await self.link.api.trade(self.trade_id))
        except NotFound:
            self._note("There is no such trade." + self.hint("back goes back"))
        except ClientError as error:
            self.failed(error)
            if self.trade is None:
                self._note(f"{error}{self.hint('refresh tries again', 'back goes back')}")
            else:
                self.say(str(error), severity="error")

    def _note(self, text: str) -> None:
        note = self.query_one("#trade-note", Static)
        note.update(text)
        note.display = True

    def on_change(self, change: Change) -> None:
        """It moved on."""
        if isinstance(change, TradeChanged) and change.trade.id == self.trade_id:
            self._show(change.trade)
        elif isinstance(change, Reset):
            self._show_known()
            self.do_refresh()

    def _show(self, trade: Trade) -> None:
        self.trade = trade
        self.query_one("#trade-note").display = False
        self.query_one("#trade").display = True
        self.query_one("#trade-facts", Static).update(self._facts(trade))
        self.query_one("#trade-timeline", Static).update(self._timeline(trade))
        self.query_one("#trade-reviews", Static).update(self._reviews(trade))
        self.redraw_bars()

    @property
    def _dim(self) -> str:
        return self.app.theme_variables.get("dim", "")

    def _facts(self, trade: Trade) -> Text:
        market, now = self.link.market, self.link.now()
        accent = f"bold {self.app.theme_variables['primary']}"
        text = Text()
        text.append(visible_line(trade.snapshot.title), "bold")
        text.append("\n")
        text.append(money(trade.agreed_price, market.currency_exponent, market.currency), accent)
        text.append(f"   {trade_state(trade.state)}")
        text.append("   by post" if trade.method == "post" else "   in person", self._dim)
        verb = "You sell to " if trade.role == "seller" else "You buy from "
        text.append(f"\n{verb}")
        text.append(other_party(trade), "bold")
        if trade.due_at is not None and trade.state in _WHEN_DUE:
            text.append(f"\n{time_left(trade.due_at, now)} {_WHEN_DUE[trade.state]}", self._dim)
        if trade.carrier:
            carriers = {carrier.id: carrier.name for carrier in market.carriers}
            text.append(f"\n{carriers.get(trade.carrier, trade.carrier)} {trade.tracking_number}")
            text.append(f"\n{trade.tracking_url}", self._dim)
        if trade.problem_reason and trade.state is TradeState.DISPUTED:
            reasons = {choice.id: choice.name for choice in market.problem_reasons}
            text.append(f"\nproblem: {reasons.get(trade.problem_reason, trade.problem_reason)}")
        if trade.cancel_reason:
            reasons = {choice.id: choice.name for choice in market.cancel_reasons}
            reason = reasons.get(trade.cancel_reason, trade.cancel_reason.replace("_", " "))
            text.append(f"\ncanceled: {reason}", self._dim)
        next_step = self._next_step(trade)
        if next_step:
            text.append(f"\n\n{next_step}", accent)
        return text

    def _next_step(self, trade: Trade) -> str:
        allowed = trade.allowed_actions
        if "ship" in allowed:
            return f"Next: send it, then {self.key('ship')} says how."
        if "confirm" in allowed:
            done = "handed it over" if trade.role == "seller" else "received it"
            return f"Next: once you {done}, {self.key('confirm')} confirms."
        if trade.state is TradeState.HANDED_OVER:
            return "You have confirmed. The other side has to as well."
        if trade.state is TradeState.SHIPPED:
            return "It is on its way. The buyer confirms on arrival."
        if "review" in allowed and trade.state is TradeState.CANCELED:
            return f"{self.key('review')} says that the other side did not come."
        if "review" in allowed:
            return f"Next: {self.key('review')} reviews the other side."
        return ""

    def _timeline(self, trade: Trade) -> Text:
        names = {
            trade.seller.id: visible_line(trade.seller.display_name),
            trade.buyer.id: visible_line(trade.buyer.display_name),
        }
        names[self.store.me or trade.id] = "you"
        text = Text()
        last = len(trade.timeline) - 1
        for position, entry in enumerate(trade.timeline):
            text.append("● " if position == last else "○ ", "bold" if position == last else "")
            text.append(entry.event.replace("_", " "))
            who = names.get(entry.actor_id, "") if entry.actor_id else "by itself"
            text.append(f" · {who}", self._dim)
            text.append(f" · {date_time(entry.at, self.link.now())}\n", self._dim)
            if entry.note:
                text.append(f"│   {visible_line(entry.note)}\n", self._dim)
        return text

    def _reviews(self, trade: Trade) -> Text:
        text = Text()
        for title, review in (("Your review", trade.my_review), ("Theirs", trade.other_review)):
            if review is not None:
                text.append(f"{title}  ", "bold")
                text.append_text(self._review(review))
        if trade.my_review and not trade.my_review.published:
            days = counted(self.link.market.limits.review_days, "day")
            text.append(f"Shown when both have reviewed, or the {days} are over.\n", self._dim)
        return text

    def _review(self, review: Review) -> Text:
        tags = {tag.id: tag.name for tag in self.link.market.review_tags}
        text = Text(stars(review.rating) + "\n")
        if review.tags:
            text.append(" · ".join(tags.get(tag, tag) for tag in review.tags) + "\n", self._dim)
        if review.comment:
            text.append(visible(review.comment) + "\n")
        return text

    # Actions

    def why_not(self, action_id: str) -> str | None:
        """Only what the server allows."""
        if action_id not in ACTIONS:
            return None
        if self.trade is None:
            return "The trade is not here yet."
        if action_id in self.trade.allowed_actions:
            return None
        return f"Not now: the trade is {trade_state(self.trade.state)[2:]}."

    def footer_actions(self) -> list[Action]:
        """What is possible, and what is always there."""
        allowed = self.trade.allowed_actions if self.trade else []
        return [
            action
            for action in super().footer_actions()
            if action.id not in ACTIONS or action.id in allowed
        ]

    def _move(self, move: Move, done: str) -> None:
        start(self, partial(self._moved, move, done), group="trade-action")

    async def _moved(self, move: Move, done: str) -> None:
        try:
            await self._try(move)
        except (Conflict, Stale) as conflict:
            self.say(f"{conflict.detail} This is how it is now.", severity="warning")
        else:
            self.say(done)

    async def _try(self, move: Move) -> None:
        """Move it on; where that is refused, because it is another one now, read it again."""
        assert self.trade is not None
        try:
            trade = await move(self.trade)
        except (Conflict, Stale):
            await self._load()
            raise
        self.store.put_trade(trade)
        self._show(trade)

    def do_confirm(self) -> None:
        """Handed over, or received; asked first, for it completes the trade."""
        assert self.trade is not None
        seller = self.trade.role == "seller"
        title = "You handed it over?" if seller else "You received it?"
        detail = "When both sides have confirmed, the trade is complete and final."
        self.app.push_screen(ConfirmScreen(title, detail, yes="Confirm"), self._confirm)

    def _confirm(self, yes: bool | None) -> None:
        if yes:
            self._move(lambda t: self.link.api.confirm(t.id, t.version), "Confirmed.")

    def do_undo(self) -> None:
        """Take one's confirmation back."""
        self._move(lambda t: self.link.api.undo(t.id, t.version), "Taken back.")

    def do_cancel(self) -> None:
        """Cancel with a reason."""
        choices = [(choice.id, choice.name) for choice in self.link.market.cancel_reasons]
        self.app.push_screen(ChooseScreen("Cancel the trade. Why?", choices), self._cancel)

    def _cancel(self, reason: str | None) -> None:
        if reason is not None:
            self._move(
                lambda t: self.link.api.cancel(t.id, t.version, reason),
                "Canceled. The listing is on sale again.",
            )

    def do_ship(self) -> None:
        """Say how it was sent."""
        self.app.push_screen(ShipScreen(self.link.market.carriers, self._ship))

    async def _ship(self, carrier: str, number: str) -> None:
        await self._try(lambda t: self.link.api.ship(t.id, t.version, carrier, number))

    def do_problem(self) -> None:
        """Stop the clock."""
        self.app.push_screen(ProblemScreen(self.link.market.problem_reasons, self._report))

    async def _report(self, reason: str, detail: str) -> None:
        await self._try(lambda t: self.link.api.report_problem(t.id, t.version, reason, detail))

    def do_withdraw_problem(self) -> None:
        """It is solved."""
        self._move(lambda t: self.link.api.withdraw_problem(t.id, t.version), "Withdrawn.")

    def do_consent_cancel(self) -> None:
        """The buyer of a shipped trade lets the seller cancel."""
        self._move(
            lambda t: self.link.api.consent_to_cancel(t.id, t.version),
            "The seller may cancel now.",
        )

    def do_review(self) -> None:
        """Review the other side."""
        assert self.trade is not None
        other = other_party(self.trade)
        canceled = self.trade.state is TradeState.CANCELED
        self.app.push_screen(
            ReviewScreen(other, self.link.market, self._review_it, only_no_show=canceled)
        )

    async def _review_it(self, review: ReviewCreate) -> None:
        await self.link.api.review(self.trade_id, review)
        self.do_refresh()

    def do_trade_chat(self) -> None:
        """Its room."""
        if self.trade is not None:
            self.picky.open_chat(self.trade.chatroom_id)

    def do_trade_listing(self) -> None:
        """Its listing."""
        if self.trade is not None:
            self.picky.open_listing(self.trade.listing_id)

    def do_copy(self) -> None:
        """The tracking number, else the title."""
        if self.trade is not None:
            self.app.copy_to_clipboard(self.trade.tracking_number or self.trade.snapshot.title)
            self.say("Copied.")
