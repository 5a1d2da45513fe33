"""The scam and safety guard (rule 18): what an outgoing text is allowed to hold. Pure.

It looks at the text only. Whoever asks says whether the room or the sender is new, and whether
the sender has already seen the warning and means it.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from shared_models.chat import MessageWarning
from shared_models.text import is_invisible


class Result(StrEnum):
    """What becomes of a message."""

    ALLOW = "allow"
    WARN = "warn"
    """Delivered; its reader sees a warning."""
    CONFIRM = "confirm_needed"
    """Not delivered until the sender, who was warned, sends it again as confirmed."""
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result; ``code`` and ``reason`` (a sentence for the sender) where it is not ``allow``."""

    result: Result
    code: str | None = None
    reason: str = ""


ALLOWED = Verdict(Result.ALLOW)

ALLOWED_HOSTS = (
    "cjlogistics.com",
    "epost.go.kr",
    "hanjin.com",
    "lotteglogis.com",
    "ilogen.com",
    "cvsnet.co.kr",
    "map.naver.com",
    "naver.me",
    "map.kakao.com",
    "kko.to",
    "maps.app.goo.gl",
    "maps.google.com",
)
"""Carriers and maps; their subdomains too."""

_TOP_LEVEL = (
    "com|net|org|info|biz|kr|jp|cn|us|uk|de|fr|ru|vn|io|me|co|gg|ly|cc|tv|to|gl|ai|app|dev|link"
    "|shop|store|site|online|xyz|top|club|live|page|click|pw|icu|vip|한국"
)
_BLANKS = "\u115f\u1160\u2800"
"""No white space, but it looks like it; a Hangul filler of any width is one of these in NFKC."""
# Every pattern reads text in which no two white spaces follow each other, and gives back nothing of
# what it has taken where that could not help: a text of a message's length, made to be slow, would
# otherwise hold up everybody.
_WHITE_SPACE = re.compile(rf"[\s{_BLANKS}]+")
_EMAIL = re.compile(r"[\w.+-]{1,64}+\s?@\s?[a-z0-9-]++(?:\.[a-z0-9-]++)+")
_HOST = r"(?<![\w@.-])(?P<{}>[a-z0-9가-힣-]+(?:\.[a-z0-9가-힣-]+)*\."
_LINK = re.compile(
    rf"(?:https?://|www\.)(?P<full>[^\s/?#:]+)"
    rf"|{_HOST.format('bare')}(?:{_TOP_LEVEL}))(?![\w-])"
    # With a path behind it, whatever may be a top level is taken for one. "js" is none.
    rf"|{_HOST.format('guessed')}(?!js/)[a-z]{{2,24}})(?=(?::\d{{1,5}})?/)"
)
_MESSENGER = re.compile(
    r"(?:카카오톡|카톡|카카오|카카오스토리|텔레그램|텔레|위챗|왓츠앱|인스타그램|인스타|디스코드|라인)"
    r"\s?(?:아이디|계정|id)?\s?(?:은|는|:|=|-)?\s?@?[a-z][a-z0-9_.-]{3}"
    r"|(?:카카오톡|카톡|카카오|텔레그램|텔레|위챗|왓츠앱|라인)\s?(?:아이디|id)"
    r"|(?:kakao(?:talk)?|telegram|wechat|whats\s?app|instagram|insta|discord)"
    r"[\s:=@-]++(?:(?:id|account|handle|name|is)[\s:=@-]++)*+[a-z.-]*+[0-9_]"
    r"|(?:kakao(?:talk)?|telegram|wechat|whats\s?app|line|insta(?:gram)?|discord)"
    r"\s?(?:id\b|:?\s?@)\s?[:=]?\s?[a-z0-9_.-]{3}"
    r"|오픈\s?채팅|오픈\s?카톡|옾챗|open\s?chat"
)
_DIGIT = re.compile(r"\d|공일공")
_PHONE = re.compile(
    r"(?<!\d)(?:\+?82[-. ]?)?0?1[016789][-. ]?\d{3,4}[-. ]?\d{4}(?!\d)|공일공"
    r"|(?<![\d+])\+\d{1,3}[-. ]\d[-\d. ]{6,14}\d(?!\d)"
)
_DASHED_ACCOUNT = re.compile(r"(?<![\d-])\d{2,6}-\d{2,6}-\d{2,8}(?:-\d{1,4})?(?![\d-])")
_BANK_WORD = (
    r"계좌|입금|송금|은행|농협|국민|신한|우리|하나|기업|수협|신협|새마을|우체국|카카오뱅크|카뱅"
    r"|케이뱅크|토스|bank|account|iban|transfer"
)
_NAMED_ACCOUNT = re.compile(
    rf"(?:{_BANK_WORD})[^\d\n]{{0,20}}\d(?:[- ]?\d){{9,15}}(?!\d)"
    rf"|(?<!\d)\d(?:[- ]?\d){{9,15}}[^\d\n]{{0,10}}(?:{_BANK_WORD})"
)
_PAY_FIRST = re.compile(
    r"선\s?(?:입금|결제|송금|불)|(?:입금|송금|결제|돈)\s?(?:을|를)?\s?(?:먼저|부터)"
    r"|먼저\s?(?:입금|송금|결제)|예약금|계약금|보증금|착불\s?말고\s?입금"
    r"|안전\s?(?:결제|거래)\s?(?:링크|주소|사이트)|문화\s?상품권|핀\s?번호"
    r"|\bdeposits?\b|\bpay(?:ing|ment)?\s(?:\w++\s){0,2}?(?:first|upfront|up front|in advance)\b"
    r"|\badvance\spayment\b|\bprepay(?:ment)?\b|\bgift\s?cards?\b|\bwestern union\b"
    r"|\b(?:send|transfer|wire)\s(?:\w++\s){0,3}?(?:money|cash|amount)\s(?:\w++\s){0,2}?first\b"
)

_REASONS = {
    "link": "Links to other sites are not delivered until people know each other.",
    "email": "E-mail addresses are not delivered until people know each other.",
    "pay_first": "Asking to pay before seeing the thing is how most frauds begin.",
    "bank_account": "This looks like a bank account number.",
    "messenger": "This looks like a name on another messenger.",
    "phone": "This looks like a telephone number.",
}
_WARNINGS = {
    "link": "This link leads out of the market. Do not sign in or pay there.",
    "email": "Keep the talk here: nobody can help you with what was agreed by e-mail.",
    "pay_first": "Do not pay before you have seen the thing.",
    "bank_account": "This looks like a bank account. Do not pay before you have seen the thing.",
    "messenger": "Keep the talk here: frauds often begin by moving to another messenger.",
    "phone": "This looks like a telephone number. Keep the talk here until you have met.",
}
BLOCKED_EARLY = frozenset({"link", "email"})
"""Refused between strangers, only warned of later."""


def judge(code: str | None, *, early: bool, confirmed: bool) -> Verdict:
    """What becomes of a message in which ``code`` was found.

    ``early`` is true in the first messages of a room and for new accounts: links and e-mail
    addresses are refused then. ``confirmed`` is true when the sender has seen the warning.
    """
    if code is None:
        return ALLOWED
    if early and code in BLOCKED_EARLY:
        return Verdict(Result.BLOCK, code, _REASONS[code])
    result = Result.WARN if confirmed else Result.CONFIRM
    return Verdict(result, code, _REASONS[code])


def find(text: str) -> str | None:
    """The gravest thing that ``text`` holds, or None."""
    text = without_phones = _as_read(text)
    # Most texts lack what a pattern cannot do without: to look for that first saves a third.
    if "@" in text and _EMAIL.search(text):
        return "email"
    if ("." in text or "/" in text) and any(map(_is_foreign, _LINK.finditer(text))):
        return "link"
    if _PAY_FIRST.search(text):
        return "pay_first"
    if _DIGIT.search(text):
        without_phones = _PHONE.sub(" ", text)
        if _has_dashed_account(without_phones) or _NAMED_ACCOUNT.search(without_phones):
            return "bank_account"
    if _MESSENGER.search(text):
        return "messenger"
    return "phone" if without_phones != text else None


def warning(code: str) -> MessageWarning:
    """What the reader of a message with this finding is told."""
    return MessageWarning(code=code, text=_WARNINGS[code])


def _as_read(text: str) -> str:
    """What a reader sees, whatever characters it is made of."""
    text = unicodedata.normalize("NFKC", text).lower()
    if not text.isascii():
        text = "".join(c for c in text if c in _BLANKS or not is_invisible(c))
    return _WHITE_SPACE.sub(_one_space, text)


def _one_space(run: re.Match[str]) -> str:
    return "\n" if "\n" in run[0] else " "


def _is_foreign(match: re.Match[str]) -> bool:
    host = (match["full"] or match["bare"] or match["guessed"]).strip(".").removeprefix("www.")
    if match["guessed"] and not any(map(str.isalpha, host.rpartition(".")[0])):
        return False
    return not any(host == known or host.endswith(f".{known}") for known in ALLOWED_HOSTS)


def _has_dashed_account(text: str) -> bool:
    return any(
        10 <= sum(character.isdigit() for character in match[0]) <= 16
        for match in _DASHED_ACCOUNT.finditer(text)
    )
