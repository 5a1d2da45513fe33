"""What may not be sold here, by the words that give it away (rule 19)."""

import re
import unicodedata

_WORDS: dict[str, tuple[str, str]] = {
    "weapons": (
        r"firearms?|handguns?|live ammunition|stun ?guns?|switchblades?",
        r"권총|실탄|전기 ?충격기",
    ),
    "drugs": (r"cocaine|heroin|methamphetamine|fentanyl|marijuana", r"대마초|필로폰|히로뽕"),
    "prescription medicine": (
        r"viagra|xanax|oxycodone|adderall|ozempic",
        r"비아그라|졸피뎀|처방약|나비약",
    ),
    "tobacco and alcohol": (
        r"cartons? of cigarettes|homemade (?:liquor|spirits)",
        r"담배 ?\d+ ?보루|면세 ?담배|밀주",
    ),
    "documents and accounts": (
        r"(?:fake|forged) (?:ids?|passports?|diplomas?)|bank accounts? for (?:sale|rent)",
        r"대포 ?(?:통장|폰)|위조 ?(?:여권|신분증)|통장 ?(?:매매|대여)",
    ),
    "counterfeits": (
        r"replica (?:rolex|bags?|watch(?:es)?)|fake (?:rolex|gucci|chanel|louis vuitton)",
        r"짝퉁|미러급|정품급 ?레플리카",
    ),
    "protected animals": (r"(?:elephant )?ivory tusks?|rhino horns?", r"상아 ?도장|웅담"),
    "adult content": (r"escort service|nude (?:photos?|videos?)", r"야동|성인 ?동영상"),
}
_PATTERNS = {
    kind: re.compile(rf"\b(?:{english})\b|{korean}", re.IGNORECASE)
    for kind, (english, korean) in _WORDS.items()
}


def prohibited_in(text: str) -> tuple[str, str] | None:
    """The kind of prohibited thing that the text names and the words that do, or None."""
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    for kind, pattern in _PATTERNS.items():
        if match := pattern.search(text):
            return kind, match[0]
    return None
