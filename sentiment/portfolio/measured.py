"""Lint, second part: what the stored posts say of the patterns, in one pass over them."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sentiment.database import today
from sentiment.matching import Matcher
from sentiment.portfolio.findings import finding
from sentiment.portfolio.reading import owners, posts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlite_utils import Database

    from sentiment.config import Config, Term
    from sentiment.matching import Match
    from sentiment.places import Place, Written
    from sentiment.portfolio.findings import Finding, Level

FEW = 20  # posts; of fewer nothing is concluded
ENOUGH = 100  # posts about the company, among which a service should have been named
COMMON = 0.1  # share of the posts about nobody from which on a word is an everyday one
TOPIC = 0.5  # a word in more of a source's posts is what the source was searched by
DISTINCT = 2.0  # times more often in posts about the company than in others: it says something
EMPTY = 0.9  # share of posts without any service that makes a company's alias doubtful
VETOED = 0.9  # share of a term's posts that rules may take before that is told


class Measured:
    """Counts over the stored posts; `findings` draws the conclusions."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._matcher = Matcher(config.companies, config.services)
        self._rules = [(term, True) for term in config.companies if _has_rules(term)]
        self._rules += [(term, False) for term in config.services if _has_rules(term)]
        self._ours = 0  # posts about the own company
        self._recent = 0  # of these, those of the last days
        self._last: dict[str, str] = {}  # service → last day it was named at the own company
        self._inside: Counter[str] = Counter()  # service alias → posts about the own company
        self._outside: dict[int, Counter[str]] = defaultdict(Counter)  # source → alias → others
        self._nobody: Counter[int] = Counter()  # source → posts about nobody
        self._alone: Counter[str] = Counter()  # company alias → posts that count by it alone
        self._empty: Counter[str] = Counter()  # of these, those without a service
        self._held: Counter[tuple[str, bool]] = Counter()  # term → posts with an alias of it
        self._denied: dict[tuple[str, bool], Counter[tuple[str, str]]] = defaultdict(Counter)
        self._lost: Counter[tuple[str, bool]] = Counter()  # term → posts that its rules take away

    def read(self, post: dict[str, Any], own: str | None, since: str) -> None:
        """Take note of a post. own: the company its source is about; since: the recent days."""
        found = self._matcher.places(post["text"])
        if not found and own is None:
            self._nobody[post["source_id"]] += 1
            return
        matches = self._matcher.read(post["text"], found, own=own)
        for term, name in self._rules:
            self._apply_rules(term, name, found)
        aliases = {written for written in found if not written[1]}
        if not matches:
            self._nobody[post["source_id"]] += 1
            self._outside[post["source_id"]].update(alias for alias, _ in aliases)
            return
        ours = [match for match in matches if match.company == self._config.company.name]
        if ours:
            self._note(post, ours, aliases, since)
            if own is None:
                self._note_name(found, ours)

    def _note(
        self, post: dict[str, Any], ours: list[Match], aliases: set[Written], since: str
    ) -> None:
        self._ours += 1
        self._recent += post["day"] >= since
        self._inside.update(alias for alias, _ in aliases)
        for match in ours:
            if match.service is not None:
                self._last[match.service] = max(self._last.get(match.service, ""), post["day"])

    def _note_name(self, found: dict[Written, set[Place]], ours: list[Match]) -> None:
        company = self._config.company
        names = [name for name in {company.name, *company.aliases} if (name, True) in found]
        if len(names) == 1:
            self._alone[names[0]] += 1
            self._empty[names[0]] += ours[0].service is None

    def _apply_rules(self, term: Term, name: bool, found: dict[Written, set[Place]]) -> None:
        if not any((alias, name) in found for alias in (term.name, *term.aliases)):
            return
        key = term.name, name
        self._held[key] += 1
        vetoes = [("none_of", rule) for rule in term.none_of if (rule, False) in found]
        vetoes += [("all_of", rule) for rule in term.all_of if (rule, False) not in found]
        if term.any_of and not any((rule, False) in found for rule in term.any_of):
            vetoes.append(("any_of", ""))
        self._denied[key].update(vetoes)
        self._lost[key] += bool(vetoes)

    def findings(self, days: int) -> Iterator[Finding]:
        """What follows from the counts."""
        yield from self._silent(days)
        yield from self._common()
        yield from self._doubtful()
        yield from self._swallowed()

    def _silent(self, days: int) -> Iterator[Finding]:
        for service in self._config.services:
            last = self._last.get(service.name)
            if last is None and self._ours >= ENOUGH:
                yield finding("warning", "never-named", service, name=False, posts=self._ours)
            elif last is not None and last < self._since(days) and self._recent >= FEW:
                yield finding(
                    "warning",
                    "long-silent",
                    service,
                    name=False,
                    day=last,
                    posts=self._recent,
                    days=days,
                )

    def _since(self, days: int) -> str:
        return since(self._config, days).isoformat()

    def _common(self) -> Iterator[Finding]:
        """Aliases in as many posts about nobody; a source searched by the word says nothing."""
        for service in self._config.services:
            for alias in dict.fromkeys((service.name, *service.aliases)):
                there = [
                    source
                    for source, whole in self._nobody.items()
                    if self._outside[source][alias] <= TOPIC * whole
                ]
                whole = sum(self._nobody[source] for source in there)
                held = sum(self._outside[source][alias] for source in there)
                if held < max(FEW, COMMON * whole) or self._ours < FEW:
                    continue
                inside = self._inside[alias] / self._ours
                if inside < DISTINCT * held / whole:
                    yield finding(
                        "warning",
                        "common-word",
                        service,
                        name=False,
                        alias=alias,
                        outside=held / whole,
                        inside=inside,
                    )

    def _doubtful(self) -> Iterator[Finding]:
        company = self._config.company
        for alias, alone in self._alone.items():
            share = self._empty[alias] / alone
            if alone >= FEW and share >= EMPTY and alias != company.name:
                yield finding(
                    "warning",
                    "doubtful-name",
                    company,
                    name=True,
                    posts=alone,
                    alias=alias,
                    share=share,
                )

    def _swallowed(self) -> Iterator[Finding]:
        for term, name in self._rules:
            key = term.name, name
            held, lost = self._held[key], self._lost[key]
            if held < FEW or lost < VETOED * held:
                continue
            (rule, written), times = self._denied[key].most_common(1)[0]
            level: Level = "error" if lost == held else "warning"
            yield finding(
                level,
                "rules-take-all",
                term,
                name=name,
                lost=lost,
                held=held,
                rule=rule,
                written=written,
                times=times,
            )


def _has_rules(term: Term) -> bool:
    return bool(term.any_of or term.all_of or term.none_of)


def since(config: Config, days: int) -> date:
    """The first of the last days."""
    return today(config.zone) - timedelta(days=days)


def measured(
    config: Config,
    db: Database,
    days: int,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Iterator[Finding]:
    """What the stored posts show. The database need not agree with the configuration."""
    counts, owner, recent = Measured(config), owners(config, db), since(config, days).isoformat()
    for batch in posts(db, progress):
        for post in batch:
            counts.read(post, owner[post["source_id"]], recent)
    yield from counts.findings(days)
