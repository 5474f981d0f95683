"""People in comments: names, addresses and numbers are dropped before anything is stored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DROPPED = "[…]"
# No name before the @ is longer; unbounded, a comment of 20,000 letters would take half a minute.
MAIL = re.compile(r"[\w.+%-]{1,200}\s?(?:@|\(at\)|\[at\])\s?[\w-]+\.[\w.-]*\w", re.IGNORECASE)
PHONE = re.compile(r"(?<![\w.,])(?:\+|00|0)\d[\d /().-]{5,}\d(?!\w)")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[\dA-Z]{4}){3,7}(?: ?[\dA-Z]{1,3})?\b")
_TITLE = (
    r"Dr|Prof|Mag|Dipl|jur|med|RA|RAin|Rechtsanwalt|Rechtsanwältin|Anwalt|Anwältin"
    r"|Steuerberater|Steuerberaterin|Notar|Notarin|Kollege|Kollegin"
)
_WORD = r"[A-ZÄÖÜ][\w'’]+(?:-[A-ZÄÖÜ][\w'’]+)*"
# "Frau Dr. Müller-Lüdenscheidt", "Mr Smith": the form of address stays, the name goes.
ADDRESSED = re.compile(
    r"\b((?:(?i:Herrn?|Frau|Hr|Mr|Mrs|Ms|Miss|Dr|Prof)|Fr|RA|RAin|Rechtsanwalt|Rechtsanwältin"
    r"|Steuerberater|Steuerberaterin|Notar|Notarin)\.?"
    rf"(?:\s+(?:{_TITLE})\b\.?)*)\s+(?!(?:{_TITLE}|Rechtsanw\w+)\b){_WORD}(?:\s+{_WORD})?(?=\W|$)"
)
# "Viele Grüße, Erika Muster" at the end of a text.
SIGNED = re.compile(
    r"((?:Grüße?n?|Gruß|Gruss|Gruesse|MfG|LG|VG|Regards|Cheers|Best wishes|Sincerely)"
    rf"\s*[,!.\n]?\s*)(?:{_WORD}|[A-Z]\.)(?:\s+(?:{_WORD}|[A-Z]\.)){{0,2}}\s*$"
)
CALLED = re.compile(
    rf"\b((?:[Mm]ein Name ist|[Ii]ch heiße|[Mm]y name is)\s+){_WORD}(?:\s+{_WORD})?"
)


def without_people(text: str, known: Iterable[str] = ()) -> str:
    """The text without e-mail addresses, telephone and account numbers, and names.

    known: names and addresses that stand elsewhere in the row; each is dropped wherever it appears.
    Other names are known by what stands before them ("Frau …", "Viele Grüße, …"); a bare name in
    the middle of a sentence cannot be told from any other noun and stays.
    """
    text = MAIL.sub(DROPPED, text)
    text = IBAN.sub(DROPPED, text)
    text = PHONE.sub(DROPPED, text)
    for name in _parts(known):
        text = re.sub(
            rf"(?<!\w){re.escape(name)}(?:s|')?(?!\w)", DROPPED, text, flags=re.IGNORECASE
        )
    for pattern in (ADDRESSED, CALLED):
        text = pattern.sub(_kept, text)
    return SIGNED.sub(lambda found: found[1] + DROPPED, text)


def _kept(found: re.Match[str]) -> str:
    return f"{found[1].rstrip()} {DROPPED}"


def _parts(known: Iterable[str]) -> list[str]:
    """Whole names first, then their parts; short ones would tear words apart."""
    names = {" ".join(name.split()) for name in known}
    parts = names | {part for name in names for part in re.split(r"[\s,;]+", name)}
    return sorted((part for part in parts if len(part) > 2), key=len, reverse=True)
