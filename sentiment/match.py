"""Match: which services of which company each post is about, and in which language it is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sentiment.database import count, rows, transaction
from sentiment.language import detect
from sentiment.matching import Match, Matcher, revision
from sentiment.snippets import snippet

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlite_utils import Database

    from sentiment.config import Config

BATCH = 200  # posts a transaction

Key = tuple[int, int | None]  # company id, service id


@dataclass(frozen=True, slots=True)
class Mention:
    """A row of `mentions` to be: where a post means a service, and what is said there."""

    key: Key
    spans: str
    snippet: str


def match(
    config: Config,
    db: Database,
    *,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> int:
    """Match every post that the present portfolio has not read yet; returns how many."""
    portfolio = revision(config.companies, config.services)
    sources = _sources(db, {company.name for company in config.companies})
    marks = {source["id"]: _mark(portfolio, source) for source in sources}
    todo = sum(_unread_count(db, source, marks[source["id"]]) for source in sources)
    if not todo:
        return 0
    matcher = Matcher(config.companies, config.services)
    names = _ids(db, "companies"), _ids(db, "services")
    done = 0
    for source in sources:
        mark = marks[source["id"]]
        while not stopping() and (posts := _unread(db, source, mark)):
            read = [(post, *_read(post, source, matcher, names)) for post in posts]
            with transaction(db):
                for post, language, mentions in read:
                    _write(db, post, language, mentions, mark)
            done += len(posts)
            progress(done, todo)
    return done


def _sources(db: Database, companies: set[str]) -> list[dict[str, Any]]:
    """Every source; one about a company that is no longer configured counts as public."""
    found = rows(db, "SELECT id, own_company, language FROM sources")
    return [
        row if row["own_company"] in companies else {**row, "own_company": None} for row in found
    ]


def _mark(portfolio: str, source: dict[str, Any]) -> str:
    """What read posts carry; changes with the portfolio and with what the source says of them."""
    parts = f"{portfolio} {source['own_company']} {source['language']}"
    return hashlib.sha256(parts.encode()).hexdigest()[:12]


UNREAD = (
    "FROM posts WHERE source_id = ? AND (matched_by IS NULL OR matched_by < ? "
    "OR matched_by > ?) AND erased_at IS NULL"
)


def _unread_count(db: Database, source: dict[str, Any], mark: str) -> int:
    return count(db, f"SELECT count(*) {UNREAD}", source["id"], mark, mark)


def _unread(db: Database, source: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    asked = "(SELECT service_id FROM survey_comments c WHERE c.post_id = posts.id)"
    sql = f"SELECT id, text, content_hash, {asked} AS asked_about {UNREAD} LIMIT {BATCH}"
    return rows(db, sql, source["id"], mark, mark)


def _ids(db: Database, table: str) -> dict[str, int]:
    return {row["name"]: row["id"] for row in rows(db, f"SELECT id, name FROM {table}")}


def _read(
    post: dict[str, Any],
    source: dict[str, Any],
    matcher: Matcher,
    names: tuple[dict[str, int], dict[str, int]],
) -> tuple[str | None, list[Mention]]:
    mentions = mentions_of(post, source["own_company"], matcher, names)
    return source["language"] or detect(post["text"]), mentions


def mentions_of(
    post: dict[str, Any],
    own: str | None,
    matcher: Matcher,
    names: tuple[dict[str, int], dict[str, int]],
) -> list[Mention]:
    """What a post will be stored to mean.

    post: text, and asked_about: the service that a survey asked about. own: the company that the
    post's source is about. names: ids of companies and of services.
    """
    text = post["text"]
    if not text:  # stars without words: a rating, and nothing to read
        return []
    companies, services = names
    matches = matcher.match(text, own=own)
    mentions = [
        Mention(
            key=(companies[found.company], services[found.service] if found.service else None),
            spans=json.dumps(found.spans),
            snippet=snippet(text, found.spans, _places_of_others(found, matches)),
        )
        for found in matches
    ]
    if post["asked_about"] is not None:
        asked = companies[own or matcher.companies[0].name], post["asked_about"]
        mentions = _answering(mentions, asked, text)
    return mentions


def _answering(mentions: list[Mention], asked: Key, text: str) -> list[Mention]:
    """An answer is about the service that was asked about, whether it names it or not."""
    if any(mention.key == asked for mention in mentions):
        return mentions
    others = [mention for mention in mentions if mention.key != (asked[0], None)]
    return [*others, Mention(asked, "[]", snippet(text, ()))]


def _places_of_others(this: Match, matches: list[Match]) -> list[tuple[int, int]]:
    return sorted(span for other in matches if other is not this for span in other.spans)


def _write(
    db: Database,
    post: dict[str, Any],
    language: str | None,
    mentions: list[Mention],
    mark: str,
) -> None:
    """Make the post's mentions these; scores of those that did not change are kept."""
    unchanged = "SELECT 1 FROM posts WHERE id = ? AND content_hash = ? AND erased_at IS NULL"
    if not rows(db, unchanged, post["id"], post["content_hash"]):
        return  # it changed while it was being read: the next run reads it anew
    found = rows(
        db,
        "SELECT id, company_id, service_id, spans, snippet FROM mentions WHERE post_id = ?",
        post["id"],
    )
    before = {(row["company_id"], row["service_id"]): row for row in found}
    after = {mention.key: mention for mention in mentions}
    for key in before.keys() - after.keys():
        db.execute("DELETE FROM mentions WHERE id = ?", [before[key]["id"]])
    for mention in mentions:
        _write_mention(db, post["id"], mention, before.get(mention.key))
    db.execute(
        "UPDATE posts SET language = ?, matched_by = ? WHERE id = ?",
        [language, mark, post["id"]],
    )


def _write_mention(
    db: Database, post_id: int, mention: Mention, before: dict[str, Any] | None
) -> None:
    if before is None:
        db.execute(
            "INSERT INTO mentions (post_id, company_id, service_id, spans, snippet) "
            "VALUES (?, ?, ?, ?, ?)",
            [post_id, *mention.key, mention.spans, mention.snippet],
        )
    elif (before["spans"], before["snippet"]) != (mention.spans, mention.snippet):
        db.execute("DELETE FROM scores WHERE mention_id = ?", [before["id"]])
        db.execute(
            "UPDATE mentions SET spans = ?, snippet = ? WHERE id = ?",
            [mention.spans, mention.snippet, before["id"]],
        )
