"""Which services of which company a post is about. docs/matching.md has the rules by example."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ahocorasick

from sentiment.snippets import sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sentiment.config import Term

RULES_VERSION = 1
"""Raised with every change of the code by which a post would be matched, cut into snippets or
told its language differently: stored posts match again."""

COMPOUND_LETTERS = 6
"""A word of at least this many letters is found inside longer words."""

LONGEST_WORD = 64
"""Letters looked at on either side of a hit; keeps time linear on texts without spaces."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Match:
    """What a post is about: one service of one company, or (service None) the company as a whole.

    spans: the places that say so, as code point offsets into the text given; sorted, disjoint.
    Empty only for a company that the post's source is about and the post itself does not name.
    """

    company: str
    service: str | None
    spans: tuple[Span, ...]


# Folding: texts and patterns lose case, accents and invisible characters, offsets stay known.


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
class _View:
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


def _view(text: str) -> _View:
    odd = [char for char in set(text) if len(_FOLDING[ord(char)]) != 1]
    if not odd:
        return _View(fold(text), text, ())
    found = re.finditer(f"[{re.escape(''.join(sorted(odd)))}]", text)
    expanded, offsets = _edited(text, ((m.start(), m.end(), fold(m[0])) for m in found))
    return _View(fold(expanded), text, (offsets,))


_LINE_END = re.compile(r"(?<=[^\W\d_])-[^\S\n]*\n[^\S\n]*(?=[^\W\d_])")
_TAG = re.compile(r"#\w+")


def _humps(text: str) -> Iterator[tuple[int, int, str]]:
    """A space before each hump of a hashtag: #DueDiligence as "#Due Diligence"."""
    for tag in _TAG.finditer(text):
        for i in range(tag.start() + 2, tag.end()):
            if text[i].isupper() and text[i - 1].islower():
                yield i, i, " "


def _views(text: str) -> Iterator[_View]:
    """The text as it stands; and, where it has any, with line-end hyphens or hashtags resolved."""
    yield _view(text)
    hyphens = [(m.start(), m.end(), "") for m in _LINE_END.finditer(text)]
    for edits in (hyphens, list(_humps(text))):
        if edits:
            edited, offsets = _edited(text, edits)
            inner = _view(edited)
            yield _View(inner.text, text, (*inner.offsets, offsets))


# Patterns: an alias or rule as written in the configuration, made into something to look for.

_LETTER = r"[^\W_]"
_END = rf"(?!{_LETTER})"
_GENDERED = r"(?:[:*_/]-?in(?:nen)?|/innen|\(in(?:nen)?\))"
_ENDING = rf"(?:e[nrsm]?|n|e?ns|s|ern|ers|in(?:nen)?)?{_GENDERED}?(?:'s)?"
_POSSESSIVE = r"(?:'?s)?"
# "Steuerung" and "steuerte" are not about "Steuer".
_TAIL = rf"(?!ung|nd|te[nt]?{_END}){_LETTER}{{3,{LONGEST_WORD}}}+"
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
_PREFIX = re.compile(
    r"(?:ab|an|auf|aus|be|bei|durch|ein|ent|er|fehl|ge|her|hin|miss?|mit|nach|re|uber|ueber|um|un"
    r"|unter|ur|ver|vor|wider|wieder|zer|zu){1,3}"
)
_PREFIX_INSIDE = re.compile(r"[ns](?:be|ent|unter|ver|zer)$")  # "Gerichtsentscheidung"


@dataclass(frozen=True, slots=True)
class _Pattern:
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
            out.append(rf"{_LETTER}{{0,{LONGEST_WORD}}}")
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
        return [(word.rstrip("*"), f"{_LETTER}*+" if word.endswith("*") else "")]
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


def _compiled(pattern: str, *, name: bool) -> Iterator[_Pattern]:
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
) -> Iterator[_Pattern]:
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
        stems = [("", f"{_LETTER}++")]
    else:
        stems = _last(last_word, exact=exact, name=name and not front)
    long = len(last_word) >= COMPOUND_LETTERS and "*" not in tokens[-1][1]
    compound = long and not exact and not name and left != "tag"
    for index, (stem, endings) in enumerate(stems):
        spelled = _spelled(stem)
        after = f"(?:{endings}){_END}" + (f"|{_TAIL}" if compound and not index else "")
        if exact:
            after = rf"(?!-?{_LETTER})"
        keys = _keys(_shortest(front[0][1].lstrip("*"), exact=exact) if front else spelled)
        yield _Pattern(keys, re.compile(f"({before}{spelled})(?:{after})"), left)


def _shortest(word: str, *, exact: bool) -> str:
    stem = None if exact or "*" in word else _INFLECTED.match(word)
    return _spelled(stem[1] if stem else word)


# Places: where a text holds a pattern.


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """A find: the whole word or phrase, and the letters of the pattern itself within it."""

    start: int
    end: int
    core: Span

    def overlaps(self, other: _Place) -> bool:
        return self.core[0] < other.core[1] and other.core[0] < self.core[1]

    @property
    def weight(self) -> int:
        return self.core[1] - self.core[0]


_HANDLE = re.compile(r"@(\w+)(?:\.\w+)*")
_ELLIPSIS = re.compile(
    rf"((?:(?<!{_LETTER}){_LETTER}{{2,30}}-\s{{0,2}}(?:,|/|&|und\b|oder\b|sowie\b|bzw\.?|and\b)\s{{0,2}})"
    rf"{{1,4}})({_LETTER}{{5,{LONGEST_WORD}}})"
)
_PART = re.compile(rf"({_LETTER}{{2,30}})-")


class _Finder:
    """All patterns of a configuration, looked for in one pass over a text."""

    def __init__(self, patterns: Iterable[tuple[str, bool]]) -> None:
        self._automaton = ahocorasick.Automaton()
        self._handles: dict[str, list[tuple[re.Pattern[str], tuple[str, bool]]]] = {}
        self._whole: dict[str, list[tuple[_Pattern, tuple[str, bool]]]] = {}
        by_key: dict[str, list[tuple[_Pattern, tuple[str, bool]]]] = {}
        for source in dict.fromkeys(patterns):
            if source[0].lstrip("= ").startswith("@"):
                self._add_handle(source)
                continue
            for compiled in _compiled(source[0], name=source[1]):
                for key in compiled.keys:
                    by_key.setdefault(key, []).append((compiled, source))
                    if compiled.left == "compound":
                        self._whole.setdefault(key, []).append((compiled, source))
        for key, found in by_key.items():
            self._automaton.add_word(key, (len(key), found))
        self._automaton.make_automaton()

    def _add_handle(self, source: tuple[str, bool]) -> None:
        handle = fold(source[0].lstrip("= ").strip())
        if name := re.match(r"@(\w+)", handle):
            exact = re.compile(re.escape(handle) + r"(?![\w@]|\.\w)")
            self._handles.setdefault(name[1], []).append((exact, source))

    def places(self, text: str) -> dict[tuple[str, bool], set[_Place]]:
        """Pattern to where the text holds it; patterns it does not hold are left out."""
        found: dict[tuple[str, bool], set[_Place]] = {}
        for view in _views(text):
            hits = self._handles_in(view.text) if "@" in view.text else iter(())
            masked = _masked(view.text) if "@" in view.text else view.text
            for source, start, end, core in itertools.chain(hits, self._words_in(masked)):
                place = _Place(*view.span(start, end), view.span(*core))
                found.setdefault(source, set()).add(place)
        return found

    def _handles_in(self, text: str) -> Iterator[tuple[tuple[str, bool], int, int, Span]]:
        for hit in _HANDLE.finditer(text):
            start = hit.start()
            if start and (text[start - 1].isalnum() or text[start - 1] in "_.-+@"):
                continue  # an e-mail address
            for handle, source in self._handles.get(hit[1], ()):
                if found := handle.match(text, start):
                    yield source, start, found.end(), found.span()

    def _words_in(self, text: str) -> Iterator[tuple[tuple[str, bool], int, int, Span]]:
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

    def _elided_in(self, text: str) -> Iterator[tuple[tuple[str, bool], int, int, Span]]:
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

    def _beginning(self, word: str) -> Iterator[tuple[_Pattern, tuple[str, bool]]]:
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
        derived = _PREFIX.fullmatch(first) or _PREFIX_INSIDE.search(first)
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


# Who is meant: services of companies.

_COMPARED = re.compile(
    r"\b(?:als|wie|statt|anstatt|gegenuber|than|unlike|vs\.?)\s+(?:\w{1,6}\s+){0,2}$"
)
_BELONGS = re.compile(
    r"\s+(?:von|vom|bei|beim|der|des|at|by|from|of|with)\s+(?:(?:der|dem|den|the|kanzlei)\s+)?$"
)


class Matcher:
    """Finds what posts are about.

    companies: the own company first, then its competitors. services: the portfolio, which is
    looked for at every company. revision: changes when the same text could match otherwise.
    """

    def __init__(self, companies: Sequence[Term], services: Sequence[Term]) -> None:
        self.companies = tuple(companies)
        self.services = tuple(services)
        self.revision = revision(self.companies, self.services)
        patterns = [(alias, True) for term in companies for alias in (term.name, *term.aliases)]
        patterns += [(alias, False) for term in services for alias in (term.name, *term.aliases)]
        for term in (*companies, *services):
            rules = [*term.any_of, *term.all_of, *term.none_of]
            patterns += [(rule, False) for rule in rules]
        self._finder = _Finder(patterns)

    def match(self, text: str, *, own: str | None = None) -> list[Match]:
        """What the post is about, companies and services in the order of the configuration.

        own: the company that the post's source is about, if it is about one.
        """
        if own is not None and own not in {company.name for company in self.companies}:
            raise ValueError(f'"{own}" is not one of the companies')
        found = self._finder.places(text)
        named = _longest(
            {term.name: _named(term, found, name=True) for term in self.companies}, named=()
        )
        playing = [c.name for c in self.companies if named[c.name] or c.name == own]
        if not playing:
            return []
        names = [place for places in named.values() for place in places]
        services = _longest(
            {term.name: _named(term, found, name=False) for term in self.services}, named=names
        )
        owner = _attribution(text, named, playing, own)
        spans: dict[tuple[str, str], list[Span]] = {}
        for service, places in services.items():
            for place in places:
                key = owner(place), service
                spans.setdefault(key, []).append((place.start, place.end))
        return list(_matches(playing, [s.name for s in self.services], named, spans))


def _matches(
    playing: list[str],
    services: list[str],
    named: dict[str, list[_Place]],
    spans: dict[tuple[str, str], list[Span]],
) -> Iterator[Match]:
    for company in playing:
        held = [service for service in services if (company, service) in spans]
        for service in held:
            yield Match(company, service, _merged(spans[company, service]))
        if not held:
            whole = [(place.start, place.end) for place in named[company]]
            yield Match(company, None, _merged(whole))


def revision(companies: Iterable[Term], services: Iterable[Term]) -> str:
    """What `Matcher.revision` will be, without the work of building the matcher."""
    decides = [RULES_VERSION, *([t.model_dump() for t in terms] for terms in (companies, services))]
    plain = json.dumps(decides, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(plain.encode(), digest_size=6).hexdigest()


def _named(term: Term, found: dict[tuple[str, bool], set[_Place]], *, name: bool) -> list[_Place]:
    """Where the post names the term, if the term's rules allow it to."""

    def held(pattern: str) -> bool:
        return (pattern, False) in found

    if (term.any_of and not any(map(held, term.any_of))) or any(map(held, term.none_of)):
        return []
    if not all(map(held, term.all_of)):
        return []
    aliases = {(alias, name) for alias in (term.name, *term.aliases)}
    return sorted(set().union(*(found.get(alias, ()) for alias in aliases)))


def _longest(terms: dict[str, list[_Place]], named: Iterable[_Place]) -> dict[str, list[_Place]]:
    """Leave out places that are part of a longer one, or of a company's name."""
    ranked = [(place.weight, 0, term, place) for term, places in terms.items() for place in places]
    ranked += [(place.weight, 1, "", place) for place in named]
    ranked.sort(key=lambda entry: entry[:2], reverse=True)
    taken = bytearray(max((entry[3].core[1] for entry in ranked), default=0))
    kept: dict[str, list[_Place]] = {term: [] for term in terms}
    for (_, is_name), group in itertools.groupby(ranked, key=lambda entry: entry[:2]):
        free = [entry for entry in group if taken.find(1, *entry[3].core) < 0]
        for *_, term, place in free:
            taken[slice(*place.core)] = b"\1" * place.weight
            if not is_name:
                kept[term].append(place)
    return {term: sorted(places) for term, places in kept.items()}


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return tuple(merged)


def _attribution(
    text: str, named: dict[str, list[_Place]], playing: list[str], own: str | None
) -> Callable[[_Place], str]:
    """Whose service a place means, in a post about these companies.

    In this order: the company right behind it ("the tax advice at X"), the nearest one before it
    in the sentence, the nearest one in the sentence, the source's own, the last one named before,
    the first one named. A company that is only compared with ("better than X") owns nothing.
    """
    if len(playing) == 1:
        return lambda _: playing[0]
    places = sorted((p.start, p.end, company) for company in named for p in named[company])
    first = own or places[0][2]
    places = [place for place in places if not _is_compared(text, place[0])]
    starts = [place[0] for place in places]
    ends = [end for _, end in sentences(text)]

    def owner(service: _Place) -> str:
        n = bisect_right(starts, service.start)
        before = places[n - 1] if n else None
        after = places[n] if n < len(places) else None
        number = bisect_right(ends, service.start)
        begin = ends[number - 1] if number else 0
        end = ends[number] if number < len(ends) else len(text)
        if after and after[0] < end:
            if _BELONGS.fullmatch(fold(text[service.end : min(after[0], service.end + 40)])):
                return after[2]
            if not before or before[0] < begin:
                return after[2]
        if before and (before[0] >= begin or own is None):
            return before[2]
        return first

    return owner


def _is_compared(text: str, start: int) -> bool:
    return _COMPARED.search(fold(text[max(0, start - 40) : start])) is not None
