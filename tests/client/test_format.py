"""Money, times and sizes as people read them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_tui import format as fmt
from shared_models.listings import ListingState
from shared_models.trades import TradeState

SEOUL = timezone(timedelta(hours=9))
NOW = datetime(2026, 11, 19, 3, 0, tzinfo=UTC)  # Thursday noon in Seoul


@pytest.mark.parametrize(
    ("amount", "exponent", "currency", "written"),
    [
        (0, 0, "", "0"),
        (45000, 0, "", "45,000"),
        (99_999_999, 0, "KRW", "KRW 99,999,999"),
        (1250, 2, "", "12.50"),
        (5, 2, "EUR", "EUR 0.05"),
        (1234567, 3, "KWD", "KWD 1,234.567"),
        (-45000, 0, "KRW", "KRW -45,000"),
    ],
)
def test_money_follows_the_exponent_of_its_currency(
    amount: int, exponent: int, currency: str, written: str
) -> None:
    assert fmt.money(amount, exponent, currency) == written


@given(st.integers(0, 99_999_999), st.integers(0, 3))
def test_written_money_is_read_back(amount: int, exponent: int) -> None:
    assert fmt.parse_money(fmt.money(amount, exponent), exponent) == amount


@pytest.mark.parametrize(
    ("text", "exponent", "amount"),
    [("45000", 0, 45000), (" 45,000 ", 0, 45000), ("12.5", 2, 1250), ("12", 2, 1200)],
)
def test_money_may_be_written_in_several_ways(text: str, exponent: int, amount: int) -> None:
    assert fmt.parse_money(text, exponent) == amount


@pytest.mark.parametrize("text", ["", "free", "-5", "4,50", "1,2345", "12.", "１２", "1e5"])
def test_what_is_no_amount_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 45,000"):
        fmt.parse_money(text)


def test_decimals_the_currency_does_not_have_are_refused() -> None:
    with pytest.raises(ValueError, match="no decimals"):
        fmt.parse_money("12.5")
    with pytest.raises(ValueError, match="at most 2 decimals"):
        fmt.parse_money("12.505", 2)


@pytest.mark.parametrize(
    ("age", "written"),
    [
        (timedelta(seconds=-90), "now"),
        (timedelta(seconds=59), "now"),
        (timedelta(seconds=60), "1m"),
        (timedelta(minutes=59, seconds=59), "59m"),
        (timedelta(hours=2, minutes=59), "2h"),
        (timedelta(hours=24), "1d"),
        (timedelta(days=6, hours=23), "6d"),
        (timedelta(days=7), "1w"),
        (timedelta(days=34), "4w"),
        (timedelta(days=35), "1mo"),
        (timedelta(days=364), "11mo"),
        (timedelta(days=365), "1y"),
        (timedelta(days=4000), "10y"),
    ],
)
def test_ages_are_short(age: timedelta, written: str) -> None:
    assert fmt.ago(NOW - age, NOW) == written


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_an_age_never_needs_more_than_four_cells(first: int, second: int) -> None:
    assert len(fmt.ago(NOW - timedelta(seconds=first), NOW)) <= 4


@pytest.mark.parametrize(
    ("span", "written"),
    [
        (timedelta(0), "over"),
        (timedelta(seconds=1), "1 min left"),
        (timedelta(minutes=99), "99 min left"),
        (timedelta(minutes=100), "2 h left"),
        (timedelta(hours=47, minutes=59), "48 h left"),
        (timedelta(hours=72), "72 h left"),
        (timedelta(hours=73), "4 days left"),
    ],
)
def test_a_deadline_is_rounded_up(span: timedelta, written: str) -> None:
    assert fmt.time_left(NOW + span, NOW) == written


def test_times_are_written_in_the_zone_of_the_reader() -> None:
    late = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
    assert fmt.clock_time(late, SEOUL) == "00:30"
    assert fmt.clock_time(late, UTC) == "15:30"
    assert fmt.day(late, NOW, SEOUL) == "Today"
    assert fmt.day(late, NOW, UTC) == "Yesterday"


def test_a_date_names_the_year_only_when_it_is_another_one() -> None:
    assert fmt.date(NOW, NOW, SEOUL) == "Thu 19 Nov"
    assert fmt.date(NOW - timedelta(days=365), NOW, SEOUL) == "Wed 19 Nov 2025"


@pytest.mark.parametrize(
    ("days", "written"),
    [
        (-8, "Wed 11 Nov 12:00"),
        (-1, "Yesterday 12:00"),
        (0, "Today 12:00"),
        (1, "Tomorrow 12:00"),
        (2, "Sat 12:00"),
        (6, "Wed 12:00"),
        (7, "Thu 26 Nov 12:00"),
    ],
)
def test_a_near_day_is_named_as_people_say_it(days: int, written: str) -> None:
    assert fmt.date_time(NOW + timedelta(days=days), NOW, SEOUL) == written


@pytest.mark.parametrize(
    ("size", "written"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (64_400, "64 kB"),
        (999_600, "1.0 MB"),
        (1_240_000, "1.2 MB"),
        (9_960_000, "10 MB"),
        (10 * 1024 * 1024, "10 MB"),
        (1_500_000_000, "1.5 GB"),
        (5 * 10**12, "5000 GB"),
    ],
)
def test_file_sizes_are_short(size: int, written: str) -> None:
    assert fmt.file_size(size) == written


def test_every_state_has_a_glyph_and_a_word() -> None:
    assert set(fmt.LISTING_STATES) == set(ListingState)
    assert set(fmt.TRADE_STATES) == set(TradeState)
    assert fmt.listing_state(ListingState.SOLD) == fmt.listing_state("sold") == "○ sold"
    assert fmt.listing_state("auctioned") == fmt.trade_state("auctioned") == "· auctioned"


@pytest.mark.parametrize(
    ("method", "told"), [("meet", "meet"), ("post", "post"), ("both", "meet or post")]
)
def test_how_a_thing_may_change_hands(method: str, told: str) -> None:
    assert fmt.hand_over(method) == told


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (
            "Agreed to meet: 2026-11-20 05:00 UTC, exit 3.",
            "Agreed to meet: Tomorrow 14:00, exit 3.",
        ),
        ("No longer: 2026-11-19 16:30 UTC.", "No longer: Tomorrow 01:30."),
        ("2026-13-40 05:00 UTC", "2026-13-40 05:00 UTC"),
        ("at 05:00 UTC", "at 05:00 UTC"),
        ("민지 offers 40,000", "민지 offers 40,000"),
    ],
)
def test_moments_of_the_server_are_told_in_local_time(text: str, written: str) -> None:
    assert fmt.with_local_times(text, NOW, SEOUL) == written
