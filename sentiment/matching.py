"""Which services of which company a post is about. docs/matching.md has the rules by example.

Texts are folded (`folding.py`), what the configuration says becomes patterns (`patterns.py`), and
these are found at places (`places.py`); here is decided who is meant there.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentiment.folding import Span, fold
from sentiment.places import Finder
from sentiment.snippets import sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sentiment.config import Term
    from sentiment.places import Place, Written

__all__ = ["RULES_VERSION", "Match", "Matcher", "fold", "revision"]

RULES_VERSION = 1
"""Raised with every change of the code by which a post would be matched, cut into snippets or
told its language differently: stored posts match again."""


@dataclass(frozen=True, slots=True)
class Match:
    """What a post is about: one service of one company, or (service None) the company as a whole.

    spans: the places that say so, as code point offsets into the text given; sorted, disjoint.
    Empty only for a company that the post's source is about and the post itself does not name.
    """

    company: str
    service: str | None
    spans: tuple[Span, ...]


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
        self._finder = Finder(patterns)

    def match(self, text: str, *, own: str | None = None) -> list[Match]:
        """What the post is about, companies and services in the order of the configuration.

        own: the company that the post's source is about, if it is about one.
        """
        return self.read(text, self.places(text), own=own)

    def places(self, text: str) -> dict[Written, set[Place]]:
        """Where the text holds which pattern of the configuration, whoever is meant there."""
        return self._finder.places(text)

    def read(
        self, text: str, found: dict[Written, set[Place]], *, own: str | None = None
    ) -> list[Match]:
        """`match`, from the places already found in the text."""
        if own is not None and own not in {company.name for company in self.companies}:
            raise ValueError(f'"{own}" is not one of the companies')
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
    named: dict[str, list[Place]],
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


def _named(term: Term, found: dict[Written, set[Place]], *, name: bool) -> list[Place]:
    """Where the post names the term, if the term's rules allow it to."""

    def held(pattern: str) -> bool:
        return (pattern, False) in found

    if (term.any_of and not any(map(held, term.any_of))) or any(map(held, term.none_of)):
        return []
    if not all(map(held, term.all_of)):
        return []
    aliases = {(alias, name) for alias in (term.name, *term.aliases)}
    return sorted(set().union(*(found.get(alias, ()) for alias in aliases)))


def _longest(terms: dict[str, list[Place]], named: Iterable[Place]) -> dict[str, list[Place]]:
    """Leave out places that are part of a longer one, or of a company's name."""
    ranked = [(place.weight, 0, term, place) for term, places in terms.items() for place in places]
    ranked += [(place.weight, 1, "", place) for place in named]
    ranked.sort(key=lambda entry: entry[:2], reverse=True)
    taken = bytearray(max((entry[3].core[1] for entry in ranked), default=0))
    kept: dict[str, list[Place]] = {term: [] for term in terms}
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
    text: str, named: dict[str, list[Place]], playing: list[str], own: str | None
) -> Callable[[Place], str]:
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

    def owner(service: Place) -> str:
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
