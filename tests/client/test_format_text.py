"""Text measured in terminal cells, and text from elsewhere made safe to draw."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_tui import format as fmt

CHAIR = "허먼밀러 에어론 의자"
FAMILY = "👨‍👩‍👧"

_words = st.text(st.sampled_from("ab 가나 漢字ー👍é…\n"), max_size=120)
_anything = st.text(max_size=80)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 0),
        ("chair", 5),
        (CHAIR, 20),
        ("e\u0301", 1),
        ("👍", 2),
        (FAMILY, 2),
        ("● ◐ ○ ★ ♥ ▌ … ·", 15),
    ],
)
def test_cells_are_counted_as_the_terminal_draws_them(text: str, size: int) -> None:
    assert fmt.cells(text) == size


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("chair", 5, "chair"),
        ("chairs", 5, "chai…"),
        (CHAIR, 20, CHAIR),
        (CHAIR, 8, "허먼밀…"),
        (CHAIR, 7, "허먼밀…"),
        ("oak chair", 5, "oak…"),
        ("ae\u0301iou", 3, "ae\u0301…"),
        (f"{FAMILY}{FAMILY}", 3, f"{FAMILY}…"),
        ("chair", 1, "…"),
        ("chair", 0, ""),
    ],
)
def test_text_is_cut_between_letters_and_never_inside_one(text: str, width: int, cut: str) -> None:
    assert fmt.truncate(text, width) == cut


def test_padding_counts_cells_and_never_cuts() -> None:
    assert fmt.pad("의자", 6) == "의자  "
    assert fmt.pad("의자", 6, "right") == "  의자"
    assert fmt.pad("의자", 7, "center") == " 의자  "
    assert fmt.pad("의자", 3) == "의자"


@given(_anything, st.integers(0, 40), st.sampled_from(["left", "right", "center"]))
def test_fitted_text_has_exactly_its_width(text: str, width: int, align: fmt.Align) -> None:
    assert fmt.cells(fmt.fit(fmt.visible_line(text), width, align)) == width


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 10, [""]),
        ("oak chair, pair", 15, ["oak chair, pair"]),
        ("oak chair, pair", 10, ["oak chair,", "pair"]),
        ("the whole chair", 5, ["the", "whole", "chair"]),
        (CHAIR, 15, ["허먼밀러 에어론", "의자"]),
        (CHAIR, 9, ["허먼밀러", "에어론", "의자"]),
        ("가나다라마", 5, ["가나", "다라", "마"]),
        ("漢字仮名交", 5, ["漢字", "仮名", "交"]),
        ("see 漢字仮名", 8, ["see 漢字", "仮名"]),
        ("a\n\nb", 10, ["a", "", "b"]),
        ("go https://example.org/long", 12, ["go https://e", "xample.org/l", "ong"]),
        ("  indented text", 10, ["  indented", "text"]),
        ("word " + " " * 20 + "word", 8, ["word", "word"]),
        ("가나", 1, ["가", "나"]),
    ],
)
def test_text_breaks_between_words_where_it_can(text: str, width: int, lines: list[str]) -> None:
    assert fmt.wrap(text, width) == lines


@given(st.one_of(_words, _anything), st.integers(2, 30))
def test_wrapped_lines_fit_and_lose_nothing_but_spaces(text: str, width: int) -> None:
    text = fmt.visible(text)
    lines = fmt.wrap(text, width)
    assert lines
    assert all(fmt.cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(st.text(st.sampled_from("ab가나 \n"), max_size=200), st.integers(2, 60))
def test_the_estimate_is_the_cells_divided_by_the_width(text: str, width: int) -> None:
    rows = sum(max(1, -(-fmt.cells(line) // width)) for line in text.split("\n"))
    assert fmt.estimate_rows(text, width) == rows
    assert fmt.estimate_rows(text, width) <= len(fmt.wrap(text, width)) + text.count(" ")


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("plain [b]text[/b]", "plain [b]text[/b]"),
        (f"  {CHAIR}\n", CHAIR),
        ("red \x1b[31malert\x1b[0m", "red alert"),
        ("title \x1b]0;owned\x07 done", "title  done"),
        ("bell\x07 back\x08 nul\x00 del\x7f c1\x9b2J", "bell back nul del c12J"),
        ("pay\u202e000,54\u202c now", "pay000,54 now"),
        ("a\u2066b\u2069c\u200ed", "abcd"),
        ("lone \ud800 half", "lone  half"),
        ("a\tb", "a    b"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("filler\u3164\u115fs", "fillers"),
        ("a\u200db", "ab"),
        (f"{FAMILY} \u2764\ufe0f\u200d🔥", f"{FAMILY} \u2764\ufe0f\u200d🔥"),
        ("가".encode().decode() + unicodedata.normalize("NFD", "각"), "가각"),
        ("x" + "\u0335" * 40, "x" + "\u0335" * 3),
        ("\u0301leading", "leading"),
    ],
)
def test_text_from_elsewhere_cannot_command_or_misalign_the_terminal(text: str, drawn: str) -> None:
    assert fmt.visible(text) == drawn


@given(st.one_of(_anything, st.text(st.characters(categories=["Cc", "Cf", "Cs", "Mn", "So"]))))
def test_nothing_that_moves_the_cursor_is_left(text: str) -> None:
    drawn = fmt.visible(text)
    drawn.encode("utf-8")
    for character in drawn:
        assert character == "\n" or unicodedata.category(character) not in {"Cc", "Cs"}
        assert unicodedata.bidirectional(character) not in {
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        }
    assert fmt.visible(drawn) == drawn


def test_a_line_has_no_breaks_and_single_spaces() -> None:
    assert fmt.visible_line(" oak\n\n chair \t pair ") == "oak chair pair"


@pytest.mark.parametrize(
    ("path", "width", "lines"),
    [
        ("/data/me/outbox.db", 40, ["/data/me/outbox.db"]),
        ("/data/me/outbox.db", 12, ["/data/me/", "outbox.db"]),
        ("/a-long-name/b/c.db", 5, ["/", "a-long-name/", "b/", "c.db"]),
        ("C:\\Users\\me\\outbox.db", 10, ["C:\\Users\\", "me\\", "outbox.db"]),
        ("outbox.db", 3, ["outbox.db"]),
    ],
)
def test_a_path_is_broken_behind_its_separators(path: str, width: int, lines: list[str]) -> None:
    assert fmt.wrap_path(path, width) == lines
