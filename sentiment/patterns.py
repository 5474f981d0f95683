"""Patterns: an alias or rule as written in the configuration, made into something to look for."""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentiment.folding import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPOUND_LETTERS = 6
"""A word of at least this many letters is found inside longer words."""

LONGEST_WORD = 64
"""Letters looked at on either side of a hit; keeps time linear on texts without spaces."""

LETTER = r"[^\W_]"
_END = rf"(?!{LETTER})"
_GENDERED = r"(?:[:*_/]-?in(?:nen)?|/innen|\(in(?:nen)?\))"
_ENDING = rf"(?:e[nrsm]?|n|e?ns|s|ern|ers|in(?:nen)?)?{_GENDERED}?(?:'s)?"
_POSSESSIVE = r"(?:'?s)?"
# "Steuerung" and "steuerte" are not about "Steuer".
_TAIL = rf"(?!ung|nd|te[nt]?{_END}){LETTER}{{3,{LONGEST_WORD}}}+"
_GAP = r"\s\-_"  # between the words of a phrase
_AND = rf"(?:\s*[&+]\s*|[{_GAP}]+(?:und|and|u\.)[{_GAP}]+)"
_WORD = re.compile(r"[^\W_*]*(?:\*[^\W_*]*)+|[^\W_*]+|&")
_LEGAL_FORM = re.compile(
    r"(?: (?:&|und|co|g?gmbh|mbh|ag|kg|kgaa|ohg|gbr|ug|se|eg|e [kv]|partgm?bb|partg|mbb"
    r"|haftungsbeschrankt|ltd|limited|llp|llc|inc|plc|sarl|sa))+$"
)
_INFLECTED = re.compile(r"(.{5,}?)e[nrsm]?$")
# Forms whose basic form can be told for sure, and what they are cut to.
_BASIC = re.compile(r"(.+(?:ung|heit|keit|schaft|ion|tät))en$|(.+(?:lich|isch|ig))e[nrsm]?$")
# What may stand before a word without making a compound of it: "Entscheidung", "Begründung".
PREFIX = re.compile(
    r"(?:ab|an|auf|aus|be|bei|durch|ein|ent|er|fehl|ge|her|hin|miss?|mit|nach|re|uber|ueber|um|un"
    r"|unter|ur|ver|vor|wider|wieder|zer|zu){1,3}"
)
PREFIX_INSIDE = re.compile(r"[ns](?:be|ent|unter|ver|zer)$")  # "Gerichtsentscheidung"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What to look for from one of its keys on.

    keys: the literal beginnings, one for each spelling. tail: matched where a key stands; its
    first group is the pattern's own letters, without ending or the rest of a compound.
    left: what may stand before the key: "edge" no letter, "hyphenless" neither letter nor
    hyphen, "compound" the first part of a compound, "any" any letters, "tag" a "#".
    """

    keys: tuple[str, ...]
    tail: re.Pattern[str]
    left: str


def _spelled(word: str) -> str:
    """A regular expression for a word (lower case, composed) in its umlaut spellings."""
    out, i = [], 0
    while i < len(word):
        char = word[i]
        if char == "*":
            out.append(rf"{LETTER}{{0,{LONGEST_WORD}}}")
        elif char in "äöü":
            out.append(fold(char) + "e?")
        elif char in "aou" and _is_digraph(word, i):
            out.append(char + "e?")
            i += 1
        else:
            out.append(re.escape(fold(char)))
        i += 1
    return "".join(out)


def _is_digraph(word: str, i: int) -> bool:
    """Whether "ae", "oe", "ue" can stand for an umlaut here: not in "Steuer", "neue", "Quelle"."""
    return word[i + 1 : i + 2] == "e" and not (word[i] == "u" and word[i - 1 : i] in {*"aeiouq"})


def _keys(spelled: str) -> tuple[str, ...]:
    """The literal beginnings of a regular expression by `_spelled`, at most eight."""
    literal = re.split(r"\[\^", spelled, maxsplit=1)[0].replace("\\", "")
    parts = literal.split("e?")
    head = "e?".join(parts[:4]).split("e?")
    choices = itertools.product(("", "e"), repeat=len(head) - 1)
    return tuple(
        "".join(part + vowel for part, vowel in zip(head, (*choice, ""), strict=True))
        for choice in choices
    )


def _tokens(pattern: str, *, name: bool) -> list[tuple[str, str]]:
    """A pattern's words, each with what separates it from the word before ("&" is a separator)."""
    words = list(_WORD.finditer(pattern))
    if name:
        joined = " ".join(fold(word[0]) for word in words)
        form = _LEGAL_FORM.search(joined)
        if form and joined.count(" ", 0, form.start()):
            words = words[: joined.count(" ", 0, form.start()) + 1]
    tokens: list[tuple[str, str]] = []
    end, both = 0, ""
    for word in words:
        gap, end = pattern[end : word.start()], word.end()
        if word[0] == "&" or (tokens and fold(word[0]) in {"und", "and"}):
            both = "&"
        elif tokens or word[0].strip("*"):
            tokens.append((both or gap, word[0]))
            both = ""
    while tokens and not tokens[-1][1].strip("*") and "-" not in tokens[-1][0]:
        tokens.pop()
    return tokens


def _gap(written: str, word: str) -> str:
    """A regular expression for what may stand before a word of a phrase."""
    if written == "&":
        return _AND
    if not word.strip("*"):
        return "-"  # "Kfz-*" is not "Kfz und"
    extra = re.escape("".join(sorted({*fold(written)} - {*" -_="})))
    return f"[{_GAP}{extra}]{'*' if extra or written == '-' else '+'}"


def _inner(word: str, *, exact: bool) -> str:
    """A word of a phrase before its last one: with endings, adjectives in every form."""
    if exact or "*" in word:
        return _spelled(word)
    if stem := _INFLECTED.match(word):
        return f"(?:{_spelled(word)}{_ENDING}|{_spelled(stem[1])}(?:e[nrsm]?)?)"
    return f"{_spelled(word)}{_ENDING if len(word) > 3 else ''}"


def _last(word: str, *, exact: bool, name: bool) -> list[tuple[str, str]]:
    """Stems of a phrase's last or only word, each with the endings it may have."""
    if exact or word.endswith("*"):
        return [(word.rstrip("*"), f"{LETTER}*+" if word.endswith("*") else "")]
    if len(word) <= 3 or name:
        return [(word, _POSSESSIVE if len(word) > 2 else "")]
    stems = [(word, _ENDING)]
    if basic := _BASIC.match(word):
        stems.append((basic[1] or basic[2], _ENDING))
    if re.search("[^aeiou]y$", word):
        stems.append((word[:-1], "ies"))
    if len(word) > 4 and word.endswith("e"):
        stems.append((word[:-1], _GENDERED))
    return stems


def compiled(pattern: str, *, name: bool) -> Iterator[Pattern]:
    """The patterns to look for so as to find one of the configuration; name: of a company."""
    composed = unicodedata.normalize("NFC", pattern)
    clean = "".join(c.lower() if c in "äöüÄÖÜ" else fold(c) for c in composed).strip()
    exact = clean.startswith("=")
    tokens = _tokens(clean, name=name and not exact)
    if not tokens:
        return
    single = len(tokens) == 1
    yield from _joined(tokens, _left(tokens, exact=exact, name=name), exact=exact, name=name)
    if not single and not exact:
        yield from _joined([("", word) for _, word in tokens], "tag", exact=False, name=name)


def _left(tokens: list[tuple[str, str]], *, exact: bool, name: bool) -> str:
    word = tokens[0][1]
    if exact:
        return "hyphenless"
    if word.startswith("*"):
        return "any"
    compound = len(tokens) == 1 and len(word) >= COMPOUND_LETTERS and "*" not in word and not name
    return "compound" if compound else "edge"


def _joined(
    tokens: list[tuple[str, str]], left: str, *, exact: bool, name: bool
) -> Iterator[Pattern]:
    *front, (last_gap, last_word) = tokens
    before = ""
    for gap, word in front:
        before += (_gap(gap, word) if before and left != "tag" else "") + _inner(
            word if before else word.lstrip("*"), exact=exact
        )
    if before:
        before += "" if left == "tag" else _gap(last_gap, last_word)
    else:
        last_word = last_word.lstrip("*")
    if not last_word.strip("*"):  # "Kfz-*"
        stems = [("", f"{LETTER}++")]
    else:
        stems = _last(last_word, exact=exact, name=name and not front)
    long = len(last_word) >= COMPOUND_LETTERS and "*" not in tokens[-1][1]
    compound = long and not exact and not name and left != "tag"
    for index, (stem, endings) in enumerate(stems):
        spelled = _spelled(stem)
        after = f"(?:{endings}){_END}" + (f"|{_TAIL}" if compound and not index else "")
        if exact:
            after = rf"(?!-?{LETTER})"
        keys = _keys(_shortest(front[0][1].lstrip("*"), exact=exact) if front else spelled)
        yield Pattern(keys, re.compile(f"({before}{spelled})(?:{after})"), left)


def _shortest(word: str, *, exact: bool) -> str:
    stem = None if exact or "*" in word else _INFLECTED.match(word)
    return _spelled(stem[1] if stem else word)
