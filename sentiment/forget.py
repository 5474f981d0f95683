"""Forget: what a person asks to be erased goes at once, and does not come back.

Of each post stays a row without text, title, address, author, id and time of day, under a keyed
mark by which the next fetch is recognised; of a survey sheet, the same. Then the file itself is
cleaned: SQLite would keep what was deleted until it needs the room.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time
from functools import partial
from typing import TYPE_CHECKING, Any

from sentiment.concerned import (
    Concerned,
    Sheet,
    by_source,
    marked,
    named_in,
    on_sheets,
    with_copies,
)
from sentiment.database import open_existing, rows, timestamp, transaction
from sentiment.erasing import erase_post, forget_scores, note_erasure, rewrite_later, scrub
from sentiment.privacy import forgotten_mark, pseudonym, pseudonym_key
from sources.text import stable_id

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from sqlite_utils import Database

    from sentiment.config import Config

REASON = "on request"


@dataclass(slots=True)
class Forgotten:
    """What was erased, or would be. posts: by source, copies and survey comments among them.

    copies: near-identical posts of others. mentions, answers: how many rows of each are concerned.
    scores: "kept" without any name in the figures, or "gone". named_in: posts of others whose
    text holds the name. wiped: nothing of it is left in the file; None where that was not tried.
    """

    dry_run: bool
    posts: dict[str, int] = field(default_factory=dict)
    copies: int = 0
    mentions: int = 0
    answers: int = 0
    scores: str = "kept"
    named_in: list[dict[str, Any]] = field(default_factory=list)
    wiped: bool | None = None

    def __bool__(self) -> bool:
        return bool(self.posts or self.answers)

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)


def forget(
    config: Config,
    db: Database,
    concerned: Concerned,
    *,
    copies: bool = True,
    with_scores: bool = False,
    dry_run: bool = False,
) -> Forgotten:
    """Erase what is concerned, all of it or nothing.

    copies: near-identical posts of others go too. with_scores: the scores go out of the figures,
    whatever `[privacy] deleted_posts` says. The caller rolls up afterwards.
    """
    gone = with_scores or config.privacy.deleted_posts == "forget"
    with transaction(db):
        posts = with_copies(db, concerned) if copies else set(concerned.posts)
        comments = on_sheets(db, _sheets_of(db, posts) | concerned.sheets)
        posts |= comments.posts
        told = Forgotten(
            dry_run,
            by_source(db, posts),
            len(posts - concerned.posts - comments.posts),
            len(_mentions(db, posts)),
            len(concerned.answers | comments.answers),
            "gone" if gone else "kept",
            named_in(db, concerned.names, posts),
        )
        if dry_run or not told:
            return told
        _out_of_alerts(db, _mentions(db, posts))
        _erase_answers(config, db, comments.sheets, gone=gone)
        _erase_posts(config, db, posts, gone=gone)
        _note(db, told, comments.sheets)
        rewrite_later(db)
    told.wiped = scrub(db)
    return told


def forget_as_in(config: Config, db: Database, other: Path, *, dry_run: bool = False) -> Forgotten:
    """Repeat here what another copy of the database has forgotten: after a backup was restored."""
    with open_existing(other, read_only=True) as copy:
        marks = {row["mark"] for row in rows(copy, "SELECT mark FROM forgotten")}
    if not dry_run:
        with transaction(db):
            for mark in marks:
                _remember(db, mark)
    return forget(config, db, marked(config, db, marks), copies=False, dry_run=dry_run)


def _mentions(db: Database, posts: set[int]) -> set[int]:
    found = rows(
        db,
        "SELECT id FROM mentions WHERE post_id IN (SELECT value FROM json_each(?))",
        json.dumps(sorted(posts)),
    )
    return {row["id"] for row in found}


def _sheets_of(db: Database, posts: set[int]) -> set[Sheet]:
    found = rows(
        db,
        "SELECT survey, response FROM survey_comments "
        "WHERE post_id IN (SELECT value FROM json_each(?))",
        json.dumps(sorted(posts)),
    )
    return {(row["survey"], row["response"]) for row in found}


def _erase_posts(config: Config, db: Database, posts: set[int], *, gone: bool) -> None:
    key = pseudonym_key(config)
    voices: dict[tuple[int, str, str], str] = {}
    found = rows(
        db,
        "SELECT p.id, p.source_id, p.external_id, p.url, p.author, p.day, s.name AS source "
        "FROM posts p JOIN sources s ON s.id = p.source_id "
        "WHERE p.id IN (SELECT value FROM json_each(?)) ORDER BY p.id",
        json.dumps(sorted(posts)),
    )
    _out_of_sources(db, found)
    for post in found:
        voice = (post["source_id"], post["author"], post["day"])
        author = voices.setdefault(voice, _nobody()) if post["author"] else None
        mark = forgotten_mark(partial(pseudonym, key, post["source"]), post["external_id"])
        forget_scores(db, post["id"], all_of_them=gone)
        erase_post(db, post["id"], author)
        _anonymous(db, post, mark, config.zone, gone=gone)
        _remember(db, mark)


def _anonymous(
    db: Database, post: dict[str, Any], mark: str, zone: ZoneInfo, *, gone: bool
) -> None:
    """Without what leads back to the post at its source: its id there, and the time of day."""
    midnight = _midnight(post["day"], zone)
    db.execute(
        "UPDATE posts SET external_id = ?, posted_at = ?, collected_at = ?, changed_at = NULL, "
        "checked_at = NULL, rating = CASE WHEN ? THEN NULL ELSE rating END WHERE id = ?",
        [mark, midnight, midnight, int(gone), post["id"]],
    )
    db.execute("UPDATE mentions SET spans = '[]' WHERE post_id = ?", [post["id"]])


def _midnight(day: str, zone: ZoneInfo) -> str:
    return timestamp(datetime.combine(date.fromisoformat(day), time.min, zone))


def _nobody() -> str:
    """In place of a pseudonym: chance, so that not even the key leads back."""
    return f"-{secrets.token_hex(8)}"


def _remember(db: Database, mark: str) -> None:
    db.execute("INSERT OR IGNORE INTO forgotten (mark) VALUES (?)", [mark])


def _erase_answers(config: Config, db: Database, sheets: set[Sheet], *, gone: bool) -> None:
    """Scores of a sheet stay together under a name by chance, or go; so do its comments' links."""
    key = pseudonym_key(config)
    people: dict[tuple[str, str, str], str] = {}
    for survey, response in sorted(sheets):
        hide = partial(pseudonym, key, f"survey {survey}")
        _remember(db, forgotten_mark(hide, response))
        sheet = _nobody()
        where = "WHERE survey = ? AND response = ?"
        answers = rows(db, f"SELECT * FROM survey_responses {where} ORDER BY id", survey, response)
        for number, row in enumerate(answers):
            person = (survey, row["respondent"], row["day"])
            who = people.setdefault(person, _nobody()) if row["respondent"] else None
            db.execute(
                "UPDATE survey_responses SET external_id = ?, response = ?, respondent = ?, "
                "answered_at = ? WHERE id = ?",
                [f"{sheet} {number}", sheet, who, _midnight(row["day"], config.zone), row["id"]],
            )
        if gone:
            db.execute(f"DELETE FROM survey_responses {where}", [survey, sheet])
        db.execute(f"UPDATE survey_comments SET response = ? {where}", [sheet, survey, response])


def _out_of_alerts(db: Database, mentions: set[int]) -> None:
    """Alerts name the mentions that weigh most; a row's number may be given again."""
    for table in ("alerts", "alert_transitions"):
        for row in rows(db, f"SELECT id, detail FROM {table} WHERE instr(detail, '\"mentions\"')"):
            detail = json.loads(row["detail"])
            facts = detail.get("facts", detail)
            kept = [mention for mention in facts["mentions"] if mention not in mentions]
            if kept != facts["mentions"]:
                facts["mentions"] = kept
                text = json.dumps(detail, sort_keys=True, ensure_ascii=False)
                db.execute(f"UPDATE {table} SET detail = ? WHERE id = ?", [text, row["id"]])


def _out_of_sources(db: Database, posts: list[dict[str, Any]]) -> None:
    """Ids of the last reading in a cursor, or their hashes, and sentences on what it left out."""
    for source_id in {post["source_id"] for post in posts}:
        names = {
            name
            for post in posts
            if post["source_id"] == source_id
            for name in (post["external_id"], post["url"])
            if name
        }
        marks = names | {stable_id(name) for name in names}
        row = rows(db, "SELECT cursor, problems FROM sources WHERE id = ?", source_id)[0]
        cursor = json.loads(row["cursor"]) if row["cursor"] else None
        problems = [
            said
            for said in json.loads(row["problems"])
            if not any(name[:80] in said for name in names)
        ]
        db.execute(
            "UPDATE sources SET cursor = ?, problems = ? WHERE id = ?",
            [
                json.dumps(_without(cursor, marks)) if cursor is not None else None,
                json.dumps(problems, ensure_ascii=False),
                source_id,
            ],
        )


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(item, names) for key, item in value.items() if key not in names}
    if isinstance(value, list):
        return [
            _without(item, names) for item in value if not (isinstance(item, str) and item in names)
        ]
    return value


def _note(db: Database, told: Forgotten, sheets: set[Sheet]) -> None:
    """A row for each source and survey concerned; it says when and how many, not who."""
    for source, posts in told.posts.items():
        note_erasure(db, REASON, posts, source)
    surveys = Counter(survey for survey, _ in sheets)
    for survey in surveys.keys() - told.posts.keys():
        note_erasure(db, REASON, 0, survey)
