"""What a new listing must be, as far as the market tells it: checked before a photo is sent."""

from collections.abc import Iterator

from client_tui.core.errors import FieldError, Invalid
from shared_models.listings import ListingCreate
from shared_models.market import Market


def check_new_listing(form: ListingCreate, photo_count: int, market: Market) -> None:
    """Raise :class:`Invalid` with everything at once that keeps it from being on sale.

    In the server's own words; what words may not be sold only the server knows.
    """
    problems = [
        *_texts(form, market),
        *_choices(form, market),
        *_photos(photo_count, market.limits.listing_photos_max),
    ]
    if problems:
        detail = " ".join(problem.message for problem in problems)
        raise Invalid(422, "not_publishable", detail, errors=problems)


def _texts(form: ListingCreate, market: Market) -> Iterator[FieldError]:
    limits = market.limits
    bounds = (
        ("title", "A title", limits.title_min, limits.title_max),
        ("description", "A description", limits.description_publish_min, limits.description_max),
        ("place", "A place", 0, limits.place_max),
    )
    for field, name, least, most in bounds:
        length = len(getattr(form, field) or "")
        if length < least:
            yield FieldError(field, "too_short", f"{name} has {least} characters or more.")
        if length > most:
            yield FieldError(field, "too_long", f"{name} has {most:,} characters at most.")


def _choices(form: ListingCreate, market: Market) -> Iterator[FieldError]:
    for field, known in (("category", market.categories), ("condition", market.conditions)):
        chosen = getattr(form, field)
        if chosen is None:
            yield FieldError(field, "required", f"Choose a {field}.")
        elif chosen not in [choice.id for choice in known]:
            yield FieldError(field, f"unknown_{field}", f"There is no such {field}.")
    most = market.limits.price_max
    if form.price is None:
        yield FieldError("price", "required", "Choose a price.")
    elif form.price > most:
        yield FieldError("price", "too_high", f"A price is {most:,} at most.")


def _photos(count: int, most: int) -> Iterator[FieldError]:
    if not count:
        yield FieldError("photo_ids", "required", "Add at least one photo.")
    if count > most:
        yield FieldError("photo_ids", "too_long", f"A listing has {most} photos at most.")
