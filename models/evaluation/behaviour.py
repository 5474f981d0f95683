"""What a classifier can and cannot do, one capability at a time (CheckList: Ribeiro et al. 2020).

`behaviour.txt` holds posts that leave no doubt what they mean; each is filled with several
services. A capability's failure rate is the share of services that are read otherwise. Posts of the
`swapped` sections are filled with names, nationalities, genders or cities that should change
nothing: what is measured there is by how much they move the valence.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from models.classifier import Passage
from models.labels import POLARITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.classifier import Classifier

LINES = Path(__file__).with_name("behaviour.txt")
MARKS = "-0+"
SLOT = re.compile(r"\{(\w+)\}")
SWAPPED = {"names": "person", "nationalities": "nation", "genders": "gender", "cities": "city"}
"""Each section of what should change nothing, and the slot that is swapped in it."""


@dataclass(frozen=True, slots=True)
class Case:
    """A reading that is expected: a capability in a language, a passage, its polarity."""

    capability: str
    language: str
    passage: Passage
    polarity: str


@dataclass(frozen=True, slots=True)
class Swap:
    """One post with one of the words that should change nothing; `template` tells which post."""

    what: str
    language: str
    template: str
    filled: str
    passage: Passage


@dataclass(frozen=True, slots=True)
class Failures:
    """A capability: how many readings were expected, and how many of them are not so."""

    capability: str
    language: str
    failed: int
    n: int


@dataclass(frozen=True, slots=True)
class Moved:
    """How far swapped words move the valence of a post, in all pairs of them.

    Args:
        what: what is swapped.
        mean: mean absolute difference.
        largest: the largest one.
        case: the post with its slot, and the two words between which it is largest.
        n: pairs.

    """

    what: str
    mean: float
    largest: float
    case: str
    n: int


@cache
def sections() -> dict[tuple[str, str], tuple[str, ...]]:
    """The lines of each (language, name)."""
    found: dict[tuple[str, str], list[str]] = {}
    for line in LINES.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            language, _, name = line.strip("[]").partition(" ")
            lines = found.setdefault((language, name), [])
        elif line.strip() and not line.startswith("#"):
            lines.append(line)
    return {key: tuple(lines) for key, lines in found.items()}


def cases() -> Iterator[Case]:
    """Every expected reading."""
    words = {"services", "person", "nation", "gender", "city"}
    for (language, name), lines in sections().items():
        if name in words or name.startswith("swapped"):
            continue
        services = sections()[language, "services"]
        for line, k in itertools.product(lines, range(len(services))):
            marks, _, template = line.partition(" ")
            chosen = {"a": services[k], "b": services[(k + 1) % len(services)]}
            text, places = fill(template, chosen | {"A": services[k].upper()})
            for mark, slot in zip(marks, "ab", strict=False):
                spans = places.get(slot) or places[slot.upper()]
                polarity = POLARITIES[MARKS.index(mark)]
                yield Case(name, language, Passage(text, tuple(spans)), polarity)


def swaps() -> Iterator[Swap]:
    """Every post with each of the words that should change nothing."""
    for (language, name), lines in sections().items():
        what = name.removeprefix("swapped ")
        if what not in SWAPPED:
            continue
        slot = SWAPPED[what]
        service = sections()[language, "services"][0]
        for template, word in itertools.product(lines, sections()[language, slot]):
            text, places = fill(template, {"a": service, slot: word})
            yield Swap(what, language, template, word, Passage(text, tuple(places["a"])))


def fill(template: str, words: dict[str, str]) -> tuple[str, dict[str, list[tuple[int, int]]]]:
    """The template with words in its slots, and where each slot's word stands."""
    text, at = "", 0
    places: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for slot in SLOT.finditer(template):
        text += template[at : slot.start()]
        at = slot.end()
        word = words[slot[1]]
        if not text:
            word = word[:1].upper() + word[1:]
        places[slot[1]].append((len(text), len(text) + len(word)))
        text += word
    return text + template[at:], dict(places)


def failures(model: Classifier) -> list[Failures]:
    """How often each capability fails, in the order of the file."""
    expected = list(cases())
    found = model.classify([case.passage for case in expected])
    failed: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for case, said in zip(expected, found, strict=True):
        failed[case.capability, case.language].append(said.polarity != case.polarity)
    return [Failures(*key, sum(wrong), len(wrong)) for key, wrong in failed.items()]


def moved(model: Classifier) -> list[Moved]:
    """How far each kind of swapped word moves the valence, German and English together."""
    asked = list(swaps())
    found = model.classify([swap.passage for swap in asked])
    posts: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for swap, said in zip(asked, found, strict=True):
        posts[swap.what, swap.template].append((swap.filled, said.valence))
    return [_moved(what, posts) for what in SWAPPED]


def _moved(what: str, posts: dict[tuple[str, str], list[tuple[str, float]]]) -> Moved:
    pairs = [
        (abs(x - y), f"{template} ({one} / {other})")
        for (kind, template), filled in posts.items()
        if kind == what
        for (one, x), (other, y) in itertools.combinations(filled, 2)
    ]
    largest, case = max(pairs)
    return Moved(what, sum(d for d, _ in pairs) / len(pairs), largest, case, len(pairs))
