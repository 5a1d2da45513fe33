"""What happens between a buyer and a seller: one plot for every way a deal can go.

A plot plays its scene and yields the moment at which it goes on. What a plot leaves behind is in
its docstring; how long ago it must begin for that is in `cast`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from server.app.demo.scene import Scene
from server.app.demo.stage import Plot
from server.app.demo.talk import Note

ScenePlot = Callable[[Scene], Plot]


async def enquiry(scene: Scene) -> Plot:
    """Questions and answers; the buyer's last line is still unread."""
    await scene.open()
    yield scene.stage.later(minutes=25)
    await scene.talk("greetings", "questions", "waiting")
    yield scene.stage.later(minutes=8)
    await scene.write(by_buyer=True)


async def offer_pending(scene: Scene) -> Plot:
    """An offer that the seller has yet to answer."""
    await scene.open()
    yield scene.stage.later(minutes=30)
    await scene.talk("greetings", "questions", "haggles")
    yield scene.stage.later(minutes=2)
    await scene.make_offer()


async def offer_countered(scene: Scene) -> Plot:
    """A counter that the buyer has yet to answer."""
    async for moment in offer_pending(scene):
        yield moment
    yield scene.stage.later(hours=1)
    price, amount = scene.offered.thing.price, scene.offer["amount"]
    between = min(price, max(amount, (price + amount) // 2_000 * 1_000))
    await scene.answer_offer("counter", scene.seller, amount=between)


async def offer_declined(scene: Scene) -> Plot:
    """The seller said no."""
    async for moment in offer_pending(scene):
        yield moment
    yield scene.stage.later(hours=3)
    await scene.answer_offer("decline", scene.seller)
    yield scene.stage.later(minutes=15)
    await scene.talk("declined")


async def offer_withdrawn(scene: Scene) -> Plot:
    """The buyer took the offer back."""
    async for moment in offer_pending(scene):
        yield moment
    yield scene.stage.later(hours=5)
    await scene.answer_offer("withdraw", scene.buyer)


async def reserved(scene: Scene) -> Plot:
    """Reserved by the seller; they meet the day after tomorrow."""
    await scene.open()
    yield scene.stage.later(minutes=40)
    await scene.talk("greetings", "questions", "appointments")
    yield scene.stage.later(minutes=5)
    await scene.reserve("meet")
    yield scene.stage.later(minutes=10)
    await scene.agree_to_meet(_afternoon(scene, days=2))


async def reserved_by_offer(scene: Scene) -> Plot:
    """Reserved because the seller accepted an offer; no appointment yet."""
    async for moment in offer_pending(scene):
        yield moment
    yield scene.stage.later(hours=1)
    await scene.answer_offer("accept", scene.seller)
    yield scene.stage.later(minutes=10)
    await scene.talk("accepted")


async def _met(scene: Scene) -> Plot:
    """They agreed, met, and nobody has confirmed yet."""
    await scene.open()
    yield scene.stage.later(minutes=35)
    await scene.talk("greetings", "questions", "appointments")
    yield scene.stage.later(minutes=3)
    await scene.reserve("meet")
    meeting_at = scene.stage.later(hours=5)
    await scene.agree_to_meet(meeting_at)
    yield meeting_at + timedelta(minutes=4)
    await scene.talk("meetings")
    yield scene.stage.later(minutes=12)


async def handed_over(scene: Scene) -> Plot:
    """The seller says handed over; the buyer has yet to confirm."""
    async for moment in _met(scene):
        yield moment
    await scene.act("confirm", scene.seller)


async def received(scene: Scene) -> Plot:
    """The buyer says received; the seller has yet to confirm."""
    async for moment in _met(scene):
        yield moment
    await scene.act("confirm", scene.buyer)


async def disputed(scene: Scene) -> Plot:
    """Handed over, and the buyer reported a problem."""
    async for moment in handed_over(scene):
        yield moment
    yield scene.stage.later(hours=6)
    await scene.report_problem()
    yield scene.stage.later(minutes=30)
    await scene.talk("problems")


async def completed_unreviewed(scene: Scene) -> Plot:
    """Confirmed by both; nobody has reviewed yet."""
    async for moment in handed_over(scene):
        yield moment
    yield scene.stage.later(hours=1)
    await scene.act("confirm", scene.buyer)
    yield scene.stage.later(minutes=30)
    await scene.talk("thanks")


async def completed_waiting(scene: Scene) -> Plot:
    """Completed; the buyer has reviewed, which is hidden until the seller does."""
    async for moment in completed_unreviewed(scene):
        yield moment
    yield scene.stage.later(hours=2)
    await scene.review(scene.buyer)


async def completed_asked(scene: Scene) -> Plot:
    """Completed; the seller has reviewed, which is hidden until the buyer does."""
    async for moment in completed_unreviewed(scene):
        yield moment
    yield scene.stage.later(hours=3)
    await scene.review(scene.seller)


async def completed(scene: Scene) -> Plot:
    """Completed and reviewed on both sides; the seller answers the buyer's review."""
    async for moment in completed_unreviewed(scene):
        yield moment
    yield scene.stage.later(hours=4)
    review = await scene.review(scene.buyer)
    yield scene.stage.later(hours=9)
    await scene.review(scene.seller)
    yield scene.stage.later(hours=2)
    await scene.answer_review(review, scene.seller)


async def completed_by_timer(scene: Scene) -> Plot:
    """One side never confirmed: completed by itself after 72 hours."""
    async for moment in handed_over(scene):
        yield moment
    yield scene.stage.later(hours=scene.stage.context.limits.confirm_hours)
    await scene.stage.run_timers()
    yield scene.stage.later(hours=8)
    await scene.review(scene.seller)


async def given_away(scene: Scene) -> Plot:
    """A giveaway, handed over and confirmed."""
    await scene.open()
    yield scene.stage.later(minutes=20)
    await scene.talk("giveaways", "appointments")
    yield scene.stage.later(minutes=5)
    await scene.reserve("meet")
    yield scene.stage.later(hours=7)
    await scene.talk("meetings")
    yield scene.stage.later(minutes=5)
    await scene.act("confirm", scene.buyer)
    yield scene.stage.later(minutes=20)
    await scene.act("confirm", scene.seller)


async def posted(scene: Scene) -> Plot:
    """Sold by post and on its way."""
    await scene.open()
    yield scene.stage.later(minutes=30)
    await scene.talk("greetings", "questions", "posting")
    yield scene.stage.later(minutes=10)
    await scene.reserve("post")
    yield scene.stage.later(hours=8)
    await scene.ship()


async def arrived(scene: Scene) -> Plot:
    """Sold by post, arrived, reviewed on both sides."""
    async for moment in posted(scene):
        yield moment
    yield scene.stage.later(days=2)
    await scene.act("confirm", scene.buyer)
    yield scene.stage.later(minutes=25)
    await scene.talk("arrived")
    yield scene.stage.later(hours=5)
    await scene.review(scene.seller)
    yield scene.stage.later(hours=20)
    await scene.review(scene.buyer)


async def arrived_by_timer(scene: Scene) -> Plot:
    """Sold by post; nobody said that it came, so it completed by itself after seven days."""
    async for moment in posted(scene):
        yield moment
    yield scene.stage.later(days=scene.stage.context.limits.shipped_days)
    await scene.stage.run_timers()


async def disputed_by_post(scene: Scene) -> Plot:
    """Arrived by post with a problem."""
    async for moment in posted(scene):
        yield moment
    yield scene.stage.later(days=1, hours=4)
    await scene.report_problem()
    yield scene.stage.later(minutes=20)
    await scene.talk("problems")


async def canceled_by_post(scene: Scene) -> Plot:
    """Shipped, and canceled with the buyer's consent."""
    async for moment in posted(scene):
        yield moment
    yield scene.stage.later(hours=5)
    await scene.talk("cancellations")
    await scene.act("consent-cancel", scene.buyer)
    yield scene.stage.later(hours=1)
    await scene.act("cancel", scene.seller, reason="changed_mind")


async def changed_mind(scene: Scene) -> Plot:
    """The buyer canceled."""
    async for moment in _canceled(scene, "changed_mind", by_buyer=True):
        yield moment


async def sold_elsewhere(scene: Scene) -> Plot:
    """The seller canceled: sold to somebody else."""
    async for moment in _canceled(scene, "sold_elsewhere", by_buyer=False):
        yield moment


async def no_reply(scene: Scene) -> Plot:
    """The seller canceled: no answer any more."""
    async for moment in _canceled(scene, "no_reply", by_buyer=False):
        yield moment


async def price_trouble(scene: Scene) -> Plot:
    """The buyer canceled over the price."""
    async for moment in _canceled(scene, "price", by_buyer=True):
        yield moment


async def other_reason(scene: Scene) -> Plot:
    """The seller canceled for a reason of their own."""
    async for moment in _canceled(scene, "other", by_buyer=False):
        yield moment


async def _canceled(scene: Scene, reason: str, *, by_buyer: bool) -> Plot:
    await scene.open()
    yield scene.stage.later(minutes=30)
    await scene.talk("greetings", "questions", "appointments")
    yield scene.stage.later(minutes=10)
    await scene.reserve("meet")
    yield scene.stage.later(hours=20)
    await scene.talk("cancellations")
    yield scene.stage.later(minutes=5)
    by = scene.buyer if by_buyer else scene.seller
    await scene.act("cancel", by, reason=reason)


async def no_show(scene: Scene) -> Plot:
    """The buyer did not come and did not contest it; the seller canceled, and said so."""
    await scene.open()
    yield scene.stage.later(minutes=30)
    await scene.talk("greetings", "appointments")
    yield scene.stage.later(minutes=10)
    await scene.reserve("meet")
    meeting_at = scene.stage.later(hours=4)
    await scene.agree_to_meet(meeting_at)
    yield meeting_at + timedelta(minutes=40)
    await scene.report_no_show()
    yield scene.stage.later(hours=2)
    await scene.act("cancel", scene.seller, reason="no_show")
    yield scene.stage.later(hours=scene.stage.context.limits.no_show_contest_hours)
    await scene.stage.run_timers()
    await scene.review_no_show()


async def forgotten(scene: Scene) -> Plot:
    """Reserved without an appointment: the reservation ran out after seven days."""
    await scene.open()
    yield scene.stage.later(minutes=20)
    await scene.talk("greetings", "waiting")
    yield scene.stage.later(minutes=10)
    await scene.reserve("meet")
    yield scene.stage.later(days=scene.stage.context.limits.reserve_days)
    await scene.stage.run_timers()


def _afternoon(scene: Scene, *, days: int) -> datetime:
    """Seven in the evening in Seoul, some days from the present."""
    day = scene.stage.end + timedelta(days=days)
    return day.replace(hour=10, minute=0, second=0, microsecond=0)


async def bystander(scene: Scene) -> Plot:
    """Somebody asked, and somebody else will get it."""
    await scene.open()
    yield scene.stage.later(minutes=25)
    await scene.talk("greetings", "questions")


async def outbid(scene: Scene) -> Plot:
    """Somebody offered, and somebody else may get it: then the offer is superseded."""
    async for moment in bystander(scene):
        yield moment
    yield scene.stage.later(minutes=4)
    await scene.make_offer()


async def friendship(scene: Scene, notes: Sequence[Note]) -> Plot:
    """The thing changed hands, and the two have kept writing until a few minutes ago."""
    async for moment in completed(scene):
        yield moment
    stage = scene.stage
    yield stage.end - timedelta(minutes=20)
    await scene.recall(notes)
    yield stage.end - timedelta(minutes=6)
    await scene.write(by_buyer=False)
