"""What is an answer, and what only looks like one.

A cell is an answer when it can be read as a number of the question's scale. Everything else is no
answer and is never counted: an empty cell and what people and tools write for "no answer" are
expected; anything else, such as 11 on a scale from 0 to 10, is listed as off.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_ANSWER = (
    "-|--|—|–|.|/|n/a|na|n.a.|none|null|nan|blank|keine angabe|k.a.|k. a.|ka|keine antwort"
    "|weiß nicht|weiss nicht|weiß ich nicht|kann ich nicht beurteilen|nicht beurteilbar"
    "|trifft nicht zu|nicht zutreffend|entfällt|nicht genutzt|keine meinung|ohne angabe"
    "|don't know|dont know|don’t know|do not know|not applicable|no answer|no response"
    "|prefer not to say|not sure|never used|did not use|unknown|refused|skipped|no opinion"
    "|not answered|-oth-|-99|-98|-9|98|99|999|9999"
)
NO_ANSWER = frozenset(text.casefold() for text in _NO_ANSWER.split("|"))
GRADES = {"sehr gut": 1, "gut": 2, "befriedigend": 3, "ausreichend": 4, "mangelhaft": 5,
          "ungenügend": 6}  # fmt: skip
SMILEYS = {
    **dict.fromkeys(("😡", "😠", "😭", "😢", "😞", "😖", ":'(", ":-((", ":(("), 1),
    **dict.fromkeys(("🙁", "☹️", "☹", "😕", "😟", ":(", ":-("), 2),
    **dict.fromkeys(("😐", "😶", "😑", ":|", ":-|"), 3),
    **dict.fromkeys(("🙂", "☺️", "☺", "😊", ":)", ":-)"), 4),
    **dict.fromkeys(("😀", "😃", "😄", "😁", "😍", "🤩", ":-))", ":))", ":D", ":-D"), 5),
}
NUMBER = re.compile(
    r"([+-]?[0-9]{1,9}(?:[.,][0-9]{1,9})?)\s*"
    r"(?:(?:/|von|out of|of)\s*([0-9]{1,3})|[-–—:=.)]?\s+[^\d\s].*|[-–—:=)]\s*[^\d\s].*"
    r"|(?:\s*(?:sterne?n?|stars?|punkte?n?|points?)))?",
    re.IGNORECASE | re.DOTALL,
)
PLAIN = re.compile(r"[+-]?[0-9]{1,9}(?:[.,][0-9]{1,9})?")
GRADE = re.compile(r"([1-6])\s*([+-])")
STARS = re.compile(r"[★⭐☆✩\ufe0f\s]+")


class Scale(NamedTuple):
    """The ends of a scale; reverse: the low end is the best; words: answers without a number."""

    low: float
    high: float
    reverse: bool = False
    words: Mapping[str, float] = {}

    def good(self, value: float) -> float:
        """The answer with the good end on top: grade 1 of 6 is a 6."""
        return self.low + self.high - value if self.reverse else value


SCALES = {
    "grades": Scale(1, 6, reverse=True, words=GRADES),
    "smileys": Scale(1, 5, words=SMILEYS),
}


def scale(name: str, *, reverse: bool = False) -> Scale:
    """A scale by its name in the configuration; `reverse` turns it round."""
    if name in SCALES:
        known = SCALES[name]
        return known._replace(reverse=known.reverse != reverse)
    low, high = name.split("-")
    return Scale(float(low), float(high), reverse)


class Answer(NamedTuple):
    """What a cell says: a value on the scale, good end on top; or None and the reason.

    off: not one of the ways in which people and tools say "no answer".
    """

    value: float | None
    reason: str = ""
    off: bool = False


BLANK = Answer(None, "empty")
DECLINED = Answer(None, "no answer")


def read_answer(
    cell: Any,
    on: Scale,
    labels: Mapping[str, float] | None = None,
    no_answer: frozenset[str] = frozenset(),
) -> Answer:
    """What a cell says on a scale.

    labels: words -> number as printed, folded by `fold`. no_answer: codes, folded likewise; they
    count before anything else. A usual code such as 99 is "no answer" only outside the scale.
    """
    text = fold(cell)
    if not text:
        return BLANK
    if text in no_answer:
        return DECLINED
    value = (labels or {}).get(text)
    if value is None:
        value = _value(text, on)
    if value is not None and on.low <= value <= on.high:
        return Answer(on.good(value))
    if text in NO_ANSWER:
        return DECLINED
    if value is None:
        return Answer(None, "not a number", off=True)
    return Answer(None, f"not between {on.low:g} and {on.high:g}", off=True)


def fold(cell: Any) -> str:
    """A cell as text to compare by: lower case, single spaces, whole numbers without a point."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split()).casefold()


def _value(text: str, on: Scale) -> float | None:
    plain = PLAIN.fullmatch(text)
    return float(text.replace(",", ".")) if plain else _written(text, on)


def _written(text: str, on: Scale) -> float | None:
    """As in "10 - äußerst wahrscheinlich", "4 von 5", "4/5", "★★★★☆", "2+", "sehr gut", "🙂"."""
    word = on.words.get(text)
    if word is not None:
        return word
    grade = GRADE.fullmatch(text) if on.words is GRADES else None
    if grade:  # 2+ lies a third of a grade above 2, as schools count; 1+ is still a 1
        return max(1.0, int(grade[1]) + (-0.3 if grade[2] == "+" else 0.3))
    if STARS.fullmatch(text):
        return float(text.count("★") + text.count("⭐")) or None
    found = NUMBER.fullmatch(text)
    if not found or (found[2] and float(found[2]) != on.high):
        return None
    return float(found[1].replace(",", "."))
