"""sentiment.db: opening, migrating, and agreeing with config.toml.

One connection a job: sqlite3 connections belong to the thread that opened them.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
import zlib
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from sources.base import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from sentiment.config import Config, Source

BUSY_SECONDS = 60  # how long a writer waits for another one


class DatabaseError(Exception):
    """The database cannot be used; the message says why and what to do."""


def m001_tables(db: Database) -> None:
    """Tables and the triggers that keep the stages' work lists."""
    _run(db, "tables.sql", "triggers.sql")


def m002_gold_labels(db: Database) -> None:
    """Labels that people corrected, for measuring the classifier."""
    _run(db, "gold_labels.sql")


def m003_survey_sums(db: Database) -> None:
    """Sums of survey answers, so that views need not read millions of them."""
    _run(db, "survey_sums.sql")


def m004_search(db: Database) -> None:
    """Full-text search over posts, filled from those there are."""
    _run(db, "search.sql")


def m005_forgotten(db: Database) -> None:
    """Marks of what was forgotten on request: whoever comes with one of these is not let in."""
    _run(db, "forgotten.sql")


def m006_reading(db: Database) -> None:
    """Sums by period, and indexes, so that pages open fast with millions of mentions."""
    _run(db, "reading.sql")


def m007_strength(db: Database) -> None:
    """An index of how clear scores are."""
    _run(db, "strength.sql")


def m008_drivers(db: Database) -> None:
    """Lists of the phrases that set negative and positive mentions apart."""
    _run(db, "drivers.sql")


def m009_share_bounds(db: Database) -> None:
    """Intervals of shares, from benchmarks/share_bounds.py."""
    _run(db, "share_bounds.sql")
    lines = (files("sentiment.schema") / "share_bounds.txt").read_text("ascii").splitlines()
    db.conn.executemany("INSERT INTO share_bounds VALUES (?, ?)", map(str.split, lines))


def m010_allowances(db: Database) -> None:
    """How much of what services allow a key is used."""
    _run(db, "allowances.sql")


def m011_gaps(db: Database) -> None:
    """What sources said to be lost."""
    _run(db, "gaps.sql")


def m012_finer_emotions(db: Database) -> None:
    """A model's finer emotions, beside the six."""
    _run(db, "finer_emotions.sql")


STEPS = (
    m001_tables,
    m002_gold_labels,
    m003_survey_sums,
    m004_search,
    m005_forgotten,
    m006_reading,
    m007_strength,
    m008_drivers,
    m009_share_bounds,
    m010_allowances,
    m011_gaps,
    m012_finer_emotions,
)
migrations = Migrations("sentiment")
for step in STEPS:
    migrations()(step)


@contextmanager
def connect(path: Path) -> Iterator[Database]:
    """Open an existing or new database file; closed on leaving."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # autocommit: transactions are opened by `transaction` and by nothing else
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        # what is erased is overwritten; SQLite's default differs from one system to the next
        connection.execute("PRAGMA secure_delete = ON")
    except sqlite3.DatabaseError as error:
        raise DatabaseError(f"{path} cannot be opened as a SQLite database: {error}") from error
    try:
        yield Database(connection)
    finally:
        connection.close()


@contextmanager
def open_existing(path: Path, *, read_only: bool = False) -> Iterator[Database]:
    """Open a file as it is: nothing is made, migrated or brought in line with config.toml.

    read_only: nothing can be written. DatabaseError when there is no such file.
    """
    if not path.exists():
        raise DatabaseError(f'{path} does not exist yet; "sentiment run" makes it')
    mode = "ro" if read_only else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", BUSY_SECONDS, isolation_level=None, uri=True
    )
    try:
        yield Database(connection)
    except sqlite3.DatabaseError as error:
        raise DatabaseError(f"{path}: {error}") from error
    finally:
        connection.close()


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Readers do not wait for the writer then. The file remembers it.

    SQLite does not wait for others who switch at the same moment; so we do.
    """
    until = time.monotonic() + BUSY_SECONDS
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


@contextmanager
def open_database(config: Config) -> Iterator[Database]:
    """Open the configured database, migrated and in agreement with the configuration."""
    with connect(config.database_path) as db:
        migrate(db)
        agree(db, config)
        yield db


@contextmanager
def transaction(db: Database) -> Iterator[None]:
    """All or nothing. Takes the write lock at once, so that it never fails half way for one."""
    db.conn.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.conn.rollback()
        raise
    db.conn.commit()


def migrate(db: Database) -> None:
    """Bring tables and views up to date, under the write lock: two programs may start at once."""
    views = _views()
    names = [step.__name__ for step in STEPS]
    version = zlib.crc32(json.dumps([names, views]).encode()) >> 1  # user_version has 31 bits
    if count(db, "PRAGMA user_version") == version:
        return
    with transaction(db):
        migrations.apply(db)
        for view in rows(db, "SELECT name FROM sqlite_master WHERE type = 'view'"):
            db.execute(f'DROP VIEW "{view["name"]}"')
        for statement in views.values():
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {version}")


def agree(db: Database, config: Config) -> None:
    """Companies, services, sources and days as config.toml has them; nothing is deleted.

    What is no longer configured becomes inactive. A source whose settings changed is read from
    the start and, if a permanent error had disabled it, enabled again.
    """
    wanted = _wanted(config)
    if get_state(db, "config") == wanted:
        return
    with transaction(db):
        _agree_renamed(db, config)
        _agree_companies(db, config)
        _agree_services(db, config)
        db.execute("UPDATE sources SET active = 0")
        for source in config.sources:
            _agree_source(db, config, source)
        db.execute(
            "UPDATE sources SET own_company = ? WHERE kind = 'survey'", [config.company.name]
        )
        if get_state(db, "timezone") not in (None, config.timezone):
            _move_days(db, config.zone)
        set_state(db, "timezone", config.timezone)
        set_state(db, "min_responses", str(config.surveys.min_responses))
        set_state(db, "config", wanted)


def add_source(db: Database, config: Config, source: Source) -> None:
    """Know a source that config.toml does not have: its posts count, nobody reads it again."""
    if any(known.name == source.name for known in config.sources):
        raise DatabaseError(
            f'config.toml has a source named "{source.name}" already; choose another name'
        )
    with transaction(db):
        _agree_source(db, config, source)
        db.execute("UPDATE sources SET active = 0 WHERE name = ?", [source.name])


def get_state(db: Database, key: str) -> str | None:
    """A remembered value, None when it was never set."""
    found = rows(db, "SELECT value FROM state WHERE key = ?", key)
    return str(found[0]["value"]) if found else None


def set_state(db: Database, key: str, value: str) -> None:
    """Remember a value."""
    db.execute("INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)", [key, value])


def rows(db: Database, sql: str, *values: Any) -> list[dict[str, Any]]:
    """The rows of a query as dicts."""
    return list(db.query(sql, list(values)))


def count(db: Database, sql: str, *values: Any) -> int:
    """The single number that a query gives."""
    return int(db.execute(sql, list(values)).fetchone()[0])


def now() -> str:
    """The present moment as the database writes it."""
    return timestamp(datetime.now(UTC))


def timestamp(moment: datetime) -> str:
    """An aware time as the database writes it: UTC, whole seconds, ISO 8601."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def day_of(moment: datetime, zone: ZoneInfo) -> str:
    """The date of a moment in the configured time zone."""
    return moment.astimezone(zone).date().isoformat()


def today(zone: ZoneInfo) -> date:
    """Today's date in the configured time zone."""
    return datetime.now(zone).date()


@cache
def _views() -> dict[str, str]:
    from sentiment.schema.views import VIEWS

    return VIEWS


def _run(db: Database, *scripts: str) -> None:
    for name in scripts:
        for statement in _statements((files("sentiment.schema") / name).read_text("utf-8")):
            db.execute(statement)


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _wanted(config: Config) -> str:
    """A fingerprint of everything `agree` writes, so that most openings write nothing."""
    parts = [
        config.timezone,
        config.surveys.min_responses,
        [company.name for company in config.companies],
        [service.name for service in config.services],
        [
            [source.name, _fingerprint(source), own_company(config, source)]
            for source in config.sources
        ],
        [[source.language, int(source.every.total_seconds())] for source in config.sources],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _fingerprint(source: Source) -> str | None:
    """Changes when the source's own settings change; secrets are masked, so not those.

    None where they cannot be read, since the kind comes from a package that is broken.
    """
    try:
        settings = source.settings.model_dump_json()
    except SourceError:
        return None
    return hashlib.sha256(f"{source.kind} {settings}".encode()).hexdigest()


def own_company(config: Config, source: Source) -> str | None:
    """The company that every post of a source is about; None for a public source."""
    return (source.company or config.company.name) if source.scope == "own" else None


def _agree_renamed(db: Database, config: Config) -> None:
    """The company has another name: sources about it that config.toml does not have follow."""
    for before in rows(db, "SELECT name FROM companies WHERE own = 1"):
        if before["name"] not in {company.name for company in config.companies}:
            db.execute(
                "UPDATE sources SET own_company = ? WHERE own_company = ?",
                [config.company.name, before["name"]],
            )


def _agree_companies(db: Database, config: Config) -> None:
    db.execute("UPDATE companies SET active = 0, own = 0")
    for company in config.companies:
        db.execute(
            "INSERT INTO companies (name, own, active) VALUES (?, ?, 1) "
            "ON CONFLICT (name) DO UPDATE SET own = excluded.own, active = 1",
            [company.name, int(company is config.company)],
        )


def _agree_services(db: Database, config: Config) -> None:
    db.execute("UPDATE services SET active = 0")
    for service in config.services:
        db.execute(
            "INSERT INTO services (name, active) VALUES (?, 1) "
            "ON CONFLICT (name) DO UPDATE SET active = 1",
            [service.name],
        )


def _agree_source(db: Database, config: Config, source: Source) -> None:
    values = {
        "name": source.name,
        "kind": source.kind,
        "own_company": own_company(config, source),
        "language": source.language,
        "every_seconds": int(source.every.total_seconds()),
        "active": int(source.enabled),
        "settings": _fingerprint(source) or "",
    }
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    kept = {"name"} if values["settings"] else {"name", "settings"}
    updates = ", ".join(f"{name} = excluded.{name}" for name in values if name not in kept)
    same = "excluded.settings IN (settings, '')"
    db.execute(
        f"INSERT INTO sources ({names}) VALUES ({marks}) ON CONFLICT (name) DO UPDATE SET "
        f"cursor = CASE WHEN {same} THEN cursor END, "
        f"disabled = CASE WHEN {same} THEN disabled ELSE 0 END, "
        f"next_attempt_at = CASE WHEN {same} THEN next_attempt_at END, "
        f"{updates}",
        values,
    )


def _move_days(db: Database, zone: ZoneInfo) -> None:
    """The time zone changed: every post and answer may belong to another day."""
    for table, at in (("posts", "posted_at"), ("survey_responses", "answered_at")):
        for row in db.query(f"SELECT id, {at} AS moment FROM {table}"):
            day = day_of(datetime.fromisoformat(row["moment"]), zone)
            db.execute(f"UPDATE {table} SET day = ? WHERE id = ?", [day, row["id"]])
