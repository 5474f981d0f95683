"""A survey's export as rows of cells by what they mean, each with its place in the file.

Wide files have a row a respondent and a column a question; long ones a row an answer. The header
may have several rows, with merged cells, and title lines above it.
"""

from __future__ import annotations

import html
import re
import zipfile
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from sentiment.surveys.presets import PRESETS
from sources.base import SourceError
from sources.dates import parse_date
from sources.tables import Row, read_rows
from sources.text import tidy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sentiment.surveys.settings import Survey

TITLES = 10  # lines that may stand above the header
OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
NO_DATE = "1980-01-01"  # what LimeSurvey writes where a survey keeps no dates
TAG = re.compile(r"<[^<>]{1,200}>")
CLOCK = re.compile(
    r"(\d{4}/\d{1,2}/\d{1,2}) (\d{1,2}):(\d{2}):(\d{2})\s(am|pm|vorm\.|nachm\.)"
    r" ?(gmt|utc|mez|mesz|cet|cest)?([+-]\d{1,2})?",
    re.IGNORECASE,
)
ZONES = {"mez": 1, "cet": 1, "mesz": 2, "cest": 2}


class SurveyError(Exception):
    """A survey's file is refused whole; the message names file, row, column, value and remedy."""


class Columns(NamedTuple):
    """Where things stand in the rows: column numbers from 0; None: nowhere.

    questions, comments: by the place of the entry in the configuration. personal: columns whose
    content is dropped from comments. names: the header, for messages.
    """

    names: tuple[str, ...]
    id: int | None
    date: int
    respondent: int | None
    service: int | None
    segment: int | None
    weight: int | None
    questions: tuple[int, ...]
    comments: tuple[int, ...]
    personal: tuple[int, ...]
    done: tuple[tuple[int, frozenset[str]], ...]
    asked: int | None = None
    said: int | None = None

    def shown(self, column: int) -> str:
        """A column by letter and header."""
        return f'{_letter(column)} "{tidy(self.names[column], 60)}"'


class Table(NamedTuple):
    """A file with its columns recognised, and its rows, which can be read once."""

    columns: Columns
    rows: Iterator[Row]


@contextmanager
def open_table(path: Path, survey: Survey) -> Iterator[Table]:
    """Recognise the columns of a file; SurveyError when one is missing or there twice."""
    with closing(
        read_rows(path, delimiter=survey.delimiter, encoding=survey.encoding, sheet=survey.sheet)
    ) as rows:
        try:
            size = survey.header_rows or PRESETS[survey.preset].header_rows
            top = list(islice(rows, TITLES + size))
            columns, after = _recognise(top, size, survey)
        except (SourceError, SurveyError) as error:
            raise SurveyError(f"{path.name}: {error}") from error
        _refuse_formulas(path, survey, columns)
        yield Table(columns, _named_errors(path, chain(top[after:], rows)))


def _named_errors(path: Path, rows: Iterable[Row]) -> Iterator[Row]:
    try:
        yield from rows
    except SourceError as error:
        raise SurveyError(f"{path.name}: {error}") from error


def _recognise(top: list[Row], size: int, survey: Survey) -> tuple[Columns, int]:
    """The columns and the number of rows before the answers; the first header that fits."""
    mistake = SurveyError("the file is empty")
    for start in range(max(1, len(top) - size + 1)):
        header = [row.cells for row in top[start : start + size] if row.cells is not None]
        if len(header) < size:
            continue
        try:
            return _columns(header, survey), start + size
        except SurveyError as error:
            if start == 0 or "columns are called" in str(error):
                mistake = error
    raise mistake


def _columns(header: list[list[Any]], survey: Survey) -> Columns:
    find = _Finder(header)
    preset = PRESETS[survey.preset]
    long = survey.long
    questions = () if long else tuple(find.one(q.column, "questions") for q in survey.questions)
    comments = () if long else tuple(find.one(c.column, "comments") for c in survey.comments)
    dates = (survey.date,) if survey.date else preset.date
    return Columns(
        names=tuple(find.names),
        id=find.any_of((survey.id,) if survey.id else preset.id, needed=bool(survey.id)),
        date=find.date(dates),
        respondent=find.maybe(survey.respondent, "respondent"),
        service=find.maybe(survey.service, "service"),
        segment=find.maybe(survey.segment, "segment"),
        weight=find.maybe(survey.weight, "weight"),
        questions=questions,
        comments=comments,
        personal=tuple(sorted({*find.all_of(preset.personal), *find.each(survey.drop, "drop")})),
        done=tuple(
            (column, said) for name, said in preset.done.items() for column in find.all_of((name,))
        ),
        asked=find.one(long.question, "long.question") if long else None,
        said=find.one(long.answer, "long.answer") if long else None,
    )


class _Finder:
    """Columns by header: by any of its rows, or by question and item as "Question [Item]"."""

    def __init__(self, header: list[list[Any]]) -> None:
        width = max(len(row) for row in header)
        rows = [_filled(row, width, last=row is header[-1]) for row in header]
        self.names = [next((row[i] for row in rows if row[i]), "") for i in range(width)]
        self._known: dict[str, list[int]] = {}
        for column in range(width):
            parts = [row[column] for row in rows if row[column]]
            titles = {*map(_folded, parts), _folded(f"{' '.join(parts)}")}
            for title in titles - {""}:
                self._known.setdefault(title, []).append(column)

    def one(self, name: str, key: str) -> int:
        found = self._known.get(_folded(name), [])
        if len(found) > 1:
            places = " and ".join(map(_letter, found[:2]))
            raise SurveyError(
                f'two columns are called "{name}" ({places}); rename one of them in the file'
            )
        if not found:
            shown = tidy(", ".join(filter(None, self.names)), 400) or "without names"
            raise SurveyError(f'no column "{name}", which {key} names; the columns are: {shown}')
        return found[0]

    def each(self, names: Iterable[str], key: str) -> Iterator[int]:
        """All columns of these names; each must be there."""
        for name in names:
            found = self._known.get(_folded(name), [])
            yield from found or [self.one(name, key)]

    def maybe(self, name: str | None, key: str) -> int | None:
        return self.one(name, key) if name else None

    def any_of(self, names: Iterable[str], *, needed: bool = False) -> int | None:
        names = tuple(names)
        for name in names:
            if _folded(name) in self._known:
                return self.one(name, "id")
        return self.one(names[0], "id") if needed and names else None

    def date(self, names: tuple[str, ...]) -> int:
        column = self.any_of(names)
        return self.one(names[0], "date") if column is None else column

    def all_of(self, names: Iterable[str]) -> tuple[int, ...]:
        wanted = {_folded(name) for name in names}
        return tuple(sorted({c for name in wanted for c in self._known.get(name, [])}))


def _letter(column: int) -> str:
    """A column as spreadsheets call it."""
    letters, number = "", column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _filled(row: list[Any], width: int, *, last: bool) -> list[str]:
    """Titles as text; in the upper rows, a merged cell's text stands for all it covers."""
    texts = [_title(cell) for cell in row] + [""] * (width - len(row))
    if not last:
        for column in range(1, width):
            texts[column] = texts[column] or texts[column - 1]
    return texts


@lru_cache(maxsize=4096)
def _title(cell: Any) -> str:
    return "" if cell is None else tidy(html.unescape(TAG.sub("", str(cell))), 500)


def _folded(title: str) -> str:
    """Headers match whatever their case, punctuation and spacing; "#" is a title too."""
    return " ".join(re.findall(r"[^\W_]+", title.casefold())) or title.strip()


def _refuse_formulas(path: Path, survey: Survey, columns: Columns) -> None:
    """A formula that was never computed reads as empty: an answer would be lost unseen."""
    if not zipfile.is_zipfile(path) or not _has_formulas(path):
        return
    import openpyxl  # kept out of start-up

    wanted = {*columns.questions, *columns.comments, columns.date, columns.id, columns.respondent,
              columns.service, columns.segment, columns.weight, columns.said}  # fmt: skip
    books = [openpyxl.load_workbook(path, read_only=True, data_only=d) for d in (True, False)]
    sheets = [book[survey.sheet] if survey.sheet else book.worksheets[0] for book in books]
    tables = [sheet.iter_rows(values_only=True) for sheet in sheets]
    try:
        for number, (values, formulas) in enumerate(zip(*tables, strict=False), start=1):
            for column, (value, formula) in enumerate(zip(values, formulas, strict=False)):
                if column in wanted and value is None and str(formula).startswith("="):
                    raise SurveyError(
                        f"{path.name} row {number}, column {columns.shown(column)}: the formula "
                        f'"{tidy(str(formula), 60)}" has no stored value; open the file in a '
                        "spreadsheet program and save it"
                    )
    finally:
        for opened in (*tables, *books):
            opened.close()


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if member.startswith("xl/worksheets/"):
                with archive.open(member) as stream:
                    tail = b""
                    while chunk := stream.read(1_000_000):
                        if re.search(rb"<f[ >/]", tail + chunk):
                            return True
                        tail = chunk[-3:]
    return False


class Moments:
    """Reads dates; remembers those it has read, for most are there many times."""

    def __init__(self, survey: Survey, zone: ZoneInfo) -> None:
        formats = PRESETS[survey.preset].formats
        self._formats = (survey.date_format,) if survey.date_format else formats
        self._only = survey.date_format is not None
        self._zone = ZoneInfo("UTC") if survey.preset == "typeform" else zone
        self._latest = datetime.now(UTC) + timedelta(days=1)
        self.read = lru_cache(maxsize=65_536)(self._read)

    def _read(self, cell: Any) -> tuple[datetime | None, str]:
        """The moment, or why there is none."""
        text = " ".join(str(cell).split())
        if text.startswith(NO_DATE):
            return None, "no date (the survey was made without dates)"
        try:
            moment = self._parsed(cell, text)
        except (ValueError, KeyError):
            return None, "not a date; date_format can say how it is written"
        if not OLDEST <= moment <= self._latest:
            return None, "a date before 1990 or in the future"
        return moment, ""

    def _parsed(self, cell: Any, text: str) -> datetime:
        if not isinstance(cell, str):
            return parse_date(cell, self._zone)
        for pattern in self._formats:
            try:
                return parse_date(text, self._zone, pattern)
            except ValueError:
                if self._only:
                    raise
        clock = CLOCK.fullmatch(text)
        if clock:
            return self._clock(clock)
        if re.fullmatch(r"\d{5},\d+", text):  # a serial number with a decimal comma
            text = text.replace(",", ".")
        return parse_date(text, self._zone)

    def _clock(self, found: re.Match[str]) -> datetime:
        """2025/01/31 2:03:22 PM GMT+1, as Google writes it in CSV files."""
        hour = int(found[2]) % 12 + (12 if found[5].lower() in ("pm", "nachm.") else 0)
        day = datetime.strptime(found[1], "%Y/%m/%d")  # noqa: DTZ007 (the zone follows)
        moment = day.replace(hour=hour, minute=int(found[3]), second=int(found[4]))
        if not found[6]:
            return moment.replace(tzinfo=self._zone).astimezone(UTC)
        hours = ZONES.get(found[6].lower(), 0) + int(found[7] or 0)
        return moment.replace(tzinfo=timezone(timedelta(hours=hours))).astimezone(UTC)
