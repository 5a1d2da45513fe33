"""``GET /v1/market``: the closed lists and the limits."""

from server.app.settings import Settings
from server.app.version import picky_version
from shared_models import market


def describe_market(settings: Settings) -> market.Market:
    """The market as its clients see it."""
    return market.Market(
        name=settings.market_name,
        currency=settings.currency,
        currency_exponent=settings.currency_exponent,
        categories=list(market.CATEGORIES),
        conditions=list(market.CONDITIONS),
        carriers=list(market.CARRIERS),
        cancel_reasons=list(market.CANCEL_REASONS),
        problem_reasons=list(market.PROBLEM_REASONS),
        report_reasons=list(market.REPORT_REASONS),
        review_tags=list(market.REVIEW_TAGS),
        limits=market.Limits(**settings.limits.model_dump()),
        safety_line=market.SAFETY_LINE,
        server_version=picky_version(),
    )
