"""What a listing must be to be kept and to go on sale (rules 4 and 19). No I/O."""

from collections.abc import Iterator, Mapping
from typing import Any

from server.listings.prohibited import prohibited_in
from server.platform.errors import Invalid
from shared_models.market import CATEGORIES, Limits
from shared_models.problem import FieldProblem

_CATEGORY_IDS = frozenset(category.id for category in CATEGORIES)


def check_category(category: str | None) -> None:
    """422 ``unknown_category`` when the market has no such category."""
    if category is not None and category not in _CATEGORY_IDS:
        raise Invalid.field("category", "unknown_category", "There is no such category.")


def check_publishable(listing: Mapping[str, Any], limits: Limits) -> None:
    """422 with everything at once that keeps a listing from being on sale."""
    problems = [*_missing(listing, limits), *_prohibited(listing)]
    if problems:
        code = problems[0].code if len(problems) == 1 else "not_publishable"
        raise Invalid(code, " ".join(problem.message for problem in problems), errors=problems)


def _missing(listing: Mapping[str, Any], limits: Limits) -> Iterator[FieldProblem]:
    if len(listing["title"]) < limits.title_min:
        yield _problem("title", "too_short", f"A title has {limits.title_min} characters or more.")
    if len(listing["description"]) < limits.description_publish_min:
        least = limits.description_publish_min
        yield _problem("description", "too_short", f"A description has {least} characters or more.")
    for field in ("category", "condition", "price"):
        if listing[field] is None:
            yield _problem(field, "required", f"Choose a {field}.")
    if not listing["photos"]:
        yield _problem("photo_ids", "required", "Add at least one photo.")


def _prohibited(listing: Mapping[str, Any]) -> Iterator[FieldProblem]:
    for field in ("title", "description"):
        found = prohibited_in(listing[field])
        if found is not None:
            kind, words = found
            message = f'"{words}" is not allowed here: {kind} may not be sold.'
            yield _problem(field, "prohibited", message)


def _problem(field: str, code: str, message: str) -> FieldProblem:
    return FieldProblem(field=field, code=code, message=message)
