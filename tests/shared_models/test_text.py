"""What cleaning leaves of a text."""

import time
import unicodedata

import pytest
from pydantic import TypeAdapter, ValidationError

from shared_models.accounts import DisplayName
from shared_models.chat import MessageText
from shared_models.text import clean_line, clean_text

SHY, ZWJ, ZWNJ = "\u00ad", "\u200d", "\u200c"
MARKS = "\u0301\u0316"


@pytest.mark.parametrize("text", [ZWJ, SHY, "\u3164", "\U000e0041", "\u2800", "\ufe0f", "\u0301"])
def test_a_text_in_which_nothing_can_be_seen_is_empty(text: str) -> None:
    assert clean_line(f" {text} {text}") == clean_text(f"{text}\n{text}") == ""
    with pytest.raises(ValidationError, match="at least 1 item"):
        TypeAdapter(DisplayName).validate_python(text)


@pytest.mark.parametrize("hidden", [SHY, ZWJ, ZWNJ, "\u3164", "\u115f", "\U000e0041", "\u2061"])
def test_a_line_that_looks_like_another_is_that_other(hidden: str) -> None:
    assert clean_line(f"min{hidden}ji") == clean_line(f"{hidden}minji{hidden}") == "minji"
    assert clean_line(f"민{hidden}지") == "민지"
    assert clean_line(f"a {hidden} b") == "a b"
    assert clean_line(f"e{hidden}\u0301") == "é"


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d👩\u200d👧",
        "👩🏽\u200d🚀",
        "❤\ufe0f\u200d🔥",
        "می\u200cخواهم",
        "क्\u200dष",
        "\u06dd",
        "민지 ☕",
    ],
)
def test_a_line_keeps_what_shapes_it(text: str) -> None:
    assert clean_line(text) == clean_text(text) == text
    assert clean_line(f"{text}{ZWJ}") == text


@pytest.mark.parametrize(
    "end", ["\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"], ids=ascii
)
def test_whatever_ends_a_line_is_a_line_break_and_glues_no_words_together(end: str) -> None:
    assert clean_text(f"first{end}second{end}") == "first\nsecond"
    assert clean_text(f"첫째{end}둘째") == "첫째\n둘째"
    assert clean_line(f"first{end}second") == "first second"


def test_marks_are_piled_no_higher_than_thirty_and_what_is_clean_stays() -> None:
    for piled in ("a" + MARKS * 50, "a" + "\u0344" * 30, "\u0958" + "\u0301" * 30):
        cleaned = clean_text(piled)
        assert sum(unicodedata.category(character) == "Mn" for character in cleaned) <= 30
        assert clean_text(cleaned) == clean_line(cleaned) == cleaned


def test_decomposed_text_of_the_greatest_length_is_taken_and_far_longer_text_is_not() -> None:
    message: TypeAdapter[str] = TypeAdapter(MessageText)
    assert message.validate_python(unicodedata.normalize("NFD", "한" * 2000)) == "한" * 2000
    with pytest.raises(ValidationError, match="at most 2000 items"):
        message.validate_python(" " * 20_000)


def test_the_work_grows_with_the_length_and_no_faster() -> None:
    def cpu_s(text: str) -> float:
        began = time.thread_time()
        clean_line(text)
        return time.thread_time() - began

    plain = cpu_s("가" * 40_000)
    for piled in ("a" + MARKS * 20_000, ("a" + ZWJ) * 20_000, "क्" + ("\u0301" + ZWJ) * 20_000):
        assert cpu_s(piled) < 5 * plain
