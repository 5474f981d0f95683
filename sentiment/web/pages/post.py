"""One post: all that it mentions, how each was scored and by which model, its copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datasette.utils.asgi import NotFound

from sentiment.web import figures, posts

if TYPE_CHECKING:
    import sqlite3

    from datasette.utils.asgi import Response

    from sentiment.web.figures import Row
    from sentiment.web.site import Visit

LONGEST = 10_000  # code points shown before and after the first marked word
COPIES = 50


async def post(visit: Visit) -> Response:
    """The post that the address names by its id."""
    number = visit.arguments.get("id", "")
    found = await visit.read(gather, int(number)) if _is_id(number) else None
    if found is None:
        raise NotFound(visit.words.say("no_such_post"))
    return await visit.show("post.html", **found)


def _is_id(text: str) -> bool:
    return text.isdecimal() and len(text) <= 18


def gather(conn: sqlite3.Connection, number: int) -> dict[str, Any] | None:
    """Everything the page shows; None when there is no such post."""
    found = figures.ask(
        conn,
        "SELECT p.*, s.name AS source, s.kind AS source_kind "
        "FROM posts p JOIN sources s ON s.id = p.source_id WHERE p.id = :id",
        {"id": number},
    )
    if not found:
        return None
    row = found[0]
    scored = figures.ask(
        conn,
        # mentions first: the view alone would be walked from its other end
        "SELECT * FROM scored_mentions WHERE mention_id IN "
        "(SELECT id FROM mentions WHERE post_id = :id) ORDER BY service IS NULL, mention_id",
        {"id": number},
    )
    mentions = posts.labelled(conn, [posts.shown(conn, mention, LONGEST) for mention in scored])
    return {
        "post": row | {"link": posts.link(row["url"])},
        "title": posts.plain(row["title"]) or None,
        "text": posts.plain(row["text"][: 2 * LONGEST]),
        "mentions": [mention | {"earlier": _earlier(conn, mention)} for mention in mentions],
        "unscored": _unscored(conn, number),
        "copies": _copies(conn, row),
    }


def _earlier(conn: sqlite3.Connection, mention: Row) -> list[Row]:
    """How other models scored a mention, the latest first."""
    return figures.ask(
        conn,
        "SELECT model, polarity, valence, negative, neutral, positive, scored_at, "
        "(SELECT e.emotion FROM emotions e WHERE e.mention_id = k.mention_id "
        " AND e.model = k.model AND e.probability >= 0.5 "
        " ORDER BY e.probability DESC, e.emotion LIMIT 1) AS emotion "
        "FROM scores k WHERE mention_id = :mention_id AND model <> :model ORDER BY scored_at DESC",
        {"mention_id": mention["mention_id"], "model": mention["model"]},
    )


def _unscored(conn: sqlite3.Connection, number: int) -> list[Row]:
    return figures.ask(
        conn,
        "SELECT c.name AS company, v.name AS service FROM mentions m "
        "JOIN companies c ON c.id = m.company_id LEFT JOIN services v ON v.id = m.service_id "
        "WHERE m.post_id = :id AND m.model IS NULL ORDER BY m.id",
        {"id": number},
    )


def _copies(conn: sqlite3.Connection, row: Row) -> list[Row]:
    """The other posts with nearly the same text, the first one first; it alone is counted."""
    first = row["duplicate_of"] or row["id"]
    found = figures.ask(
        conn,
        "SELECT p.id, p.posted_at, p.url, p.duplicate_of IS NULL AS is_first, s.name AS source "
        "FROM posts p JOIN sources s ON s.id = p.source_id "
        "WHERE (p.id = :first OR p.duplicate_of = :first) AND p.id <> :id "
        "ORDER BY is_first DESC, p.posted_at LIMIT :most",
        {"first": first, "id": row["id"], "most": COPIES},
    )
    return [copy | {"link": posts.link(copy["url"])} for copy in found]
