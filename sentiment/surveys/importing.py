"""Import: a file is read to its end and judged; then all of it is stored, or nothing.

Rows go into temporary tables first, which SQLite keeps on disk: a million rows need no more memory
than a thousand. What is stored follows from the answer sheet's id: a longer export adds what is
new, a corrected one updates, and importing the same file again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sentiment.database import count, now, rows, transaction
from sentiment.store import store_posts
from sentiment.surveys.reading import SurveyError, open_table
from sentiment.surveys.staging import ANSWER, Imported, Reader, stage, unstage
from sources.base import Post, Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlite_utils import Database

    from sentiment.config import Config
    from sentiment.surveys.settings import Survey
    from sources.tables import Row

BATCH = 5_000  # rows

Progress = Callable[[str, int, int], None]  # stage, done, all
SOURCE_KIND = "survey"


def import_survey(
    config: Config,
    db: Database,
    survey: Survey,
    path: Path,
    *,
    dry_run: bool = False,
    progress: Progress = lambda _stage, _done, _all: None,
    stopping: Callable[[], bool] = lambda: False,
    listed: Callable[[int, str, str, str], None] = lambda _row, _column, _value, _reason: None,
) -> Imported:
    """Store a file's answers and comments; SurveyError when it is refused, and nothing is stored.

    dry_run: only say what would happen. progress: told the stage ("read", then "store"), how much
    is done and how much there is. listed: told each cell that is no answer, by row and column.
    """
    result = Imported(survey.name, path.name, dry_run=dry_run)
    whole = _lines(path)
    stage(db)
    try:
        with open_table(path, survey) as table:
            reader = Reader(config, db, survey, table.columns, result=result, listed=listed)
            for batch in _batches(table.rows):
                if stopping():
                    raise Stopped
                with _at_once(db):
                    reader.read(batch)
                progress("read", min(result.rows, whole), whole)
        progress("read", whole, whole)
        reader.finish(path.name, config.surveys.max_off)
        with transaction(db):
            reader.leave_out_forgotten()
            told = partial(progress, "store")
            _apply(config, db, survey, result, progress=told, stopping=stopping)
    finally:
        unstage(db)
    return result


@contextmanager
def _at_once(db: Database) -> Iterator[None]:
    """Many inserts into temporary tables; takes no lock that others wait for."""
    db.conn.execute("BEGIN")
    try:
        yield
    finally:
        db.conn.execute("COMMIT")


def _lines(path: Path) -> int:
    """About how many rows a file has, for the progress bar; 1 where counting would cost more."""
    total = 0
    with path.open("rb") as file:
        if file.read(4) == b"PK\x03\x04":
            return 1
        while chunk := file.read(1 << 20):
            total += chunk.count(b"\n")
    return max(total, 1)


def _batches(table: Iterator[Row]) -> Iterator[list[Row]]:
    batch = []
    for row in table:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _apply(
    config: Config,
    db: Database,
    survey: Survey,
    result: Imported,
    *,
    progress: Callable[[int, int], None],
    stopping: Callable[[], bool],
) -> None:
    """Bring the survey's answers and comments in line with what is staged."""
    values = {"survey": survey.name}
    differs = " OR ".join(f"r.{name} IS NOT a.{name}" for name in ANSWER[2:])
    found = next(
        db.query(
            f"SELECT ifnull(sum(r.id IS NULL), 0) AS new, "
            f"ifnull(sum(r.id IS NOT NULL AND ({differs})), 0) AS changed "
            "FROM staged_answers a LEFT JOIN survey_responses r ON r.survey = :survey "
            "AND r.external_id = a.external_id AND r.metric = a.metric",
            values,
        )
    )
    result.new, result.changed = found["new"], found["changed"]
    result.removed = next(
        db.query(f"SELECT count(*) AS n FROM survey_responses WHERE {GONE}", values)
    )["n"]
    if result.dry_run:
        return
    db.execute(f"DELETE FROM survey_responses WHERE {GONE}", values)
    _store_answers(db, survey, result.answers, progress, stopping)
    if survey.comments:
        _apply_comments(config, db, survey, result)


GONE = """
survey = :survey AND response IN (SELECT response FROM staged_sheets) AND NOT EXISTS (
    SELECT 1 FROM staged_answers a
    WHERE a.external_id = survey_responses.external_id AND a.metric = survey_responses.metric
)"""
# In the order of the table's own indexes, which then grow at their end instead of everywhere.
STORE = f"""
INSERT INTO survey_responses (survey, {", ".join(ANSWER)})
SELECT :survey, {", ".join(ANSWER)} FROM staged_answers
WHERE external_id > :after AND external_id <= :last ORDER BY external_id, metric
ON CONFLICT (survey, external_id, metric)
DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in ANSWER[2:])}
WHERE {" OR ".join(f"{name} IS NOT excluded.{name}" for name in ANSWER[2:])}
"""
NEXT = f"""
SELECT max(external_id) FROM (
    SELECT external_id FROM staged_answers WHERE external_id > ?
    ORDER BY external_id LIMIT {10 * BATCH}
)"""


def _store_answers(
    db: Database,
    survey: Survey,
    whole: int,
    progress: Callable[[int, int], None],
    stopping: Callable[[], bool],
) -> None:
    """What is new or has changed, within the caller's transaction."""
    after, done = "", 0
    while last := db.execute(NEXT, [after]).fetchone()[0]:
        if stopping():
            raise Stopped
        db.execute(STORE, {"survey": survey.name, "after": after, "last": last})
        after, done = last, done + 10 * BATCH
        progress(min(done, whole), whole)


COMMENTS = """
SELECT c.*, (
    SELECT 1 + 4.0 * (a.value - a.scale_low) / (a.scale_high - a.scale_low)
    FROM staged_answers a
    WHERE a.external_id >= c.response || ' ' AND a.external_id < c.response || '!'
        AND a.service_id IS c.service_id
    ORDER BY CASE a.metric WHEN 'csat' THEN 0 WHEN 'nps' THEN 1 ELSE 2 END LIMIT 1
) AS rating
FROM staged_comments c WHERE c.external_id > ? ORDER BY c.external_id LIMIT 500
"""


def _apply_comments(config: Config, db: Database, survey: Survey, result: Imported) -> None:
    """Comments as posts of the survey's own source, each with the number given beside it."""
    source_id = _source(config, db, survey)
    db.execute(
        "DELETE FROM posts WHERE source_id = ? AND id IN (SELECT post_id FROM survey_comments s "
        "WHERE s.survey = ? AND s.response IN (SELECT response FROM staged_sheets)) "
        "AND external_id NOT IN (SELECT external_id FROM staged_comments)",
        [source_id, survey.name],
    )
    after = ""
    while found := rows(db, COMMENTS, after):
        stored = store_posts(db, source_id, map(_post, found), str, config.zone)
        result.new_comments += stored.new
        result.changed_comments += stored.changed
        after = found[-1]["external_id"]
    linked = (
        "SELECT p.id, :survey, c.response, c.service_id FROM staged_comments c "
        "JOIN posts p ON p.source_id = :source AND p.external_id = c.external_id"
    )
    values = {"survey": survey.name, "source": source_id}
    db.execute(
        "UPDATE posts SET matched_by = NULL WHERE id IN (SELECT l.id FROM "
        f"({linked}) l JOIN survey_comments s ON s.post_id = l.id "
        "WHERE s.service_id IS NOT l.service_id)",
        values,
    )
    db.execute(f"INSERT OR REPLACE INTO survey_comments {linked}", values)


def _post(row: dict[str, Any]) -> Post:
    return Post(
        external_id=row["external_id"],
        text=row["text"],
        posted_at=datetime.fromisoformat(row["answered_at"]),
        author=row["respondent"],
        rating=row["rating"],
    )


def _source(config: Config, db: Database, survey: Survey) -> int:
    """The source under which the survey's comments stand; nobody reads it on a schedule."""
    found = rows(db, "SELECT id, kind FROM sources WHERE name = ?", survey.name)
    if found and found[0]["kind"] != SOURCE_KIND:
        raise SurveyError(
            f'"{survey.name}" was the name of a source of kind {found[0]["kind"]}; '
            "give the survey another name"
        )
    db.execute(
        "INSERT INTO sources (name, kind, own_company, language, every_seconds, active, "
        "last_success_at) VALUES (?, ?, ?, ?, 0, 0, ?) ON CONFLICT (name) DO UPDATE SET "
        "own_company = excluded.own_company, language = excluded.language, "
        "last_success_at = excluded.last_success_at",
        [survey.name, SOURCE_KIND, config.company.name, survey.language, now()],
    )
    return count(db, "SELECT id FROM sources WHERE name = ?", survey.name)


def fingerprint(survey: Survey) -> str:
    """Changes with everything that decides how a file is read."""
    settings = json.dumps(survey.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(settings.encode()).hexdigest()[:16]
