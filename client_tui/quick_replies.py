"""Short answers that one sends often: the usual ones until somebody has their own."""

import os
from collections.abc import Mapping

_USUAL = {
    "en": (
        "Hi! Is it still available?",
        "Yes, it is still available.",
        "Sorry, it is reserved.",
        "Where and when can we meet?",
        "I am on my way.",
        "I am here.",
        "Thank you!",
    ),
    "ko": (
        "안녕하세요! 아직 판매 중인가요?",
        "네, 아직 있어요.",
        "죄송해요, 예약되었어요.",
        "언제 어디서 만날까요?",
        "지금 가고 있어요.",
        "도착했어요.",
        "감사합니다!",
    ),
}


def usual_replies(locale: str | None, environment: Mapping[str, str] = os.environ) -> list[str]:
    """In the language of the account, or of this machine where the account has none."""
    names = (locale, *(environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")))
    language = next((name for name in names if name), "en")[:2].lower()
    return list(_USUAL.get(language, _USUAL["en"]))
