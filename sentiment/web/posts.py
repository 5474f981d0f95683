"""Posts as they may be shown: what was said, with the words that mean the service marked."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sentiment.web.figures import Row, ask

if TYPE_CHECKING:
    import sqlite3

    from sentiment.web.selection import Selection

AROUND = 350  # code points shown before and after the first marked word
# invisible characters that turn the direction of what follows, and other controls
TRICKS = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ufff9-\ufffb]"
)
LONG_WORD = 60


def of_service(
    conn: sqlite3.Connection,
    selection: Selection,
    company: str,
    service: str,
    *,
    order: str,
    most: int,
) -> list[Row]:
    """Mentions of a service in a period: the newest, or the clearest (one an author)."""
    where, values = ["company = :company", "service = :service"], {}
    for key, column in (("source", "source"), ("language", "ifnull(language, 'und')")):
        if value := getattr(selection, key):
            where.append(f"{column} = :{key}")
            values[key] = value
    by = "posted_at DESC" if order == "newest" else "abs(valence) DESC, posted_at DESC"
    found = ask(
        conn,
        f"SELECT * FROM scored_mentions WHERE {' AND '.join(where)} "
        "AND day BETWEEN :first AND :last AND NOT is_copy AND source_kind <> 'survey' "
        f"AND snippet <> '' ORDER BY {by} LIMIT :most",
        values
        | {
            "company": company,
            "service": service,
            "first": str(selection.first),
            "last": str(selection.last),
            "most": most if order == "newest" else 5 * most,
        },
    )
    if order != "newest":
        found = list({row["author"] or row["mention_id"]: row for row in reversed(found)}.values())
        found.sort(key=lambda row: -abs(row["valence"]))
    return labelled(conn, [shown(conn, row) for row in found[:most]])


def shown(conn: sqlite3.Connection, mention: Row, around: int = AROUND) -> Row:
    """A mention with `parts` of its post's text (text, whether marked), and a link that is one.

    around: code points before and after the first marked word. No parts: the text was erased.
    """
    (text, spans) = conn.execute(
        "SELECT p.text, m.spans FROM mentions m JOIN posts p ON p.id = m.post_id WHERE m.id = ?",
        [mention["mention_id"]],
    ).fetchone()
    shown_parts = parts(text, json.loads(spans), around) if text else []
    return mention | {"parts": shown_parts, "link": link(mention["url"])}


def labelled(conn: sqlite3.Connection, mentions: list[Row]) -> list[Row]:
    """The mentions with their `labels`: polarity, emotions, labelled_by, labelled_at."""
    found = ask(
        conn,
        "SELECT * FROM gold_labels WHERE mention_id IN (SELECT value FROM json_each(:mentions)) "
        "ORDER BY labelled_at",
        {"mentions": json.dumps([mention["mention_id"] for mention in mentions])},
    )
    by_mention: dict[int, list[Row]] = {}
    for row in found:
        row["emotions"] = json.loads(row["emotions"])
        by_mention.setdefault(row["mention_id"], []).append(row)
    return [mention | {"labels": by_mention.get(mention["mention_id"], [])} for mention in mentions]


def parts(text: str, spans: list[list[int]], around: int = AROUND) -> list[tuple[str, bool]]:
    """The text around the first span, in pieces that are marked or not."""
    spans = sorted(spans)
    start = max(0, spans[0][0] - around) if spans else 0
    end = min(len(text), (spans[0][1] if spans else 0) + around)
    out: list[tuple[str, bool]] = [("… ", False)] if start else []
    at = start
    for low, high in spans:
        if at <= low < high <= end:
            out += [(text[at:low], False), (text[low:high], True)]
            at = high
    out.append((text[at:end] + (" …" if end < len(text) else ""), False))
    return [(plain(piece), marked) for piece, marked in out if piece]


def plain(text: str) -> str:
    """Without controls and characters that turn the writing direction; long words may break."""
    text = TRICKS.sub("", text)
    return re.sub(rf"\S{{{LONG_WORD}}}(?=\S)", lambda word: word[0] + "\u200b", text)


def link(url: str | None) -> str | None:
    """The post's address if it is one that a browser opens as a page."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None
