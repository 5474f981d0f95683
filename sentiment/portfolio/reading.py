"""Stored posts in a stream, newest first, in pieces: no long read holds up the worker's log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentiment.database import count, own_company, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlite_utils import Database

    from sentiment.config import Config

BATCH = 1_000  # posts

POSTS = f"""
SELECT p.id, p.source_id, p.text, p.day, p.matched_by,
    (SELECT service_id FROM survey_comments c WHERE c.post_id = p.id) AS asked_about
FROM posts p WHERE p.id < ? AND p.erased_at IS NULL ORDER BY p.id DESC LIMIT {BATCH}
"""


def posts(
    db: Database, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> Iterator[list[dict[str, Any]]]:
    """Batches of the posts that have a text still: id, source_id, text, day, matched_by,
    asked_about (the service that a survey asked about).
    """
    whole = count(db, "SELECT count(*) FROM posts WHERE erased_at IS NULL")
    before, done = count(db, "SELECT ifnull(max(id), 0) + 1 FROM posts"), 0
    while batch := rows(db, POSTS, before):
        yield batch
        before, done = batch[-1]["id"], done + len(batch)
        progress(min(done, whole), whole)


def owners(config: Config, db: Database) -> dict[int, str | None]:
    """Source id to the company that all its posts are about, as this configuration has it."""
    configured = {source.name: own_company(config, source) for source in config.sources}
    companies = {company.name for company in config.companies}
    renamed = {row["name"] for row in rows(db, "SELECT name FROM companies WHERE own = 1")}
    owner: dict[int, str | None] = {}
    for row in rows(db, "SELECT id, name, kind, own_company FROM sources"):
        stored = row["own_company"]
        if row["kind"] == "survey" or (stored in renamed and stored not in companies):
            stored = config.company.name
        about = configured.get(row["name"], stored)
        owner[row["id"]] = about if about in companies else None
    return owner
