"""What the tables and their columns mean, read from the comments in the SQL that makes them."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_TABLE = re.compile(
    r"(?P<before>(?:^--[^\n]*\n)*)^CREATE TABLE (?P<name>\w+) \((?P<beside>[^\n]*)\n"
    r"(?P<body>.*?)^\) STRICT",
    re.MULTILINE | re.DOTALL,
)
_ADDED = re.compile(r"^ALTER TABLE (\w+) ADD COLUMN (\w+) [^\n;]*;[ ]*(?:-- (.*))?$", re.MULTILINE)
_COLUMN = re.compile(r"^    ([a-z_]+) (?:TEXT|INTEGER|REAL)\b[^\n]*?(?:-- ([^\n]*))?$")
_MORE = re.compile(r"^ {8,}-- (.*)$")

_REFERENCE = re.compile(r"REFERENCES (\w+)")
_USUAL = {  # what columns mean that need no comment where they are made
    "id": "number of the row",
    "name": "its name in config.toml",
    "active": "1: in config.toml",
    "kind": "its kind: rss, file, …",
    "day": "date in the configured time zone",
    "key": "what is remembered",
    "value": "its value",
    "company_id": "id in companies",
    "service_id": "id in services",
    "source_id": "id in sources",
    "mention_id": "id in mentions",
    "model": "name@revision",
    "survey": "its name in config.toml",
    "metric": "csat, nps or ces",
    "polarity": "negative, neutral or positive: the most probable of the three",
    "emotion": "anger, disgust, fear, joy, sadness or surprise",
    "unit": "day, week or month",
    "url": "link to the post",
    "title": "its title, where it has one",
    "snippet": "what was said about this service",
    "external_id": "its id at the source",
    "every_seconds": "seconds between two readings",
    "neutral": "likewise", "negative": "likewise", "positive": "likewise",
    "anger": "votes in which it is present",
    "disgust": "likewise", "fear": "likewise", "joy": "likewise", "sadness": "likewise",
    "surprise": "likewise",
    "mentions": "scored mentions without copies", "authors": "votes",
    "scale_low": "lower end of the scale", "scale_high": "its upper end",
    "last_attempt_at": "last time it was tried, UTC",
    "last_success_at": "last time it was read to its end, UTC",
    "next_attempt_at": "when it will be tried next, UTC",
    "last_error": "what went wrong last, in words; empty: all is well",
    "file": "its name", "state": "where it stands", "reason": "why",
    "from_state": "the state before", "to_state": "the state from then on",
    "receiver": "who is told", "attempts": "how often it was tried",
    "comment": "why, in somebody's words", "posts": "how many posts",
}  # fmt: skip
_TIMES = re.compile(r"(\w+)_at$")


@cache
def tables() -> dict[str, tuple[str, dict[str, str]]]:
    """Table → (what it holds, {column: what it means}); empty where the SQL says nothing."""
    scripts = sorted(
        (file for file in files("sentiment.schema").iterdir() if file.name.endswith(".sql")),
        key=lambda file: (file.name != "tables.sql", file.name),
    )
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for script in scripts:
        sql = script.read_text("utf-8")
        for table in _TABLE.finditer(sql):
            said = _joined(table["before"]) or _joined(table["beside"])
            found[table["name"]] = (said, _columns(table["body"]))
        for table_name, column, said in _ADDED.findall(sql):
            found[table_name][1][column] = said
    return found


def _joined(comment: str) -> str:
    lines = [line.strip().removeprefix("--").strip() for line in comment.splitlines()]
    return " ".join(line for line in lines if line)


def _columns(body: str) -> dict[str, str]:
    columns: dict[str, str] = {}
    last = above = ""
    for line in body.splitlines():
        if column := _COLUMN.match(line):
            last = column[1]
            columns[last] = (above or column[2] or _usual(last, line)).strip()
            above = ""
        elif (more := _MORE.match(line)) and last:  # a comment that goes on
            columns[last] = f"{columns[last]} {more[1].strip()}".strip()
        elif line.startswith("    -- "):
            above = line.removeprefix("    -- ").strip()
    return columns


def _usual(column: str, line: str) -> str:
    reference, time = _REFERENCE.search(line), _TIMES.match(column)
    return (
        _USUAL.get(column)
        or (f"id in {reference[1]}" if reference else "")
        or (f"when it was {time[1]}, UTC" if time else "")
    )
