"""The explorer's posts: which ones an address asks for, and a page of them at a time.

A page begins after the last mention of the one before (its time or strength, and its id), so that
the thousandth costs what the first does.
"""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from datasette.utils import sqlite_timelimit

from models.labels import EKMAN
from sentiment.database import timestamp
from sentiment.web.figures import Row, ask
from sentiment.web.posts import TRICKS
from sentiment.web.selection import Selection, SelectionError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from zoneinfo import ZoneInfo

    from sentiment.config import Config

ORDERS = ("newest", "telling")
POLARITIES = ("negative", "neutral", "positive")
WHOLE = "-"  # instead of a service: the company as a whole
EVERY = "*"  # instead of a company: all of them
FEW = 5_000  # rows that are faster sorted than searched for
PATIENCE = 2_000  # milliseconds
LONGEST = 200  # characters of a search


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which mentions are shown. None and "": no matter which.

    company: EVERY for all of them; service: WHOLE for the company as a whole; stars: 1 to 5, 4.5
    counts as 4; after: (time or strength, mention id) of the last one of the page before.
    """

    selection: Selection
    company: str
    service: str | None = None
    polarity: str | None = None
    emotion: str | None = None
    stars: int | None = None
    words: str = ""
    order: str = "newest"
    after: tuple[str | float, int] | None = None

    def query(self, **other: str | None) -> str:
        """The query of this address without its page, with other parameters set or left out."""
        given: dict[str, str | None] = {
            "company": self.company,
            "service": self.service,
            "polarity": self.polarity,
            "emotion": self.emotion,
            "stars": str(self.stars) if self.stars else None,
            "words": self.words,
            "order": None if self.order == "newest" else self.order,
        }
        return self.selection.query(**(given | other))

    def following(self, row: Row) -> str:
        """The query of the page that begins after a row of `found`."""
        return self.query(after=f"{row['place']}~{row['mention_id']}")

    def as_rows(self) -> str:
        """The query of Datasette's page of scored_mentions that has the same rows."""
        selection = self.selection
        query: list[tuple[str, str]] = [
            ("day__gte", str(selection.first)),
            ("day__lte", str(selection.last)),
            ("is_copy__lt", "1"),  # a number, which "is_copy" would not be taken for
            ("source_kind__not", "survey"),
        ]
        if self.company != EVERY:
            query.append(("company", self.company))
        if self.service:
            query.append(_or_null("service", self.service, WHOLE))
        if selection.source:
            query.append(("source", selection.source))
        if selection.language:
            query.append(_or_null("language", selection.language, "und"))
        if self.polarity:
            query.append(("polarity", self.polarity))
        if self.emotion:
            query.append((f"{self.emotion}__gte", "0.5"))
        if self.stars:
            query += [("rating__gte", str(self.stars)), ("rating__lt", str(self.stars + 1))]
        if self.words:
            query += [
                ("_search", search(self.words)),
                ("_searchmode", "raw"),
                ("_fts_table", "posts_fts"),
                ("_fts_pk", "post_id"),
            ]
        if self.order == "newest":
            query.append(("_sort_desc", "posted_at"))
        return urlencode(query)


def _or_null(column: str, value: str, nothing: str) -> tuple[str, str]:
    return (f"{column}__isnull", "1") if value == nothing else (column, value)


def parse(
    arguments: Mapping[str, str],
    selection: Selection,
    config: Config,
    services: Collection[str],
) -> Wanted:
    """What an address asks for; SelectionError names what cannot be. services: known ones."""
    companies = [company.name for company in config.companies]
    wanted = Wanted(
        replace(selection, segment=None),  # posts have no customer class
        _one_of(arguments, "company", [*companies, EVERY]) or config.company.name,
        _one_of(arguments, "service", [*services, WHOLE]),
        _one_of(arguments, "polarity", POLARITIES),
        _one_of(arguments, "emotion", EKMAN),
        int(_one_of(arguments, "stars", "12345") or 0) or None,
        TRICKS.sub("", arguments.get("words", "")).strip(),
        _one_of(arguments, "order", ORDERS) or "newest",
    )
    if len(wanted.words) > LONGEST or (wanted.words and not search(wanted.words)):
        raise SelectionError("words", wanted.words)
    after = arguments.get("after")
    return replace(wanted, after=_place(after, wanted.order)) if after else wanted


def _one_of(arguments: Mapping[str, str], key: str, known: Collection[str]) -> str | None:
    value = arguments.get(key) or None
    if value is not None and value not in known:
        raise SelectionError(key, value)
    return value


def _place(text: str, order: str) -> tuple[str | float, int]:
    place, _, mention = text.partition("~")
    if not re.fullmatch(r"[0-9]{1,18}", mention):
        raise SelectionError("after", text)
    if order == "newest":
        if not re.fullmatch(r"[0-9T:+-]{10,35}", place):
            raise SelectionError("after", text)
        return place, int(mention)
    if not re.fullmatch(r"[0-9.e-]{1,30}", place):
        raise SelectionError("after", text)
    try:
        return float(place), int(mention)
    except ValueError:
        raise SelectionError("after", text) from None


def search(text: str) -> str:
    """What somebody types, as an FTS5 query: all the words; "words in a row"; beginnings*."""
    found = []
    plain = text.translate(str.maketrans("„“”«»", '"""""'))
    for row, word in re.findall(r'"([^"]*)"|([^\s"]+)', plain):
        part = row or word
        if re.search(r"[^\W_]", part):
            found.append(f'"{part.rstrip("*")}"' + ("*" if part.endswith("*") else ""))
    return " ".join(found)


def found(conn: sqlite3.Connection, wanted: Wanted, zone: ZoneInfo, most: int) -> list[Row]:
    """Up to so many mentions in their order: `mention_id` and `place`, for `following`.

    SelectionError when there are too many posts to look through for so few.
    """
    try:
        with sqlite_timelimit(conn, PATIENCE):
            sql, values = _sql(conn, wanted, zone)
            return ask(conn, f"{sql} LIMIT :most", values | {"most": most})
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        raise SelectionError("effort", "") from error


def _sql(conn: sqlite3.Connection, wanted: Wanted, zone: ZoneInfo) -> tuple[str, Row]:
    where, values = _conditions(wanted, zone)
    first = _first(conn, where, values, wanted)
    mention = "k.mention_id" if first == "scores" else "m.id"
    place = "m.post_at" if wanted.order == "newest" else "abs(k.valence)"
    if wanted.after:
        if wanted.order == "newest":  # one bound, so that the index is entered there
            where["time"] = "m.post_at >= :start"
        where["place"] = f"{place} <= :place AND ({place} < :place OR {mention} < :mention)"
        values["place"], values["mention"] = wanted.after
    conditions = "\n    AND ".join(where.values())
    sql = (
        f"SELECT {mention} AS mention_id, {place} AS place FROM {WALKS[first]}\n"
        f"WHERE {conditions}\nORDER BY {place} DESC, {mention} DESC"
    )
    return sql, values


# The tables in the order in which they are walked (CROSS JOIN keeps SQLite to it)
SCORES = "CROSS JOIN scores k ON k.mention_id = m.id AND k.model = m.model"
WALKS = {
    "mentions": f"mentions m CROSS JOIN posts p ON p.id = m.post_id {SCORES}",
    "posts": f"posts p CROSS JOIN mentions m ON m.post_id = p.id {SCORES}",
    "words": "posts_fts f CROSS JOIN posts p ON p.id = f.rowid "
    f"CROSS JOIN mentions m ON m.post_id = p.id {SCORES}",
    "scores": "scores k CROSS JOIN mentions m ON m.id = k.mention_id AND m.model = k.model "
    "CROSS JOIN posts p ON p.id = m.post_id",
}


def _conditions(wanted: Wanted, zone: ZoneInfo) -> tuple[dict[str, str], Row]:
    """What must hold, each under a name. A plus before a column: no index for this one."""
    selection = wanted.selection
    start = datetime.combine(selection.first, time(), zone)
    end = datetime.combine(selection.last + timedelta(days=1), time(), zone)
    where = {
        "time": "m.post_at >= :start AND m.post_at < :end",
        "copies": "p.duplicate_of IS NULL",
        "source": "+p.source_id NOT IN (SELECT id FROM sources WHERE kind = 'survey')",
    }
    values: Row = {
        "start": timestamp(start.astimezone(UTC)),
        "end": timestamp(end.astimezone(UTC)),
    }
    if selection.source:
        where["source"] = "+p.source_id = (SELECT id FROM sources WHERE name = :source)"
    if selection.language:
        where["language"] = "ifnull(p.language, 'und') = :language"
    if wanted.company != EVERY:
        where["company"] = "+m.company_id = (SELECT id FROM companies WHERE name = :company)"
    if wanted.service == WHOLE:
        where["service"] = "m.service_id IS NULL"
    elif wanted.service:
        where["service"] = "m.service_id = (SELECT id FROM services WHERE name = :service)"
    if wanted.polarity:
        where["polarity"] = "k.polarity = :polarity"
    if wanted.emotion:
        where["emotion"] = (
            "EXISTS (SELECT 1 FROM emotions e WHERE e.mention_id = m.id AND e.model = m.model "
            "AND e.emotion = :emotion AND e.probability >= 0.5)"
        )
    if wanted.stars:
        where["stars"] = "p.rating >= :stars AND p.rating < :stars + 1"
    if wanted.words:
        where["words"] = "+m.post_id IN (SELECT rowid FROM posts_fts WHERE posts_fts MATCH :words)"
    values |= {
        "source": selection.source,
        "language": selection.language,
        "company": wanted.company,
        "service": wanted.service,
        "polarity": wanted.polarity,
        "emotion": wanted.emotion,
        "stars": wanted.stars,
        "words": search(wanted.words),
    }
    return where, values


def _first(conn: sqlite3.Connection, where: dict[str, str], values: Row, wanted: Wanted) -> str:
    """The table to begin with: one with few rows, sorted at the end, else the one in order."""

    def few(sql: str) -> bool:
        (count,) = conn.execute(f"SELECT count(*) FROM ({sql} LIMIT {FEW + 1})", values).fetchone()
        return bool(count <= FEW)

    if wanted.words and few("SELECT 1 FROM posts_fts WHERE posts_fts MATCH :words"):
        where["words"] = "f.posts_fts MATCH :words"
        return "words"
    if wanted.selection.source:
        source = where["source"].removeprefix("+")
        days = "p.day BETWEEN :first AND :last"
        values |= {"first": str(wanted.selection.first), "last": str(wanted.selection.last)}
        if few(f"SELECT 1 FROM posts p WHERE {source} AND {days}"):
            where |= {"source": source, "days": days}
            return "posts"
    if wanted.order == "newest":
        return "mentions"
    among = [where["time"], *([where["service"]] if "service" in where else [])]
    few_mentions = few(f"SELECT 1 FROM mentions m WHERE {' AND '.join(among)}")
    return "mentions" if few_mentions else "scores"


def rows(conn: sqlite3.Connection, mentions: list[int]) -> list[Row]:
    """The rows of scored_mentions with these ids, in the same order."""
    unordered = ask(
        conn,
        "SELECT * FROM scored_mentions "
        "WHERE mention_id IN (SELECT value FROM json_each(:mentions))",
        {"mentions": json.dumps(mentions)},
    )
    by_id = {row["mention_id"]: row for row in unordered}
    return [by_id[mention] for mention in mentions if mention in by_id]
