"""Pages of the market and searches over many listings."""

from bench.figures import Figures, measured, timed
from bench.filling import fill_listings
from bench.market import Market, Person, sign_up
from shared_models.listings import ListingFilter, Sort

LISTINGS = 100_000

QUESTIONS = (
    ("a listing page, newest", ListingFilter()),
    ("a listing page, a category by price", ListingFilter(category="books", sort=Sort.PRICE_ASC)),
    ("a search, a frequent word", ListingFilter(q="의자")),
    ("a search, three words by relevance", ListingFilter(q="oak 의자 lamp", sort=Sort.RELEVANCE)),
    ("a search that leaves a word out", ListingFilter(q="bike -white")),
    ("a search that finds nothing", ListingFilter(q="zeppelin")),
)


async def measure_browsing(market: Market, *, pages: int, listings: int) -> list[Figures]:
    """Each question many times, and a deep page of the first."""
    person = await sign_up(market, "browser")
    await fill_listings(market.database_url, listings, person.id)
    found = []
    for name, question in QUESTIONS:
        found.append(await _ask(market, person, f"{name}, of {listings:,}", question, pages))
    found.append(await _deep(market, person, pages))
    await person.api.aclose()
    return found


async def _ask(
    market: Market, person: Person, name: str, question: ListingFilter, count: int
) -> Figures:
    await person.api.listings(question)
    with measured(name, market.watched) as figures:
        for _ in range(count):
            with timed(figures):
                page = await person.api.listings(question)
    figures.note = f"{len(page.items)} cards"
    return figures


async def _deep(market: Market, person: Person, count: int) -> Figures:
    cursor = None
    for _ in range(50):
        page = await person.api.listings(ListingFilter(), cursor=cursor, limit=100)
        cursor = page.next_cursor
    with measured("a listing page, newest, after 5,000", market.watched) as figures:
        for _ in range(count):
            with timed(figures):
                await person.api.listings(ListingFilter(), cursor=cursor)
    return figures
