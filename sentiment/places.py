"""Places: where a text holds the patterns of a configuration, found in one pass."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ahocorasick

from sentiment.folding import Span, fold, views
from sentiment.patterns import (
    COMPOUND_LETTERS,
    LETTER,
    LONGEST_WORD,
    PREFIX,
    PREFIX_INSIDE,
    compiled,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sentiment.patterns import Pattern

Written = tuple[str, bool]
"""A pattern as the configuration has it, and whether it is the name of a company."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A find: the whole word or phrase, and the letters of the pattern itself within it."""

    start: int
    end: int
    core: Span

    @property
    def weight(self) -> int:
        return self.core[1] - self.core[0]


_HANDLE = re.compile(r"@(\w+)(?:\.\w+)*")
_ELLIPSIS = re.compile(
    rf"((?:(?<!{LETTER}){LETTER}{{2,30}}-\s{{0,2}}(?:,|/|&|und\b|oder\b|sowie\b|bzw\.?|and\b)\s{{0,2}})"
    rf"{{1,4}})({LETTER}{{5,{LONGEST_WORD}}})"
)
_PART = re.compile(rf"({LETTER}{{2,30}})-")


class Finder:
    """All patterns of a configuration, looked for in one pass over a text."""

    def __init__(self, patterns: Iterable[Written]) -> None:
        self._automaton = ahocorasick.Automaton()
        self._handles: dict[str, list[tuple[re.Pattern[str], Written]]] = {}
        self._whole: dict[str, list[tuple[Pattern, Written]]] = {}
        by_key: dict[str, list[tuple[Pattern, Written]]] = {}
        for source in dict.fromkeys(patterns):
            if source[0].lstrip("= ").startswith("@"):
                self._add_handle(source)
                continue
            for pattern in compiled(source[0], name=source[1]):
                for key in pattern.keys:
                    by_key.setdefault(key, []).append((pattern, source))
                    if pattern.left == "compound":
                        self._whole.setdefault(key, []).append((pattern, source))
        for key, found in by_key.items():
            self._automaton.add_word(key, (len(key), found))
        self._automaton.make_automaton()

    def _add_handle(self, source: Written) -> None:
        handle = fold(source[0].lstrip("= ").strip())
        if name := re.match(r"@(\w+)", handle):
            exact = re.compile(re.escape(handle) + r"(?![\w@]|\.\w)")
            self._handles.setdefault(name[1], []).append((exact, source))

    def places(self, text: str) -> dict[Written, set[Place]]:
        """Pattern to where the text holds it; patterns it does not hold are left out."""
        found: dict[Written, set[Place]] = {}
        for view in views(text):
            hits = self._handles_in(view.text) if "@" in view.text else iter(())
            masked = _masked(view.text) if "@" in view.text else view.text
            for source, start, end, core in itertools.chain(hits, self._words_in(masked)):
                place = Place(*view.span(start, end), view.span(*core))
                found.setdefault(source, set()).add(place)
        return found

    def _handles_in(self, text: str) -> Iterator[tuple[Written, int, int, Span]]:
        for hit in _HANDLE.finditer(text):
            start = hit.start()
            if start and (text[start - 1].isalnum() or text[start - 1] in "_.-+@"):
                continue  # an e-mail address
            for handle, source in self._handles.get(hit[1], ()):
                if found := handle.match(text, start):
                    yield source, start, found.end(), found.span()

    def _words_in(self, text: str) -> Iterator[tuple[Written, int, int, Span]]:
        if not len(self._automaton):
            return
        for last, (length, candidates) in self._automaton.iter(text):
            at = last + 1 - length
            glued = at > 0 and text[at - 1].isalnum()
            for pattern, source in candidates:
                if glued and pattern.left not in {"compound", "any"}:
                    continue
                found = pattern.tail.match(text, at)
                start = _word_start(text, at, pattern.left) if found else None
                if found and start is not None:
                    yield source, start, found.end(), (at, found.end(1))
        yield from self._elided_in(text)

    def _elided_in(self, text: str) -> Iterator[tuple[Written, int, int, Span]]:
        """What is written once for several words: "Arbeits- und Mietrecht" holds "Arbeitsrecht"."""
        if "- " not in text and "-," not in text and "-/" not in text:
            return
        for chain in _ELLIPSIS.finditer(text):
            for part in _PART.finditer(text, *chain.span(1)):
                for cut in range(1, len(chain[2]) - 3):
                    word = part[1] + chain[2][cut:]
                    for pattern, source in self._beginning(word):
                        found = pattern.tail.match(word)
                        if found and len(part[1]) < found.end(1):
                            yield source, *part.span(), part.span(1)

    def _beginning(self, word: str) -> Iterator[tuple[Pattern, Written]]:
        for end in range(COMPOUND_LETTERS - 1, len(word) + 1):
            yield from self._whole.get(word[:end], ())


def _word_start(text: str, at: int, left: str) -> int | None:
    """Where the word begins that holds the key at `at`; None where the pattern may not stand."""
    before = text[at - 1] if at else " "
    if left == "tag":
        return at - 1 if before == "#" else None
    if left == "hyphenless":
        return None if before == "-" and at > 1 and text[at - 2].isalnum() else at
    start = at
    while start and text[start - 1].isalnum():
        start -= 1
        if at - start > LONGEST_WORD:
            return None
    if left == "compound" and start < at:
        first = text[start:at]
        derived = PREFIX.fullmatch(first) or PREFIX_INSIDE.search(first)
        return start if len(first) > 2 and not derived else None
    return start


def _masked(text: str) -> str:
    """The text with handles and e-mail addresses blotted out: they are nobody's words."""
    pieces, done = [], 0
    for hit in _HANDLE.finditer(text):
        start = hit.start()
        if hit[1] in {"in", "innen"}:
            continue
        while start > done and hit.start() - start < LONGEST_WORD and _in_address(text[start - 1]):
            start -= 1
        pieces += [text[done:start], "\0" * (hit.end() - start)]
        done = hit.end()
    return "".join([*pieces, text[done:]])


def _in_address(char: str) -> bool:
    return char.isalnum() or char in "_.+-"
