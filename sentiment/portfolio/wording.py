"""Lint, first part: what the patterns say of one another, without any post.

Each pattern is tried on what it was written for: its own words. Whatever else is found there is in
its way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from sentiment.places import Finder
from sentiment.portfolio.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentiment.config import Config, Term
    from sentiment.folding import Span
    from sentiment.places import Written
    from sentiment.portfolio.findings import Finding

SHORT = {True: 4, False: 3}  # letters that a company's name and a service's alias should have
SHORT_STEM = 4  # letters before a *
# What a word may turn up as; a pattern that finds all that another does makes that superfluous.
FORMS = ("{}", "{}e", "{}en", "{}s", "{}innen", "Musterix{}", "{}musterix", "Musterix-{}")
SPELLINGS: tuple[dict[str, str | int | None], ...] = (
    {},
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"},
    {"ä": "a", "ö": "o", "ü": "u", "Ä": "A", "Ö": "O", "Ü": "U"},
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An alias of a term (the name is one), and a text it was written for."""

    term: Term
    written: Written
    text: str

    @property
    def alias(self) -> str:
        """As config.toml has it."""
        return self.written[0]


class Portfolio:
    """All aliases of a configuration, and which of them are found in a text."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.companies = config.companies
        self.entries = [
            Entry(term, written, text)
            for term, written in _aliases(config)
            if (text := sample(written)) is not None
        ]
        self._finder = Finder(entry.written for entry in self.entries)
        self._of: dict[Written, list[Entry]] = {}
        for entry in self.entries:
            self._of.setdefault(entry.written, []).append(entry)

    def in_text(self, text: str) -> list[tuple[Entry, Span]]:
        """Every alias that is found, with the longest place of its own letters."""
        return [
            (entry, max((place.core for place in places), key=lambda core: core[1] - core[0]))
            for written, places in self._finder.places(text).items()
            for entry in self._of[written]
        ]


def _aliases(config: Config) -> Iterator[tuple[Term, Written]]:
    for terms, name in ((config.companies, True), (config.services, False)):
        for term in terms:
            for alias in dict.fromkeys((term.name, *term.aliases)):
                yield term, (alias, name)


@cache
def _alone(written: Written) -> Finder:
    return Finder([written])


def sample(written: Written) -> str | None:
    """The words a pattern was written for; None when it does not find even those."""
    for filling in ("", "x", "-musterix", "musterix"):
        text = written[0].lstrip("= ").replace("*", filling).strip(" -")
        if _alone(written).places(text):
            return text
    return None


def wording(config: Config) -> Iterator[Finding]:
    """What is wrong whatever is posted."""
    portfolio = Portfolio(config)
    yield from _never_found(config)
    yield from _shared(portfolio)
    yield from _inside_a_company(portfolio)
    yield from _short(portfolio)
    yield from _superfluous(portfolio)
    for terms, name in ((config.companies, True), (config.services, False)):
        for term in terms:
            yield from _contradictions(term, name=name)


def _never_found(config: Config) -> Iterator[Finding]:
    for term, written in _aliases(config):
        if sample(written) is None:
            alias, name = written
            yield finding("error", "finds-nothing", term, name=name, alias=alias)


def _shared(portfolio: Portfolio) -> Iterator[Finding]:
    """One and the same place for two services, or for two companies."""
    told = set()
    for entry in portfolio.entries:
        found = portfolio.in_text(entry.text)
        mine = next(core for other, core in found if other == entry)
        for other, core in found:
            same_kind = other.written[1] == entry.written[1]
            pair = frozenset((one.term.name, one.alias) for one in (entry, other))
            if other.term is entry.term or core != mine or not same_kind:
                continue
            if pair not in told:
                told.add(pair)
                yield _both(entry, other)


def _both(entry: Entry, other: Entry) -> Finding:
    name = entry.written[1]
    return finding(
        "error",
        "two-companies" if name else "two-services",
        entry.term,
        name=name,
        alias=entry.alias,
        other=other.term.name,
        there="" if other.alias == entry.alias else other.alias,
    )


def _inside_a_company(portfolio: Portfolio) -> Iterator[Finding]:
    """Names of companies within one another, and services that are a company's name."""
    own = portfolio.config.company
    for entry in portfolio.entries:
        found = portfolio.in_text(entry.text)
        mine = next(core for other, core in found if other == entry)
        for other, core in found:
            if other.term is entry.term or not other.written[1]:
                continue
            if not entry.written[1]:
                if core[0] <= mine[0] and mine[1] <= core[1]:
                    yield _swallowed(entry, other)
            elif core != mine and (entry.term is own or other.term is own):
                yield _shortened(entry, other, own)


def _swallowed(entry: Entry, other: Entry) -> Finding:
    return finding(
        "error",
        "service-is-company",
        entry.term,
        name=False,
        alias=entry.alias,
        company=other.term.name,
        other=other.alias,
    )


def _shortened(entry: Entry, other: Entry, own: Term) -> Finding:
    words = {"alias": entry.alias, "other": other.alias}
    if entry.term is own:
        code, words["company"] = "name-in-name ours", other.term.name
    else:
        code = "name-in-name theirs"
    return finding("warning", code, entry.term, name=True, **words)


def _short(portfolio: Portfolio) -> Iterator[Finding]:
    for entry in portfolio.entries:
        name = entry.written[1]
        letters = len(re.sub(r"[\W_]", "", entry.alias))
        guarded = entry.term.any_of or entry.term.all_of or entry.term.none_of
        if guarded or entry.text.startswith("@"):
            continue
        if "*" in entry.alias and letters < SHORT_STEM:
            yield finding(
                "warning", "short stem", entry.term, name=name, alias=entry.alias, text=entry.text
            )
        elif letters < SHORT[name]:
            yield finding(
                "warning", "short", entry.term, name=name, alias=entry.alias, letters=letters
            )


def _superfluous(portfolio: Portfolio) -> Iterator[Finding]:
    """Aliases that find nothing which another one of the same term does not find as well."""
    gone: set[Written] = set()
    plain_first = sorted(portfolio.entries, key=lambda entry: not entry.alias.isascii())
    for entry in plain_first:
        if entry.alias == entry.term.name:
            continue  # always an alias
        if any(other.term is not entry.term for other, _ in portfolio.in_text(entry.text)):
            continue  # it keeps the place from somebody else
        texts = [text for text in _forms(entry) if _alone(entry.written).places(text)]
        for other in portfolio.entries:
            same = other.term is entry.term and other != entry and other.written not in gone
            if same and all(_alone(other.written).places(text) for text in texts):
                gone.add(entry.written)
                alias, name = entry.written
                yield finding(
                    "hint", "superfluous", entry.term, name=name, alias=alias, other=other.alias
                )
                break


def _forms(entry: Entry) -> Iterator[str]:
    for spelling in SPELLINGS:
        for form in FORMS:
            yield form.format(entry.text.translate(str.maketrans(spelling)))


def _contradictions(term: Term, *, name: bool) -> Iterator[Finding]:
    """Rules that can never be met together with the aliases, or with one another."""
    aliases = [(alias, name) for alias in dict.fromkeys((term.name, *term.aliases))]
    vetoed = {written[0]: veto for written in aliases if (veto := _veto(term, written))}
    if len(vetoed) == len(aliases):
        veto = next(iter(vetoed.values()))
        yield finding("error", "none-of every", term, name=name, veto=veto)
        return
    for alias, veto in vetoed.items():
        if alias != term.name:
            yield finding("error", "none-of one", term, name=name, alias=alias, veto=veto)
    for key, rules, every in (("all_of", term.all_of, False), ("any_of", term.any_of, True)):
        against = [rule for rule in rules if _veto(term, (rule, False))]
        if against and (not every or len(against) == len(rules)):
            yield finding("error", "rules", term, name=name, key=key, pattern=against[0])


def _veto(term: Term, written: Written) -> str | None:
    text = sample(written)
    if text is None:
        return None
    return next((veto for veto in _holding(text, term.none_of)), None)


def _holding(text: str, patterns: Sequence[str]) -> Iterator[str]:
    for pattern in patterns:
        if _alone((pattern, False)).places(text):
            yield pattern
