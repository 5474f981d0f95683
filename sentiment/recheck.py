"""Recheck: look again at stored posts, as their source's terms demand.

A post that is gone is erased at once; a post that was edited is stored as changed, and so matched
and scored again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import structlog

from sentiment.allowances import Counted
from sentiment.assemble import adapter
from sentiment.database import now, rows, timestamp, transaction
from sentiment.erasing import erase_post, forget_scores, note_erasure
from sentiment.privacy import pseudonym, pseudonym_key
from sentiment.store import store_posts
from sources import registry
from sources.base import SourceError, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from sqlite_utils import Database

    from sentiment.config import Config, Source
    from sources.base import Post, Rechecking
    from sources.http import Client

log = structlog.get_logger()

BATCH = 100  # posts asked for and committed together


@dataclass(slots=True)
class Rechecked:
    """How looking again at a source's posts went; error is a sentence, empty when it went well."""

    source: str
    seen: int = 0
    erased: int = 0
    changed: int = 0
    error: str = ""


def recheck_every(source: Source) -> timedelta | None:
    """How often a source's posts are looked at again; None where its kind knows no such thing."""
    try:
        kind = registry.adapter(source.kind)
    except SourceError:  # its package is broken: told when it is read
        return None
    every: timedelta | None = getattr(kind, "RECHECK_EVERY", None)
    return every if source.enabled else None


def recheck(
    config: Config,
    db: Database,
    client: Client,
    *,
    stopping: Callable[[], bool] = lambda: False,
) -> list[Rechecked]:
    """Look again at what is due of every source, one after the other."""
    return [
        recheck_source(config, db, client, source, stopping)
        for source in config.sources
        if recheck_every(source) is not None and not stopping()
    ]


def recheck_source(
    config: Config,
    db: Database,
    client: Client,
    source: Source,
    stopping: Callable[[], bool] = lambda: False,
) -> Rechecked:
    """Look again at what is due of one source. Never raises for what the source does."""
    result = Rechecked(source.name)
    try:
        for seen, erased, changed in _look(config, db, client, source, stopping):
            result.seen += seen
            result.erased += erased
            result.changed += changed
    except Stopped:
        return result  # goes on with the next start
    except SourceError as error:
        result.error = str(error)
    except Exception:  # an adapter's bug must not take the other duties down
        log.exception("recheck_failed", source=source.name, kind=source.kind)
        result.error = f"the {source.kind} adapter failed unexpectedly; see the log"
    db.execute(
        "UPDATE sources SET recheck_error = ? WHERE name = ?", [result.error or None, source.name]
    )
    if result.error:
        log.warning("recheck_failed", source=source.name, error=result.error)
    elif result.seen:
        log.info(
            "rechecked",
            source=source.name,
            seen=result.seen,
            erased=result.erased,
            changed=result.changed,
        )
    return result


def _look(
    config: Config, db: Database, client: Client, source: Source, stopping: Callable[[], bool]
) -> Iterator[tuple[int, int, int]]:
    """How many posts of each batch were seen, erased and changed; the longest waiting first."""
    reader = cast("Rechecking", adapter(config, source, client, stopping, Counted(db)))
    more = True
    while more and not stopping():
        due = _due(db, source)
        told = dict(reader.recheck([post["external_id"] for post in due])) if due else {}
        seen = [post for post in due if post["external_id"] in told or not stopping()]
        with transaction(db):
            erased, changed = _settle(config, db, source, seen, told)
            for post in seen:
                db.execute("UPDATE posts SET checked_at = ? WHERE id = ?", [now(), post["id"]])
        yield len(seen), erased, changed
        more = len(seen) == BATCH


def _due(db: Database, source: Source) -> list[dict[str, Any]]:
    every = recheck_every(source)
    assert every is not None  # noqa: S101 (asked by whoever calls)
    return rows(
        db,
        "SELECT p.id, p.external_id, p.source_id FROM posts p JOIN sources s ON s.id = p.source_id "
        "WHERE s.name = ? AND p.erased_at IS NULL AND ifnull(p.checked_at, p.collected_at) <= ? "
        f"ORDER BY ifnull(p.checked_at, p.collected_at) LIMIT {BATCH}",
        source.name,
        timestamp(datetime.now(UTC) - every),
    )


def _settle(
    config: Config,
    db: Database,
    source: Source,
    posts: list[dict[str, Any]],
    told: dict[str, Post | None],
) -> tuple[int, int]:
    """Erase what is gone, store what has changed; how many of each."""
    known = {post["external_id"]: post for post in posts}
    gone = [post for name, post in known.items() if name in told and told[name] is None]
    for post in gone:
        forget_scores(db, post["id"], all_of_them=config.privacy.deleted_posts == "forget")
        erase_post(db, post["id"])
    if gone:
        note_erasure(db, "deleted at its source", len(gone), source.name)
    there = [post for name, post in told.items() if post is not None and name in known]
    if not there:
        return len(gone), 0
    hide = partial(pseudonym, pseudonym_key(config), source.name)
    stored = store_posts(db, posts[0]["source_id"], there, hide, config.zone)
    return len(gone), stored.changed
