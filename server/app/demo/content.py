"""Who lives in the demo market and what they sell, the same for the same seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random
from typing import Any

from server.app.demo.avatars import Look
from server.app.demo.texts import Exchange, Language, Phrase, load, phrases, pick, read_exchanges
from shared_models.market import CATEGORIES, Condition, Method

_CONDITIONS = {
    # condition: (how often of 100, share of the usual price)
    Condition.NEW: (8, 1.25),
    Condition.LIKE_NEW: (27, 1.1),
    Condition.GOOD: (43, 1.0),
    Condition.FAIR: (18, 0.7),
    Condition.FOR_PARTS: (4, 0.25),
}
_METHODS = {Method.MEET: 50, Method.BOTH: 38, Method.POST: 12}
_PICTURE_COUNTS = {1: 48, 2: 30, 3: 14, 4: 8}
_CHEAP = 30_000
_WITHOUT_A_PAST = (Condition.NEW, Condition.FOR_PARTS)
_GIVEAWAY_SHARE = 0.3
_NEGOTIABLE_SHARE = 0.55
_COLOURED_TITLE_SHARE = 0.6
_TITLE_MAX = 60


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who never lived."""

    handle: str
    name: str
    place: str
    language: Language
    look: Look


@dataclass(frozen=True, slots=True)
class Thing:
    """What a listing says and how it looks; `price` in won, 0 for a giveaway."""

    title: str
    description: str
    category: str
    condition: Condition
    price: int
    negotiable: bool
    method: Method
    place: str
    language: Language
    model: Phrase
    questions: tuple[Exchange, ...]
    drawing: str
    colour: str
    pictures: int


@dataclass(frozen=True, slots=True)
class _Model:
    """A thing as the catalogue knows it."""

    category: str
    name: Phrase
    usual_price: int
    item: dict[str, Any]

    @property
    def shelf(self) -> dict[str, Any]:
        """The file of the catalogue that it comes from."""
        return load(f"catalogue/{self.category}")

    @property
    def questions(self) -> tuple[Exchange, ...]:
        """What buyers ask about such a thing."""
        return read_exchanges(
            [
                question["turns"]
                for question in self.shelf["questions"]
                if self.item["drawing"] in question.get("about", [self.item["drawing"]])
            ],
            "bs",
        )


def people() -> list[Person]:
    """Everybody, the person who signs in to the demo first."""
    return [
        Person(
            entry["handle"],
            entry["name"],
            entry["place"],
            entry["language"],
            Look(entry["skin"], entry["hair"], entry["cut"], entry.get("extra", "")),
        )
        for entry in load("people")["people"]
    ]


def things(rng: Random, sellers: Sequence[Person]) -> list[Thing]:
    """One thing to sell for each seller given, spread evenly over the categories."""
    return [
        _thing(rng, model, seller)
        for model, seller in zip(islice(_models(rng), len(sellers)), sellers, strict=True)
    ]


def thing_drawn_as(rng: Random, drawing: str, seller: Person) -> Thing:
    """One thing of a certain look."""
    models = [model for model in _every_model(rng) if model.item["drawing"] == drawing]
    return _thing(rng, models[0], seller)


def _every_model(rng: Random) -> list[_Model]:
    return [model for category in CATEGORIES for model in _shelf(rng, category.id)]


def _models(rng: Random) -> Iterator[_Model]:
    """Models without end: a category after the other, no model twice before all have come."""
    shelves = [cycle(_shelf(rng, category.id)) for category in CATEGORIES]
    while True:
        rng.shuffle(shelves)
        for shelf in shelves:
            yield next(shelf)


def _shelf(rng: Random, category: str) -> list[_Model]:
    items = load(f"catalogue/{category}")["items"]
    models = []
    for item in items:
        for text in item["models"]:
            name, _, price = text.rpartition(" | ")
            models.append(_Model(category, Phrase.parse(name), int(price), item))
    rng.shuffle(models)
    return models


def _weighted(rng: Random, weights: dict[Any, int]) -> Any:
    return rng.choices(list(weights), list(weights.values()))[0]


def _thing(rng: Random, model: _Model, seller: Person) -> Thing:
    conditions = [Condition(name) for name in model.shelf["conditions"]]
    condition = _weighted(rng, {name: _CONDITIONS[name][0] for name in conditions})
    share = _CONDITIONS[condition][1] if len(conditions) > 1 else 1
    price = _rounded(model.usual_price * share * rng.uniform(0.85, 1.05))
    if price < _CHEAP and rng.random() < _GIVEAWAY_SHARE:
        price = 0
    method = Method.MEET if price == 0 else _weighted(rng, _METHODS)
    negotiable = price > 0 and rng.random() < _NEGOTIABLE_SHARE
    colour = rng.choice(model.item.get("colours") or model.item["tints"])
    slots = {
        "model": model.name.said(seller.language),
        "colour": Phrase.parse(load("selling")["colours"][colour]).said(seller.language),
        "tag": Phrase.parse(rng.choice(model.item["tags"])).said(seller.language),
        "place": seller.place,
    }
    return Thing(
        title=_title(rng, model, condition, price, seller.language, slots),
        description=_description(rng, model, condition, price, negotiable, method, seller, slots),
        category=model.category,
        condition=condition,
        price=price,
        negotiable=negotiable,
        method=method,
        place=seller.place,
        language=seller.language,
        model=model.name,
        questions=model.questions,
        drawing=model.item["drawing"],
        colour=colour,
        pictures=_weighted(rng, _PICTURE_COUNTS),
    )


def _rounded(price: float) -> int:
    """A price as people write it: whole thousands, from 100,000 whole ten thousands."""
    step = 1_000 if price < 100_000 else 10_000
    return max(step, round(price / step) * step)


def _title(
    rng: Random,
    model: _Model,
    condition: Condition,
    price: int,
    language: Language,
    slots: dict[str, str],
) -> str:
    if price == 0:
        patterns = phrases("selling", "giveaway_titles")
    elif condition is Condition.FOR_PARTS:
        patterns = phrases("selling", "parts_titles")
    elif "colours" in model.item and rng.random() < _COLOURED_TITLE_SHARE:
        patterns = phrases("selling", "coloured_titles")
    else:
        patterns = phrases("selling", "titles")
    title = rng.choice(patterns).said(language, slots)
    return title if len(title) <= _TITLE_MAX else slots["model"]


def _description(
    rng: Random,
    model: _Model,
    condition: Condition,
    price: int,
    negotiable: bool,
    method: Method,
    seller: Person,
    slots: dict[str, str],
) -> str:
    own_wear = model.item.get("wear") or model.shelf.get("wear")
    wear = own_wear or load("selling")["wear"][condition]
    told = own_wear or condition not in _WITHOUT_A_PAST
    facts = rng.sample(model.item["facts"], rng.randint(2, 3)) if told else []
    about = [Phrase.parse(text) for text in (*rng.sample(wear, 1 if told else 2), *facts)]
    terms = [pick(rng, "selling", "handover", method)]
    if price == 0:
        terms.append(pick(rng, "selling", "giveaway_closings"))
    elif rng.random() < 0.7:
        terms.append(pick(rng, "selling", "negotiable" if negotiable else "firm"))
    paragraphs = [[pick(rng, "selling", "openings")], about, terms]
    if rng.random() < 0.65:
        paragraphs[0].append(pick(rng, "selling", "reasons"))
    return "\n\n".join(
        " ".join(phrase.said(seller.language, slots) for phrase in paragraph)
        for paragraph in paragraphs
    )
