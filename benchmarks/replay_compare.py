"""Two databases row for row, ids and times of processing aside.

Rows are matched by what they mean: a post by source and external id, a mention by its post,
company and service. bf16 arithmetic rounds differently in batches of other sizes, so
probabilities may differ by `TOLERANCE`, and what hangs on a choice between two values that close
may come out either way; everything else must be equal.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from models.labels import EKMAN, POLARITIES
from sentiment.database import connect
from sentiment.rollup import rollup

if TYPE_CHECKING:
    from pathlib import Path

TOLERANCE = 2e-2

POST = "s.name AS source, p.external_id"
MENTION = f"{POST}, c.name AS company, v.name AS service"
MENTIONS = (
    "FROM mentions m JOIN posts p ON p.id = m.post_id JOIN sources s ON s.id = p.source_id "
    "JOIN companies c ON c.id = m.company_id LEFT JOIN services v ON v.id = m.service_id"
)
COUNTS = ("positive", "neutral", "negative", *EKMAN)
TABLES = {  # what is compared
    "companies": "SELECT name, own, active FROM companies",
    "services": "SELECT name, active FROM services",
    "sources": """SELECT name, kind, own_company, language, every_seconds, active, cursor,
        disabled, settings, problems, error_count FROM sources""",
    "posts": f"""SELECT {POST}, p.url, p.author, p.title, p.text, p.rating, p.posted_at, p.day,
        p.content_hash, p.language, p.matched_by, p.erased_at, p.changed_at IS NULL AS unchanged,
        fs.name AS copy_of_source, f.external_id AS copy_of
        FROM posts p JOIN sources s ON s.id = p.source_id
        LEFT JOIN posts f ON f.id = p.duplicate_of LEFT JOIN sources fs ON fs.id = f.source_id""",
    "sketches": f"""SELECT {POST}, k.value
        FROM sketches k JOIN posts p ON p.id = k.post_id JOIN sources s ON s.id = p.source_id""",
    "mentions": f"SELECT {MENTION}, m.spans, m.snippet, m.model {MENTIONS}",
    "scores": f"""SELECT {MENTION}, k.model, k.polarity, k.negative, k.neutral, k.positive,
        k.valence {MENTIONS} JOIN scores k ON k.mention_id = m.id""",
    "emotions": f"""SELECT {MENTION}, e.model, e.emotion, e.probability
        {MENTIONS} JOIN emotions e ON e.mention_id = m.id""",
    "daily_sentiment": f"""SELECT c.name AS company, v.name AS service, s.name AS source,
        d.language, d.day, d.raw_mentions, d.mentions, d.authors,
        {", ".join("d." + name for name in COUNTS)}, d.valence
        FROM daily_sentiment d JOIN companies c ON c.id = d.company_id
        LEFT JOIN services v ON v.id = d.service_id JOIN sources s ON s.id = d.source_id""",
    "stale_days": "SELECT company_id, service_id, source_id, day FROM stale_days",
    "state": "SELECT key, value FROM state WHERE key IN ('model', 'timezone', 'config')",
}
KEYS = {  # how many of its first columns say which row it is
    **dict.fromkeys(("companies", "services", "sources", "state"), 1),
    "posts": 2,
    "sketches": 3,
    "mentions": 4,
    "stale_days": 4,
    "scores": 5,
    "emotions": 6,
    "daily_sentiment": 5,
}
Rows = dict[tuple[Any, ...], dict[str, Any]]


@dataclass(slots=True)
class Compared:
    """A table in both databases.

    close: rows that differ, but by no more than rounding explains; largest: by how much at most.
    """

    table: str
    rows: int
    close: int = 0
    largest: float = 0.0
    differences: list[str] = field(default_factory=list)


def compare(reference: Path, other: Path) -> list[Compared]:
    """Every table of the one against the other; differences name keys and columns, never texts."""
    ours, theirs = _read(reference), _read(other)
    unsure = _unsure(ours)
    found = []
    for table in TABLES:
        result = Compared(table, len(ours[table]))
        _compare(result, ours[table], theirs[table], unsure)
        result.differences = [text[:300] for text in result.differences]
        found.append(result)
    return found


def rebuilt(path: Path, copy: Path) -> Compared:
    """The daily figures against those that one roll-up of the same scores makes afresh."""
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    with connect(copy) as db:
        db.execute("DELETE FROM daily_sentiment")
        rollup(db)
    result = Compared("daily_sentiment, rolled up afresh", 0)
    ours, theirs = _read(path)["daily_sentiment"], _read(copy)["daily_sentiment"]
    result.rows = len(ours)
    _missing(result, ours, theirs)
    for key in ours.keys() & theirs.keys():
        for name, value in ours[key].items():
            if abs(value - theirs[key][name]) > 1e-9:
                result.differences.append(f"{key}: {name}")
    return result


def _read(path: Path) -> dict[str, Rows]:
    db = sqlite3.connect(path)
    db.row_factory = sqlite3.Row
    tables = {}
    for table, sql in TABLES.items():
        rows = [dict(row) for row in db.execute(sql)]
        names = list(rows[0])[: KEYS[table]] if rows else []
        tables[table] = {tuple(row.pop(name) for name in names): row for row in rows}
        assert len(tables[table]) == len(rows), f"{table} has two rows of one key"
    db.close()
    return tables


def _compare(result: Compared, ours: Rows, theirs: Rows, unsure: dict[str, Any]) -> None:
    _missing(result, ours, theirs)
    for key in sorted(ours.keys() & theirs.keys(), key=str):
        mine, other = ours[key], theirs[key]
        differing = [name for name in mine if mine[name] != other[name]]
        edge = unsure.get(key[:3] + key[4:], 0)
        wrong = [n for n in differing if not _explained(result.table, n, mine, other, edge)]
        result.close += bool(differing and not wrong)
        real = [n for n in differing if n not in wrong and isinstance(mine[n], float)]
        result.largest = max([result.largest, *(abs(mine[n] - other[n]) for n in real)])
        if wrong:
            result.differences.append(f"{key}: {', '.join(wrong)}")


def _missing(result: Compared, ours: Rows, theirs: Rows) -> None:
    result.differences += [
        f"{key}: missing" for key in sorted(ours.keys() - theirs.keys(), key=str)
    ]
    result.differences += [
        f"{key}: too many" for key in sorted(theirs.keys() - ours.keys(), key=str)
    ]


def _explained(
    table: str, name: str, mine: dict[str, Any], other: dict[str, Any], edge: int
) -> bool:
    """Whether rounding may have made this difference."""
    if table == "scores" and name == "polarity":
        return abs(mine[mine[name]] - mine[other[name]]) <= TOLERANCE
    if table == "daily_sentiment" and name in COUNTS:
        return abs(mine[name] - other[name]) <= edge
    allowed = {
        ("scores", "valence"): 2 * TOLERANCE,
        ("daily_sentiment", "valence"): 2 * TOLERANCE * mine.get("authors", 0),
        **dict.fromkeys((("scores", polarity) for polarity in POLARITIES), TOLERANCE),
        ("emotions", "probability"): TOLERANCE,
    }
    return (table, name) in allowed and abs(mine[name] - other[name]) <= allowed[table, name]


def _unsure(tables: dict[str, Rows]) -> dict[tuple[Any, ...], int]:
    """For each company, service, source and day: mentions on the edge between two values."""
    edge = {key[:4] for key, row in tables["emotions"].items() if _on_edge(row["probability"])}
    for key, row in tables["scores"].items():
        first, second, _ = sorted((row[name] for name in POLARITIES), reverse=True)
        if first - second <= TOLERANCE:
            edge.add(key[:4])
    counts: dict[tuple[Any, ...], int] = {}
    for source, post, company, service in edge:
        cell = (company, service, source, tables["posts"][source, post]["day"])
        counts[cell] = counts.get(cell, 0) + 1
    return counts


def _on_edge(probability: float) -> bool:
    return abs(probability - 0.5) <= TOLERANCE
