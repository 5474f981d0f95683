"""Collect: read a source to its end, page by page, and remember how that went."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from sentiment.allowances import Counted
from sentiment.assemble import adapter
from sentiment.config import Config, Source
from sentiment.database import add_source, day_of, now, rows, timestamp
from sentiment.privacy import pseudonym, pseudonym_key
from sentiment.store import Stored, store_page
from sources.base import SourceError, Stopped

if TYPE_CHECKING:
    from pathlib import Path

    from sqlite_utils import Database

    from sources.http import Client

log = structlog.get_logger()

LONGEST_BACKOFF = timedelta(hours=12)
JITTER = 0.05  # of a wait
TOLD_EVERY = 30.0  # seconds between two words on how far a long reading is
MAX_PROBLEMS = 20  # kept for a reader; the log has them all


@dataclass(slots=True)
class Collected:
    """How reading one source went; error is a sentence, empty when all went well.

    left_alone_until: it was not read, since it failed and asked not to be read before; error is
    that of the last reading.
    """

    source: str
    new: int = 0
    changed: int = 0
    problems: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    error: str = ""
    next_poll: timedelta = timedelta(0)
    quota: str = ""
    left_alone_until: str = ""


Progress = Callable[[Collected, str], None]


def collect(
    config: Config,
    db: Database,
    client: Client,
    *,
    only: set[str] | None = None,
    patient: bool = False,
    stopping: Callable[[], bool] = lambda: False,
    progress: Progress = lambda _so_far, _oldest: None,
) -> list[Collected]:
    """Read every enabled source, or those named in `only`, one after the other.

    patient: sources that failed are left alone until their next attempt is due, as the daemon does.
    """
    wanted = [s for s in config.sources if s.enabled and (only is None or s.name in only)]
    results = []
    for source in wanted:
        if stopping():
            break
        waiting = _left_alone(db, source) if patient else None
        results.append(
            waiting or collect_source(config, db, client, source, stopping, progress=progress)
        )
    return results


def _left_alone(db: Database, source: Source) -> Collected | None:
    """What stands for a reading while a source that failed is not to be read; None: read it."""
    found = rows(
        db,
        "SELECT next_attempt_at, last_error FROM sources "
        "WHERE name = ? AND error_count > 0 AND next_attempt_at > ?",
        source.name,
        now(),
    )
    if not found:
        return None
    until, error = found[0]["next_attempt_at"], found[0]["last_error"] or ""
    log.info("left_alone", source=source.name, until=until)
    return Collected(source.name, error=error, left_alone_until=until)


def collect_source(
    config: Config,
    db: Database,
    client: Client,
    source: Source,
    stopping: Callable[[], bool] = lambda: False,
    *,
    progress: Progress = lambda _so_far, _oldest: None,
) -> Collected:
    """Read one source to its end. Never raises for what the source does: that is its result.

    progress: told after each page what has been stored so far, and the page's oldest day.
    """
    result = Collected(source.name)
    started = datetime.now(UTC)
    error: SourceError | None = None
    try:
        _read(config, db, client, source, stopping=stopping, result=result, progress=progress)
    except Stopped:
        return result  # read to its end on the next start
    except SourceError as failure:
        error = failure
    except Exception:  # an adapter's bug must not take the other sources down
        log.exception("adapter_failed", source=source.name, kind=source.kind)
        error = SourceError(f"the {source.kind} adapter failed unexpectedly; see the log")
    _remember(db, source, started, result, error)
    _report(result, error)
    return result


def import_file(
    config: Config, db: Database, client: Client, file: Path, *, name: str, own: bool
) -> Collected:
    """Store the posts of one file under a source of that name, which need not be configured."""
    source = Source.model_validate(
        {
            "name": name,
            "kind": "file",
            "scope": "own" if own else "public",
            "path": str(file.absolute()),
        }
    )
    add_source(db, config, source)
    return collect_source(config, db, client, source)


def _read(
    config: Config,
    db: Database,
    client: Client,
    source: Source,
    *,
    stopping: Callable[[], bool],
    result: Collected,
    progress: Progress,
) -> None:
    row = rows(db, "SELECT id, cursor FROM sources WHERE name = ?", source.name)[0]
    cursor = json.loads(row["cursor"]) if row["cursor"] else None
    hide = partial(pseudonym, pseudonym_key(config), source.name)
    told = time.monotonic()
    reader = adapter(config, source, client, stopping, Counted(db))
    for page in reader.pages(cursor):
        stored: Stored = store_page(db, row["id"], page, hide, config.zone)
        result.new += stored.new
        result.changed += stored.changed
        result.problems += page.problems
        result.gaps += page.gaps
        result.next_poll = max(result.next_poll, page.next_poll or timedelta(0))
        result.quota = page.quota or result.quota
        oldest = min((day_of(post.posted_at, config.zone) for post in page.posts), default="")
        progress(result, oldest)
        if time.monotonic() - told > TOLD_EVERY:
            told = time.monotonic()
            log.info("reading", source=source.name, new=result.new, back_to=oldest)
        if stopping():
            break


def _remember(
    db: Database,
    source: Source,
    started: datetime,
    result: Collected,
    error: SourceError | None,
) -> None:
    """Write success or failure, and when to try next, into the source's row."""
    if result.quota:
        db.execute("UPDATE sources SET quota = ? WHERE name = ?", [result.quota, source.name])
    if error is None:
        db.execute(
            "UPDATE sources SET last_attempt_at = ?, last_success_at = ?, next_attempt_at = ?, "
            "error_count = 0, last_error = NULL, disabled = 0, problems = ? WHERE name = ?",
            [
                timestamp(started),
                timestamp(started),
                timestamp(started + jittered(max(source.every, result.next_poll))),
                json.dumps(result.problems[:MAX_PROBLEMS], ensure_ascii=False),
                source.name,
            ],
        )
        return
    result.error = str(error)
    failures = rows(db, "SELECT error_count FROM sources WHERE name = ?", source.name)
    wait = backoff(source.every, failures[0]["error_count"] + 1, error.retry_after)
    db.execute(
        "UPDATE sources SET last_attempt_at = ?, next_attempt_at = ?, last_error = ?, "
        "error_count = error_count + 1, disabled = ? WHERE name = ?",
        [
            timestamp(started),
            timestamp(datetime.now(UTC) + wait),
            result.error,
            int(error.permanent),
            source.name,
        ],
    )


def jittered(wait: timedelta) -> timedelta:
    """A little longer, by chance: sources that were started together do not stay together."""
    return wait * random.uniform(1, 1 + JITTER)  # noqa: S311 (no secret)


def backoff(every: timedelta, failures: int, retry_after: timedelta | None) -> timedelta:
    """How long to stay away after so many failures in a row.

    Doubles from the source's own interval up to 12 hours, and is never shorter than asked for.
    """
    doubled: timedelta = min(every * 2 ** min(failures - 1, 16), max(LONGEST_BACKOFF, every))
    return max(doubled, retry_after or timedelta(0))


def _report(result: Collected, error: SourceError | None) -> None:
    for problem in result.problems[:MAX_PROBLEMS]:
        log.warning("left_out", source=result.source, problem=problem)
    for gap in result.gaps:
        log.warning("gap", source=result.source, said=gap)
    if error is None:
        log.info("collected", source=result.source, new=result.new, changed=result.changed)
    else:
        log.warning(
            "source_failed", source=result.source, error=result.error, permanent=error.permanent
        )
