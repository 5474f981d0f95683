"""The language of a post."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lingua import LanguageDetector

LANGUAGES = ("de", "en", "ar", "es", "fr", "it", "nl", "pl", "pt", "ru", "tr")
"""What is told apart, as ISO 639-1; other languages come out as the nearest of these or None."""

EXPECTED = {"de": 4.0, "en": 4.0}
"""How many times likelier than another language posts are in these. Posts are short and full of
names and slang; without this, one in forty short English ones counts as French or Italian."""

SURE = 0.5
"""Share of the likelihood that the best language needs."""

FEWEST_LETTERS = 4
FEWEST_FOREIGN_LETTERS = 12
"""Letters a text needs to have a language; "haha" is not Polish."""

LONGEST = 2000
"""Characters looked at; more do not change the answer."""

_NOT_LANGUAGE = re.compile(r"(?:https?://|www\.)\S+|[\w.+-]{0,64}@\w+(?:\.\w+)*|#|^\s*RT\b")
_WORDS = re.compile(r"[^\W\d_]{2,}")
_DIALECT = re.compile(
    r"\b(?:isch|gsi|gsii|gseh|gha|ghabt|händ|hend|nöd|nüt|öppis|öpper|chönd|chan|chunnt|vilmal|guet|grüezi"
    r"|ned|hob|dös|dahoam|fei|oans|zwoa|gsuffa|servus|koa|koan|narrisch|leiwand|oida)\b",
    re.IGNORECASE,
)
_DIALECT_WEIGHT = 100.0  # words no other of the languages has


def detect(text: str) -> str | None:
    """The ISO 639-1 code of a text's language; None where it is too short or undecidable.

    Swiss and Austrian German and Bavarian are "de". Links, handles and the "#" of hashtags
    are not looked at.
    """
    said = _NOT_LANGUAGE.sub(" ", text[:LONGEST])
    letters = sum(map(len, _WORDS.findall(said)))
    if letters < FEWEST_LETTERS:
        return None
    weighed = {
        value.language.iso_code_639_1.name.lower(): value.value
        for value in _detector().compute_language_confidence_values(said)
    }
    weighed = {code: share * EXPECTED.get(code, 1) for code, share in weighed.items()}
    if _DIALECT.search(said):
        weighed["de"] *= _DIALECT_WEIGHT
    best = max(weighed, key=lambda code: weighed[code])
    if best not in EXPECTED and letters < FEWEST_FOREIGN_LETTERS:
        return None
    return best if weighed[best] > SURE * sum(weighed.values()) else None


@functools.cache
def _detector() -> LanguageDetector:
    """Loaded on first use: 0.1 s and 15 MB. The accurate mode takes 1.6 s and 240 MB more and,
    measured on short posts with the weights above, is right no more often.
    """
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = (getattr(IsoCode639_1, code.upper()) for code in LANGUAGES)
    builder = LanguageDetectorBuilder.from_iso_codes_639_1(*codes)
    return builder.with_low_accuracy_mode().build()
