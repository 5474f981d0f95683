"""Folding: texts and patterns lose case, accents and invisible characters, offsets stay known."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Span = tuple[int, int]


class _Folding(dict[int, str]):
    """Code point to what it is compared as: "Ä" as "a", "ß" as "ss", a soft hyphen as nothing."""

    def __init__(self) -> None:
        super().__init__({ord(char): "'" for char in "`\u00b4\u2018\u2019\u02bc"})

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if unicodedata.category(char) == "Pd":
            return self.setdefault(code, "-")
        base = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
        plain = "".join(c for c in base if unicodedata.category(c) not in {"Mn", "Cf"})
        if len(plain) > 1 and not plain.isascii():
            plain = char.lower()[0]  # what falls apart into several foreign letters stays whole
        return self.setdefault(code, plain)


_FOLDING = _Folding()


class _Offsets:
    """Where the characters of an edited text stood before.

    Two parallel lists: from edited position `at[i]` on, the original is at `origin[i]` and on.
    """

    def __init__(self) -> None:
        self.at = [0]
        self.origin = [0]

    def start(self, position: int) -> int:
        i = bisect_right(self.at, position) - 1
        return self.origin[i] + position - self.at[i]


def _edited(text: str, edits: Iterable[tuple[int, int, str]]) -> tuple[str, _Offsets]:
    """Put new text in place of (begin, end); new characters stand where the old ones began."""
    offsets, pieces, length, done = _Offsets(), [], 0, 0
    for begin, end, new in edits:
        pieces += [text[done:begin], new]
        length += begin - done
        for i in range(len(new)):
            offsets.at.append(length + i)
            offsets.origin.append(begin)
        length += len(new)
        offsets.at.append(length)
        offsets.origin.append(end)
        done = end
    pieces.append(text[done:])
    return "".join(pieces), offsets


@dataclass(frozen=True, slots=True)
class View:
    """A folded text and the way back to the offsets of the original."""

    text: str
    original: str
    offsets: tuple[_Offsets, ...]

    def span(self, start: int, end: int) -> Span:
        first, last = start, end - 1
        for offsets in self.offsets:
            first, last = offsets.start(first), offsets.start(last)
        last += 1
        while last < len(self.original) and unicodedata.combining(self.original[last]):
            last += 1  # the dots of a decomposed umlaut belong to its letter
        return first, last


def fold(text: str) -> str:
    """The text as it is compared: lower case, no accents, ß as ss, no invisible characters."""
    return text.translate(_FOLDING)


def _view(text: str) -> View:
    odd = [char for char in set(text) if len(_FOLDING[ord(char)]) != 1]
    if not odd:
        return View(fold(text), text, ())
    found = re.finditer(f"[{re.escape(''.join(sorted(odd)))}]", text)
    expanded, offsets = _edited(text, ((m.start(), m.end(), fold(m[0])) for m in found))
    return View(fold(expanded), text, (offsets,))


_LINE_END = re.compile(r"(?<=[^\W\d_])-[^\S\n]*\n[^\S\n]*(?=[^\W\d_])")
_TAG = re.compile(r"#\w+")


def _humps(text: str) -> Iterator[tuple[int, int, str]]:
    """A space before each hump of a hashtag: #DueDiligence as "#Due Diligence"."""
    for tag in _TAG.finditer(text):
        for i in range(tag.start() + 2, tag.end()):
            if text[i].isupper() and text[i - 1].islower():
                yield i, i, " "


def views(text: str) -> Iterator[View]:
    """The text as it stands; and, where it has any, with line-end hyphens or hashtags resolved."""
    yield _view(text)
    hyphens = [(m.start(), m.end(), "") for m in _LINE_END.finditer(text)]
    for edits in (hyphens, list(_humps(text))):
        if edits:
            edited, offsets = _edited(text, edits)
            inner = _view(edited)
            yield View(inner.text, text, (*inner.offsets, offsets))
