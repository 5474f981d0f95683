"""A drop folder of CSV, JSONL and XLSX files, or a single one: portal exports, hand-made lists."""

from __future__ import annotations

import codecs
import json
import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from sources import base
from sources.base import Context, Cursor, Page, Post, SourceError
from sources.dates import parse_date
from sources.tables import Line, read_lines
from sources.text import (
    author_name,
    headed,
    known_id,
    looks_like_markup,
    plain_text,
    stable_id,
    tidy,
    web_address,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import stat_result

MAX_WAIT = 5  # seconds to wait for a file to settle; beyond that, the next run takes the row
PAGE = 500  # rows stored in one transaction
MAX_PROBLEMS = 20  # of one file, told in full; the others are counted
SUFFIXES = (".csv", ".jsonl", ".ndjson", ".xlsx")
OLDEST = datetime(1990, 1, 1, tzinfo=UTC)  # before the web there were no posts
ERRORS = {"#N/A", "#NV", "#VALUE!", "#WERT!", "#REF!", "#BEZUG!", "#DIV/0!", "#NAME?", "#NUM!"}

Column = Literal["text", "title", "author", "date", "rating", "url", "id"]
HEADERS: dict[str, str] = {
    # The first that a file has is taken. "Bewertung" holds words in one export and stars in the
    # next: it is the text only where nothing else is.
    "text": "text|kommentar|comment|bewertungstext|review text|rezension|review|content|inhalt"
    "|body|feedback|meinung|nachricht|message|beitrag|erfahrungsbericht|beschreibung|bewertung",
    "title": "title|titel|überschrift|review title|betreff|subject|headline",
    "author": "author|autor|autorin|name|verfasser|benutzername|username|benutzer|nutzer|user"
    "|reviewer",
    "date": "date|datum|bewertungsdatum|review date|posted at|created at|erstellt am|erstellt"
    "|created|published|veröffentlicht|zeitpunkt|timestamp|time|zeit",
    "rating": "rating|sterne|stars|star rating|sternebewertung|gesamtbewertung|punkte|score"
    "|bewertung",
    "url": "url|link|permalink|review url",
    "id": "id|external id|review id|bewertungs id|bewertungsnummer",
}


class FileSettings(base.Settings):
    """Where the files lie and how to read them; most files need the path alone.

    path: a folder, or one file; relative to the folder of config.toml.
    pattern: which files of the folder, as in "*.csv" or "**/*.xlsx"; default: all kinds we read.
    columns: our name of a column -> the header in the files.
    delimiter, encoding: of CSV files, where they are not recognised.
    date_format: as for strptime ("%m/%d/%Y").
    timezone: of dates without one; default: that of config.toml.
    sheet: of XLSX files; default: the first.
    settle: seconds after its last change during which a file may still be being written.
    """

    path: Path
    pattern: str | None = Field(default=None, min_length=1)
    columns: dict[Column, str] = Field(default_factory=dict)
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: str | None = None
    date_format: str | None = None
    timezone: str | None = None
    sheet: str | None = None
    settle: float = Field(default=2.0, ge=0, le=3600)

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str | None) -> str | None:
        try:
            "".encode(name or "utf-8")
            codecs.lookup(name or "utf-8")
        except (LookupError, UnicodeError):
            raise ValueError('expected an encoding such as "utf-8", "cp1252", "utf-16"') from None
        return name

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        try:
            ZoneInfo(name or "UTC")
        except (KeyError, ValueError, OSError):
            raise ValueError('expected a time zone such as "Europe/Berlin"') from None
        return name

    @field_validator("delimiter")
    @classmethod
    def _possible_delimiter(cls, sign: str | None) -> str | None:
        if sign is not None and sign in '\r\n"\0':
            raise ValueError("a line end or a quote cannot delimit columns")
        return sign

    @field_validator("pattern")
    @classmethod
    def _inside(cls, pattern: str | None) -> str | None:
        if pattern is not None and Path(pattern).is_absolute():
            raise ValueError("give a pattern relative to path")
        return pattern


class Row(NamedTuple):
    """A row as a post, or the problem why it is none; a post without its rating has both."""

    line: int
    post: Post | None
    problem: str = ""
    unfinished: bool = False


class FileDrop:
    """Reads new and changed files of a folder, row by row.

    The cursor holds, for each file, its size, its time of change and how many of its rows are
    stored. A changed file is read from its start: ids make that harmless.
    """

    Settings = FileSettings

    def __init__(self, settings: FileSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._root = context.folder / settings.path.expanduser()

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """The new rows of all files, 500 at a time; a file that cannot be read is a problem."""
        paths = self._paths()
        key = stable_id(json.dumps(self._settings.model_dump(mode="json"), sort_keys=True))
        known = cursor.get("files", {}) if cursor and cursor.get("settings") == key else {}
        marks = {name: known[name] for name in paths if name in known}
        for name, path in paths.items():
            if self._context.stopping():
                return
            try:
                for posts, problems, mark in self._file(name, path, marks.get(name, {})):
                    marks = {**marks, name: mark}
                    yield Page(posts, {"settings": key, "files": marks}, problems)
            except SourceError as error:
                sentence = f"{name}: {error}"
                if path == self._root:
                    raise SourceError(sentence) from error
                yield Page([], {"settings": key, "files": marks}, [sentence])

    def _paths(self) -> dict[str, Path]:
        """The files by the name that problems and the cursor call them."""
        try:
            if self._root.is_file():
                return {self._root.name: self._root}
            if not self._root.is_dir():
                raise SourceError(
                    f"{self._root} is neither a folder nor a file: create it, or correct `path`"
                )
            found = sorted(self._root.glob(self._settings.pattern or "*"))
            return {
                path.relative_to(self._root).as_posix(): path
                for path in found
                if self._wanted(path)
            }
        except (OSError, ValueError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise SourceError(f"{self._settings.path} cannot be read ({reason})") from error

    def _wanted(self, path: Path) -> bool:
        """Not the lock files of office programs, nor what is still being uploaded."""
        if path.name.startswith((".", "~")) or not path.is_file():
            return False
        return self._settings.pattern is not None or path.suffix.lower() in SUFFIXES

    def _file(
        self, name: str, path: Path, known: Mapping[str, Any]
    ) -> Iterator[tuple[list[Post], list[str], dict[str, Any]]]:
        """Posts, problems and the mark after them, for each page of what is new in a file."""
        state = _stat(path)
        mark: dict[str, Any] = {"size": state.st_size, "mtime_ns": state.st_mtime_ns}
        same = all(known.get(each) == mark[each] for each in mark)
        if same and known.get("done"):
            return
        skip = known.get("rows", 0) if same else 0
        posts: list[Post] = []
        problems = _Problems(name)
        rows, done = 0, True
        zone = self._settings.timezone or self._context.timezone
        for row in read_file(path, self._settings, zone):
            if row.unfinished and not self._settled(path, state):
                done = False
                break
            rows += 1
            if rows <= skip:
                continue
            posts += [row.post] if row.post else []
            problems.add(row)
            if rows % PAGE == 0:
                yield posts, problems.take(), {**mark, "rows": rows}
                if self._context.stopping():
                    return
                posts = []
        yield posts, problems.take(last=True), {**mark, "rows": rows, "done": done}

    def _settled(self, path: Path, state: stat_result) -> bool:
        """Whether a file whose end looks unfinished has been left alone; waits until it was."""
        while (left := state.st_mtime + self._settings.settle - time.time()) > 0:
            if left > self._settings.settle:  # changed in the future: a clock is off
                break
            if left > MAX_WAIT or self._context.stopping():
                return False
            time.sleep(min(left, 0.1))
        now = _stat(path)
        return (now.st_size, now.st_mtime_ns) == (state.st_size, state.st_mtime_ns)


class _Problems:
    """The first twenty sentences about a file, and a count of the others."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0
        self._sentences: list[str] = []

    def add(self, row: Row) -> None:
        if row.problem:
            self._count += 1
            if self._count <= MAX_PROBLEMS:
                self._sentences.append(f"{self._name} line {row.line}: {row.problem}")

    def take(self, *, last: bool = False) -> list[str]:
        taken, self._sentences = self._sentences, []
        more = self._count - MAX_PROBLEMS
        return (
            [*taken, f"{self._name}: {more} more lines with problems"]
            if last and more > 0
            else taken
        )


def read_file(path: Path, settings: FileSettings, timezone: str = "Europe/Berlin") -> Iterator[Row]:
    """Every row of a file, as a post or with its problem.

    timezone: of dates without one. SourceError when the file cannot be read at all.
    """
    zone = ZoneInfo(timezone)
    changed = datetime.fromtimestamp(_stat(path).st_mtime, UTC)
    strict = path.suffix.lower() not in (".jsonl", ".ndjson", ".json")
    lines = read_lines(
        path, delimiter=settings.delimiter, encoding=settings.encoding, sheet=settings.sheet
    )
    given = tuple(settings.columns.items())
    for line in lines:
        post, problem = None, line.problem
        if line.cells is not None:
            columns = _columns(tuple(line.cells), given, strict=strict)
            post, problem = _post(_Cells(line, columns), settings.date_format, zone, changed)
        yield Row(line.number, post, problem, line.unfinished)


class _Cells:
    """A row's cells by our names for them."""

    def __init__(self, line: Line, columns: Mapping[str, str]) -> None:
        self._cells = line.cells or {}
        self._columns = columns

    def raw(self, column: Column) -> Any:
        value = self._cells.get(self._columns.get(column, ""))
        return None if isinstance(value, str) and value.strip() in ERRORS | {"", "-"} else value

    def text(self, column: Column) -> str:
        value = self.raw(column)
        if value is None or isinstance(value, list | dict):
            return ""
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return str(value)


def _post(
    cells: _Cells, date_format: str | None, zone: ZoneInfo, changed: datetime
) -> tuple[Post | None, str]:
    """A row's post and its problem; either may be missing."""
    title, text = headed(_plain(cells.text("title"), 500), _plain(cells.text("text")))
    rating, wrong = _rating(cells.text("rating"))
    if not text and rating is None:
        return None, "no text"
    now = datetime.now(UTC)
    posted_at, problem = _posted_at(cells, date_format, zone, now)
    if problem:
        return None, problem
    link, author = cells.text("url"), cells.text("author")
    when = posted_at.isoformat() if posted_at else ""
    given = known_id(cells.text("id"))
    if not (text or given or author or link):
        return None, "stars without words, and no id or author to tell them from others"
    words = [cells.text("title"), cells.text("text"), author, when, link]
    post = Post(
        external_id=given or stable_id(*words if text else [*words, str(rating)]),
        text=text,
        posted_at=posted_at or min(changed, now),
        title=title,
        url=web_address(link),
        author=author_name(author),
        rating=rating,
    )
    return post, wrong


def _posted_at(
    cells: _Cells, date_format: str | None, zone: ZoneInfo, now: datetime
) -> tuple[datetime | None, str]:
    """When the post was written; None where the file does not say."""
    value = cells.raw("date")
    if value is None:
        return None, ""
    try:
        moment = parse_date(value, zone, date_format)
    except ValueError:
        shown = tidy(str(value), 40)
        return None, f'the date "{shown}" cannot be read; date_format can say how it is written'
    if moment > now + timedelta(days=1):
        return None, f"the date {moment:%Y-%m-%d} lies in the future"
    return (moment if moment >= OLDEST else None), ""


def _rating(text: str) -> tuple[float | None, str]:
    """Stars from 1 to 5 ("4,5", "4/5", "4 von 5 Sternen", "★★★★☆"), and what is wrong with them."""
    shown = tidy(text, 40)
    if not shown:
        return None, ""
    if set(shown) <= set("★☆⭐✩ "):
        return float(sum(shown.count(star) for star in "★⭐")) or None, ""
    found = re.fullmatch(
        r"(\d{1,3}(?:[.,]\d{1,9})?)\s*(?:(?:/|von|out of|of)\s*5(?:[.,]0)?)?\s*"
        r"(?:stern(?:en|e)?|stars?|★|⭐)?",
        shown,
        re.IGNORECASE,
    )
    value = float(found[1].replace(",", ".")) if found else 0.0
    if 1 <= value <= 5:
        return value, ""
    return None, f'the rating "{shown}" is not between 1 and 5; the post was taken without it'


def _plain(cell: str, limit: int = 20_000) -> str:
    return plain_text(cell, limit) if looks_like_markup(cell) else tidy(cell, limit)


@lru_cache(maxsize=64)
def _columns(
    headers: tuple[str, ...], given: tuple[tuple[str, str], ...], *, strict: bool
) -> dict[str, str]:
    """Our name of a column -> the file's header.

    strict: a file whose header has no text column, or lacks one that was configured, cannot be
    read; in JSONL each line is on its own.
    """
    wanted = dict(given)
    by_name = {_name(header): header for header in reversed(headers)}
    columns: dict[str, str] = {}
    for column in get_args(Column):
        names = [_name(wanted[column])] if column in wanted else HEADERS[column].split("|")
        free = [
            by_name[name] for name in names if by_name.get(name) not in {None, *columns.values()}
        ]
        if free:
            columns[column] = free[0]
        elif strict and (column == "text" or column in wanted):
            shown = (
                tidy(", ".join(header.strip() for header in headers[:30]), 300) or "without names"
            )
            missing = (
                f'no column "{wanted[column]}"' if column in wanted else "no column with texts"
            )
            raise SourceError(
                f"{missing}; its columns are: {shown}; set columns.{column} to one of them"
            )
    return columns


def _name(header: str) -> str:
    """Headers match whatever their case and punctuation."""
    return " ".join(re.findall(r"[^\W_]+", tidy(header, 200).casefold()))


def _stat(path: Path) -> stat_result:
    try:
        return path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise SourceError(f"cannot be read ({reason})") from error
