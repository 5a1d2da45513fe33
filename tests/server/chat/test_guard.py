"""Rule 18 on texts as people write them."""

import time
from collections.abc import Iterator

import pytest

from server.chat.guard import Result, find, judge, warning
from shared_models.market import CARRIERS

EARLY = {"early": True, "confirmed": False}


@pytest.mark.parametrize(
    "text",
    [
        "안녕하세요, 아직 판매 중인가요?",
        "Is this still for sale? Could you do 30,000?",
        "3.5만원에 가능할까요? 내일 19:30쯤이요",
        "2026-11-23 10:00 강남역 2번 출구",
        "송장 123456789012 입니다",
        "하나 1,000,000원이면 바로 살게요",
        "라인업이 좋네요. 카톡 말고 여기서 얘기해요",
        "I'm in line at the shop. The telegram arrived.",
        "insta360 camera, node.js 책",
        "1/2 price and/or 3.5km/h, a.b/c, 2.5만/3만, 12.nov/13.nov, i.e./e.g., node.js/react",
        "size M/L, 1.200.000/월, 교환/환불 불가",
        "지도: https://map.naver.com/p/entry/place/1",
        CARRIERS[0].tracking_url.format(number="123456789012"),
        "",
    ],
)
def test_ordinary_talk_is_allowed(text: str) -> None:
    assert judge(find(text), **EARLY).result is Result.ALLOW


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("여기서 결제하세요 https://safe-pay.example/x", "link"),
        ("www.naver-pay.co.kr 로 오세요", "link"),
        ("evil.com/pay", "link"),
        ("ＥＶＩＬ．ＣＯＭ", "link"),
        ("map.naver.com.evil.com", "link"),
        ("scam-pay.tw/login", "link"),
        ("1.scam-pay.finance:8443/", "link"),
        ("write to hong.gildong@naver.com", "email"),
        ("hong @ naver.com 으로 보내세요", "email"),
        ("선입금 부탁드려요", "pay_first"),
        ("입금 먼저 해주시면 보내드려요", "pay_first"),
        ("예약금 만원만 주세요", "pay_first"),
        ("문화 상품권 핀번호로 주세요", "pay_first"),
        ("Please pay first, then I ship", "pay_first"),
        ("I need a small deposit", "pay_first"),
        ("can you send me the money first?", "pay_first"),
        ("국민은행 123456-01-123456", "bank_account"),
        ("계좌 1101234567890 입니다", "bank_account"),
        ("110-123-456789", "bank_account"),
        ("카톡 아이디 hong123", "messenger"),
        ("카톡: hong_99 로 연락 주세요", "messenger"),
        ("오픈채팅으로 오세요", "messenger"),
        ("add me on telegram: foo_bar", "messenger"),
        ("line id: abc1", "messenger"),
        ("010-1234-5678", "phone"),
        ("０１０１２３４５６７８", "phone"),
        ("+82 10 1234 5678 call me", "phone"),
        ("공일공 일이삼사", "phone"),
    ],
)
def test_what_frauds_are_made_of_is_found(text: str, code: str) -> None:
    assert find(text) == code


@pytest.mark.parametrize("code", ["link", "email"])
def test_links_and_mail_are_refused_between_strangers_and_warned_of_later(code: str) -> None:
    assert judge(code, early=True, confirmed=True).result is Result.BLOCK
    assert judge(code, early=False, confirmed=False).result is Result.CONFIRM
    assert judge(code, early=False, confirmed=True).result is Result.WARN


@pytest.mark.parametrize("code", ["phone", "messenger", "bank_account", "pay_first"])
def test_the_rest_is_delivered_with_a_warning_once_its_sender_confirms(code: str) -> None:
    refused = judge(code, **EARLY)
    assert refused.result is Result.CONFIRM
    assert refused.reason
    assert judge(code, early=True, confirmed=True).result is Result.WARN
    assert warning(code).code == code
    assert warning(code).text


def test_the_gravest_finding_is_the_one_that_counts() -> None:
    assert find("010-1234-5678, 선입금, evil.com") == "link"
    assert find("010-1234-5678, 선입금") == "pay_first"


def test_white_space_of_any_length_hides_nothing() -> None:
    assert find("카톡   아이디 \u3000 hong123") == "messenger"
    assert find("선   입금 부탁드려요") == "pay_first"
    assert find("pay \t\n first, then I ship") == "pay_first"


@pytest.mark.parametrize("hidden", ["\u00ad", "\u200d", "\u200c", "\u2061", "\U000e0041", "\u034f"])
def test_what_is_not_seen_hides_nothing(hidden: str) -> None:
    for text, code in [
        ("evil.com", "link"),
        ("https://evil.example", "link"),
        ("hong@naver.com", "email"),
        ("010-1234-5678", "phone"),
        ("선입금", "pay_first"),
        ("110-123-456789", "bank_account"),
        ("오픈채팅", "messenger"),
    ]:
        assert find(hidden.join(text)) == code


@pytest.mark.parametrize("blank", ["\u3164", "\uffa0", "\u115f", "\u2800"])
def test_what_looks_like_a_space_is_one(blank: str) -> None:
    assert find(f"pay{blank}first, then I ship") == "pay_first"
    assert find(f"hong{blank}{blank}@{blank}naver.com") == "email"


LONGEST = 2000
FILLERS = (
    *(" ", "\n", "\t ", "-", ":", "=", "@", ".", "_", "/", "+", "1", "a", "가", "id "),
    *("- ", " -", "1-", "1 ", "1.", "11-11-", "a.", "a-", "a@", "a ", "id-", "is:", "name ", " @"),
    *("\uff11", "\u3389", "\u33c2", "\u2488", "\ufdfa"),  # one character that becomes several
)
WORDS = (
    *("카톡", "카톡 아이디", "라인", "kakao", "kakaotalk id", "whats app", "line", "telegram "),
    *("오픈", "open", "010", "+82", "+1 2", "계좌", "bank", "1234567890", "12-34-56", "입금"),
    *("선", "안전 결제", "pay ", "payment", "advance", "send ", "send a b c money ", "western"),
    *("https://", "www.", "a.com", "me@", "me@a.b", "a.tw/", "a.tw:1"),
)


def adversarial_texts() -> Iterator[str]:
    """Texts of the greatest length in which every pattern begins, and goes on, and fails."""
    for filler in FILLERS:
        run = filler * LONGEST
        yield run[:LONGEST]
        for word in WORDS:
            yield (word + run)[: LONGEST - 1] + "!"
            yield ((word + filler) * LONGEST)[:LONGEST]


def test_no_text_takes_long_to_check() -> None:
    """The texts are checked on the event loop, where everybody else waits meanwhile."""
    slow = {}
    for text in adversarial_texts():
        began = time.process_time()
        find(text)
        if (took := time.process_time() - began) > 0.2:
            slow[text[:40]] = took
    assert slow == {}
