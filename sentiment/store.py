"""Store: a page's posts and the cursor that stands after them, in one transaction."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sentiment.database import day_of, now, rows, timestamp, transaction
from sentiment.duplicates import same, sketch
from sentiment.privacy import forgotten_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from zoneinfo import ZoneInfo

    from sqlite_utils import Database

    from sources.base import Page, Post

MAX_TEXT = 20_000  # characters; what nobody reads, no model needs
MAX_TITLE = 1_000  # a title of its own that is longer is none
MAX_ADDRESS = 4_000  # no browser's business beyond that
OLDEST = datetime(1990, 1, 1, tzinfo=UTC)  # before that, a date is a mistake
COPY_DAYS = 30  # near-identical texts further apart than this are no copies


@dataclass(slots=True)
class Stored:
    """How many posts of a run were new, and how many known ones had changed."""

    new: int = 0
    changed: int = 0


def store_page(
    db: Database, source_id: int, page: Page, pseudonym: Callable[[str], str], zone: ZoneInfo
) -> Stored:
    """Store what is new or changed, and what is lost; what was erased or forgotten stays so."""
    with transaction(db):
        stored = store_posts(db, source_id, page.posts, pseudonym, zone)
        for said in page.gaps:
            db.execute(
                "INSERT INTO gaps (source_id, said, found_at) VALUES (?, ?, ?)",
                [source_id, said, now()],
            )
        db.execute(
            "UPDATE sources SET cursor = ? WHERE id = ?", [json.dumps(page.cursor), source_id]
        )
    return stored


def store_posts(
    db: Database,
    source_id: int,
    posts: Iterable[Post],
    pseudonym: Callable[[str], str],
    zone: ZoneInfo,
) -> Stored:
    """The posts alone, within the caller's transaction."""
    stored = Stored()
    for post in posts:
        row = _row(post, pseudonym, zone)
        known = rows(
            db,
            "SELECT id, content_hash, erased_at FROM posts WHERE source_id = ? AND external_id = ?",
            source_id,
            row["external_id"],
        )
        if not known and _is_forgotten(db, pseudonym, row["external_id"]):
            continue
        if not known:
            _insert(db, source_id, row)
            stored.new += 1
        elif known[0]["erased_at"] is None and known[0]["content_hash"] != row["content_hash"]:
            _change(db, known[0]["id"], row)
            stored.changed += 1
    return stored


def _is_forgotten(db: Database, pseudonym: Callable[[str], str], external_id: str) -> bool:
    """Whether somebody has asked for this post to be erased: it must not come back."""
    mark = forgotten_mark(pseudonym, external_id)
    return bool(rows(db, "SELECT 1 FROM forgotten WHERE mark = ?", mark))


def _row(post: Post, pseudonym: Callable[[str], str], zone: ZoneInfo) -> dict[str, Any]:
    title, body = _clean(post.title), _clean(post.text)
    text = body if body.startswith(title) else f"{title}\n{body}"
    rating = post.rating if post.rating is not None and 1 <= post.rating <= 5 else None
    content = json.dumps([title, text, rating])
    posted_at = _believable(post.posted_at)
    return {
        "external_id": _clean(post.external_id),
        "url": _clean(post.url) if post.url and len(post.url) <= MAX_ADDRESS else None,
        "author": pseudonym(post.author) if post.author else None,
        "title": title[:MAX_TITLE],
        "text": text[:MAX_TEXT],
        "rating": rating,
        "posted_at": timestamp(posted_at),
        "day": day_of(posted_at, zone),
        "content_hash": hashlib.sha256(content.encode()).hexdigest(),
    }


def _clean(text: str) -> str:
    """Without the NULs and lone surrogates that neither SQLite nor a tokenizer can take."""
    return text.replace("\0", "").encode("utf-8", "replace").decode().strip()


def _believable(moment: datetime) -> datetime:
    """Dates lie: a post from the future or from before the web was posted now."""
    collected = datetime.now(UTC)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if OLDEST <= moment <= collected + timedelta(days=1) else collected


def _insert(db: Database, source_id: int, row: dict[str, Any]) -> None:
    row = {**row, "source_id": source_id, "collected_at": now()}
    names = ", ".join(row)
    marks = ", ".join(f":{name}" for name in row)
    post_id = db.execute(f"INSERT INTO posts ({names}) VALUES ({marks}) RETURNING id", row)
    _link_copies(db, post_id.fetchone()[0], row["text"])


def _change(db: Database, post_id: int, row: dict[str, Any]) -> None:
    """A new text: matched and scored again, and compared with other texts again."""
    former = _group(db, [post_id])
    db.execute(
        "UPDATE posts SET title = :title, text = :text, rating = :rating, url = :url, "
        "content_hash = :content_hash, changed_at = :changed_at, matched_by = NULL WHERE id = :id",
        {
            **{name: row[name] for name in ("title", "text", "rating", "url", "content_hash")},
            "changed_at": now(),
            "id": post_id,
        },
    )
    db.execute(
        "DELETE FROM scores WHERE mention_id IN (SELECT id FROM mentions WHERE post_id = ?)",
        [post_id],
    )
    for member in former:
        db.execute("UPDATE posts SET duplicate_of = NULL WHERE id = ?", [member["id"]])
    erased = [member["id"] for member in former if not member["text"] and member["id"] != post_id]
    if erased:
        _join(db, [*erased, *_beside(former, post_id, row["text"])])
    texts = {member["id"]: member["text"] for member in former} | {post_id: row["text"]}
    for member_id in texts.keys() - set(erased):
        _link_copies(db, member_id, texts[member_id])


def _beside(former: list[dict[str, Any]], changed: int, text: str) -> list[int]:
    """Beside which post of their group erased ones stay, having no text to compare.

    The earliest that did not change; else the changed one, if it is near what it was; else none.
    """
    others = [post for post in former if post["text"] and post["id"] != changed]
    if others:
        return [min(others, key=_age)["id"]]
    return [post["id"] for post in former if post["id"] == changed and same(post["text"], text)]


def _link_copies(db: Database, post_id: int, text: str) -> None:
    """Join the post with the near-identical ones of the same weeks into one group.

    A group is a connected component of the relation `duplicates.same`, and its first copy the
    earliest post: both depend on the texts and times alone, not on the order of arrival.
    """
    values = sketch(text)
    db.execute("DELETE FROM sketches WHERE post_id = ?", [post_id])
    if not values:
        return
    alike = rows(
        db,
        "SELECT DISTINCT other.id, other.text FROM sketches JOIN posts other ON other.id = post_id "
        f"JOIN posts this ON this.id = ? WHERE value IN ({', '.join('?' * len(values))}) "
        "AND abs(julianday(other.posted_at) - julianday(this.posted_at)) <= ?",
        post_id,
        *values,
        COPY_DAYS,
    )
    for value in values:
        db.execute("INSERT INTO sketches (value, post_id) VALUES (?, ?)", [value, post_id])
    similar = [other["id"] for other in alike if same(text, other["text"])]
    if similar:
        _join(db, [post_id, *similar])


def _join(db: Database, post_ids: list[int]) -> None:
    """Make one group of the posts and of those they are grouped with."""
    group = _group(db, post_ids)
    first = min(group, key=_age)
    for member in group:
        copy_of = None if member["id"] == first["id"] else first["id"]
        if member["duplicate_of"] != copy_of:
            db.execute("UPDATE posts SET duplicate_of = ? WHERE id = ?", [copy_of, member["id"]])


def _age(post: dict[str, Any]) -> tuple[str, str, str]:
    """The earliest post is the first copy."""
    return post["posted_at"], post["source"], post["external_id"]


def _group(db: Database, post_ids: list[int]) -> list[dict[str, Any]]:
    """All posts that share a first copy with one of these."""
    marks = ", ".join("?" * len(post_ids))
    return rows(
        db,
        "WITH firsts AS (SELECT DISTINCT ifnull(duplicate_of, id) AS id FROM posts "
        f"WHERE id IN ({marks})) "
        "SELECT p.id, p.text, p.posted_at, p.external_id, p.duplicate_of, s.name AS source "
        "FROM posts p JOIN sources s ON s.id = p.source_id "
        "WHERE p.id IN (SELECT id FROM firsts) OR p.duplicate_of IN (SELECT id FROM firsts)",
        *post_ids,
    )
