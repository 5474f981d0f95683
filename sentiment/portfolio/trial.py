"""Trial: what another portfolio would find in the stored posts. Nothing is stored."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sentiment.database import rows
from sentiment.match import Key, Mention, mentions_of
from sentiment.matching import Matcher
from sentiment.portfolio.reading import owners, posts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlite_utils import Database

    from sentiment.config import Config


@dataclass(slots=True)
class Change:
    """A service of a company (service None: the company as a whole) before and after.

    before, after: mentions. reworded: mentions that stay, of which other words would be scored.
    gained_examples, lost_examples: snippets of the newest ones.
    """

    company: str
    service: str | None
    before: int = 0
    after: int = 0
    gained: int = 0
    lost: int = 0
    reworded: int = 0
    gained_examples: list[str] = field(default_factory=list)
    lost_examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Trial:
    """How many posts were read, how many still wait for the present portfolio, and the changes."""

    posts: int = 0
    unread: int = 0
    changes: list[Change] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)


def trial(
    config: Config,
    db: Database,
    *,
    examples: int = 3,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Trial:
    """Match the stored posts with this configuration, and compare with the mentions stored.

    The database need not agree with the configuration, and is not written to.
    """
    matcher = Matcher(config.companies, config.services)
    companies = _numbered(db, "companies", [company.name for company in config.companies])
    services = _numbered(db, "services", [service.name for service in config.services])
    owner = owners(config, db)
    result, changes = Trial(), _Changes(companies, services, examples)
    for batch in posts(db, progress):
        stored = _stored(db, batch[-1]["id"], batch[0]["id"])
        for post in batch:
            if post["matched_by"] is None:
                result.unread += 1
                continue
            result.posts += 1
            after = mentions_of(post, owner[post["source_id"]], matcher, (companies, services))
            changes.compare(stored.get(post["id"], []), after)
    result.changes = changes.sorted(config)
    return result


def _numbered(db: Database, table: str, names: Iterable[str]) -> dict[str, int]:
    """Ids of the names that the database knows, and negative ones for those that are new."""
    known = {row["name"]: row["id"] for row in rows(db, f"SELECT id, name FROM {table}")}
    new = [name for name in names if name not in known]
    return {**known, **{name: -number for number, name in enumerate(new, 1)}}


def _stored(db: Database, first: int, last: int) -> dict[int, list[Mention]]:
    """Post id to its mentions as they are stored."""
    found: dict[int, list[Mention]] = {}
    sql = (
        "SELECT post_id, company_id, service_id, spans, snippet FROM mentions "
        "WHERE post_id BETWEEN ? AND ?"
    )
    for row in db.query(sql, [first, last]):
        key = row["company_id"], row["service_id"]
        found.setdefault(row["post_id"], []).append(Mention(key, row["spans"], row["snippet"]))
    return found


class _Changes:
    """Counts and examples for each service of each company."""

    def __init__(self, companies: dict[str, int], services: dict[str, int], examples: int) -> None:
        self._companies = {number: name for name, number in companies.items()}
        self._services: dict[int | None, str | None] = {None: None}
        self._services |= {number: name for name, number in services.items()}
        self._examples = examples
        self._by_key: dict[Key, Change] = {}

    def _of(self, key: Key) -> Change:
        if key not in self._by_key:
            self._by_key[key] = Change(self._companies[key[0]], self._services[key[1]])
        return self._by_key[key]

    def compare(self, before: list[Mention], after: list[Mention]) -> None:
        """Take note of a post's mentions as they are and as they would be."""
        old = {mention.key: mention for mention in before}
        new = {mention.key: mention for mention in after}
        for key, mention in old.items():
            change = self._of(key)
            change.before += 1
            if key not in new:
                change.lost += 1
                self._show(change.lost_examples, mention)
            elif mention != new[key]:
                change.reworded += 1
        for key, mention in new.items():
            change = self._of(key)
            change.after += 1
            if key not in old:
                change.gained += 1
                self._show(change.gained_examples, mention)

    def _show(self, examples: list[str], mention: Mention) -> None:
        if len(examples) < self._examples and mention.snippet not in examples:
            examples.append(mention.snippet)

    def sorted(self, config: Config) -> list[Change]:
        """The own company's services in the order of the configuration, then everybody else's."""
        for service in config.services:
            key = next(n for n, name in self._companies.items() if name == config.company.name)
            number = next(n for n, name in self._services.items() if name == service.name)
            self._of((key, number))
        companies = [company.name for company in config.companies]
        services = [None, *(service.name for service in config.services)]

        def order(change: Change) -> tuple[int, int, str, str]:
            return (
                _place(companies, change.company),
                _place(services, change.service),
                change.company,
                change.service or "",
            )

        return sorted(self._by_key.values(), key=order)


def _place(names: list[Any], name: str | None) -> int:
    return names.index(name) if name in names else len(names)
