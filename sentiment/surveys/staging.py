"""Rows of a survey's file into the staging tables, past everything that is no answer."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from sentiment.database import count, day_of, rows, timestamp, today
from sentiment.privacy import for_one_day, forgotten_mark, pseudonym, pseudonym_key
from sentiment.surveys.answers import NO_ANSWER, fold, read_answer
from sentiment.surveys.people import without_people
from sentiment.surveys.reading import Columns, Moments, SurveyError
from sources.text import looks_like_markup, plain_text, tidy

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from sqlite_utils import Database

    from sentiment.config import Config
    from sentiment.surveys.settings import Question, Survey
    from sources.tables import Row

LISTED = 20  # cells told in full; the others are counted
MAX_SEGMENTS = 50  # more look like names of people
FEW = 2  # so many odd cells may always be

STAGING = """
CREATE TEMP TABLE staged_sheets (response TEXT);
CREATE TEMP TABLE staged_seen (content BLOB PRIMARY KEY, times INTEGER) WITHOUT ROWID;
CREATE TEMP TABLE staged_answers (
    external_id TEXT, metric TEXT, response TEXT, respondent TEXT, service_id INTEGER, segment TEXT,
    value REAL, scale_low REAL, scale_high REAL, weight REAL, answered_at TEXT, day TEXT
);
CREATE TEMP TABLE staged_comments (
    external_id TEXT, response TEXT, respondent TEXT, service_id INTEGER, text TEXT,
    answered_at TEXT
)
"""
INDEXES = """
CREATE INDEX temp.staged_sheet ON staged_sheets (response);
CREATE INDEX temp.staged_answer ON staged_answers (external_id, metric);
CREATE INDEX temp.staged_comment ON staged_comments (external_id)
"""  # built at the end: rows are appended faster without
TABLES = ("staged_sheets", "staged_seen", "staged_answers", "staged_comments")
ANSWER = ("external_id", "metric", "response", "respondent", "service_id", "segment", "value",
          "scale_low", "scale_high", "weight", "answered_at", "day")  # fmt: skip


@dataclass(slots=True)
class Imported:
    """What became of a file. no_answers: how often which column said what instead of an answer.

    off: sentences on cells that are neither answers nor usual ways of giving none, by row and
    column; the first ones of each column in full. columns: what was recognised. forgotten: rows of
    people who asked to be forgotten; they are not read.
    """

    survey: str
    file: str
    rows: int = 0
    unfinished: int = 0
    forgotten: int = 0
    answers: int = 0
    new: int = 0
    changed: int = 0
    removed: int = 0
    comments: int = 0
    new_comments: int = 0
    changed_comments: int = 0
    twice: int = 0
    first_day: str | None = None
    last_day: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    no_answers: dict[str, dict[str, int]] = field(default_factory=dict)
    off: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    dry_run: bool = False
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return asdict(self)


def stage(db: Database) -> None:
    """Empty staging tables. SQLite keeps them on disk."""
    unstage(db)
    for statement in STAGING.split(";"):
        db.execute(statement)


def unstage(db: Database) -> None:
    """Drop the staging tables."""
    for name in TABLES:
        db.execute(f"DROP TABLE IF EXISTS temp.{name}")


def forgotten(db: Database) -> set[str]:
    """The marks of what somebody has asked to be erased."""
    return {row["mark"] for row in rows(db, "SELECT mark FROM forgotten")}


class _Column:
    """What was met in a column: cells that say something, and those of them that are off."""

    __slots__ = ("examples", "highest", "off", "said")

    def __init__(self) -> None:
        self.said = self.off = 0
        self.examples: list[str] = []
        self.highest = float("-inf")


class _Asked:
    """A question as the reader needs it: its cell's place, and how to read the cell."""

    __slots__ = ("column", "key", "metric", "name", "question", "read", "scale", "service_id")

    def __init__(self, question: Question, column: int, service_id: int | None) -> None:
        self.question, self.column, self.service_id = question, column, service_id
        self.name, self.metric, self.scale = question.column, question.metric, question.range
        self.key = self.name if service_id is None else f"{self.name} {service_id}"
        labels = {fold(word): value for word, value in question.labels.items()}
        no_answer = frozenset(map(fold, question.no_answer))

        def read(cell: Any) -> tuple[float | None, str, bool, str]:
            value, reason, off = read_answer(cell, self.scale, labels, no_answer)
            if value is not None and self.metric == "nps" and not value.is_integer():
                value, reason, off = None, "not a whole number", True
            shown = f"{_short(cell)} ({reason})" if off else _short(cell) or "(empty)"
            return value, reason, off, shown

        self.read = lru_cache(maxsize=1024)(read)  # few different answers are given many times


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What holds for a whole row."""

    number: int
    response: str
    respondent: str | None
    service_id: int | None
    segment: str | None
    weight: float
    at: str
    day: str
    key: str  # tells apart answers of one sheet on several services, in long files


class Reader:
    """Rows into the staging tables; counts and lists what is no answer."""

    def __init__(
        self,
        config: Config,
        db: Database,
        survey: Survey,
        columns: Columns,
        *,
        result: Imported,
        listed: Callable[[int, str, str, str], None],
    ) -> None:
        self._db, self._survey, self._columns, self._result = db, survey, columns, result
        self._listed = listed
        self._zone: ZoneInfo = config.zone
        self._moments = Moments(survey, config.zone)
        self._oldest = (today(config.zone) - config.privacy.keep_texts).isoformat()
        self._key = pseudonym_key(config)
        self._hide = partial(pseudonym, self._key, f"survey {survey.name}")
        self._mark = partial(forgotten_mark, self._hide)
        self._forgotten = forgotten(db)
        found = rows(db, "SELECT id, name FROM services WHERE active = 1")
        names = {row["name"]: row["id"] for row in found}
        self._services = {fold(name): number for name, number in names.items()}
        self._asked = [
            _Asked(
                question,
                columns.questions[place] if columns.questions else columns.said or 0,
                names.get(question.service or ""),
            )
            for place, question in enumerate(survey.questions)
        ]
        # one sheet may then hold several answers on the same thing: people are told apart by it
        asked = Counter((question.metric, question.service) for question in survey.questions)
        self._repeats = columns.asked is not None or max(asked.values(), default=0) > 1
        self._comments = [
            (
                columns.comments[place] if columns.comments else columns.said or 0,
                comment.column,
                names.get(comment.service or ""),
            )
            for place, comment in enumerate(survey.comments)
        ]
        self._seen: dict[str, _Column] = {}
        self._none: dict[str, Counter[str]] = {}
        self._counted: Counter[str] = Counter()
        self._segments: set[str] = set()
        self._answers: list[tuple[Any, ...]] = []
        self._texts: list[tuple[Any, ...]] = []
        self._sheets: list[tuple[str]] = []
        self._recognised()

    def _recognised(self) -> None:
        columns = self._columns
        single = {"id": columns.id, "date": columns.date, "respondent": columns.respondent,
                  "service": columns.service, "segment": columns.segment,
                  "weight": columns.weight, "question": columns.asked,
                  "answer": columns.said}  # fmt: skip
        shown = {name: columns.shown(at) for name, at in single.items() if at is not None}
        if not self._survey.long:
            for asked in self._asked:
                of = f" of {asked.question.service}" if asked.question.service else ""
                shown[f"{asked.question.metric}{of}: {asked.name}"] = columns.shown(asked.column)
            for column, name, _ in self._comments:
                shown[f"comment: {name}"] = columns.shown(column)
        for at in columns.personal:
            shown[f"dropped: {columns.names[at]}"] = columns.shown(at)
        self._result.columns = shown

    def read(self, batch: list[Row]) -> None:
        """Stage a batch of rows."""
        for row in batch:
            self._result.rows += 1
            if row.cells is None:
                self._off(row.number, "(row)", "", row.problem)
                continue
            width = len(self._columns.names)
            if any(cell not in (None, "") for cell in row.cells[width:]):
                said = f"{len(row.cells)} cells where the header has {width}"
                self._off(row.number, "(row)", "", f"{said} (a quote or a delimiter too many?)")
                continue
            self._said("(row)")
            self._row(row.number, row.cells)
        self._write()

    def _write(self) -> None:
        marks = ", ".join("?" * len(ANSWER))
        insert = self._db.conn.executemany
        insert("INSERT INTO staged_sheets VALUES (?)", self._sheets)
        insert(f"INSERT INTO staged_answers VALUES ({marks})", self._answers)
        insert("INSERT INTO staged_comments VALUES (?, ?, ?, ?, ?, ?)", self._texts)
        self._sheets, self._answers, self._texts = [], [], []

    def _row(self, number: int, cells: list[Any]) -> None:
        columns = self._columns
        get = partial(_cell, cells)
        for column, said in columns.done:
            text = fold(get(column))
            if not text or (said and text not in said):
                self._result.unfinished += 1
                return
        sheet = self._sheet(number, cells)
        if sheet is None:
            return
        if self._forgotten and self._mark(sheet.response) in self._forgotten:
            self._result.forgotten += 1
            return
        self._sheets.append((sheet.response,))
        if columns.asked is None:
            for asked in self._asked:
                self._answer(sheet, asked, get(asked.column))
            for column, name, service_id in self._comments:
                self._comment(sheet, name, service_id, get(column), cells)
        else:
            self._long(sheet, fold(get(columns.asked)), cells)

    def _long(self, sheet: _Sheet, asked_for: str, cells: list[Any]) -> None:
        cell = _cell(cells, self._columns.said)
        known = False
        for asked in self._asked:
            if fold(asked.name) == asked_for:
                self._answer(sheet, asked, cell)
                known = True
        for _, name, service_id in self._comments:
            if fold(name) == asked_for:
                self._comment(sheet, name, service_id, cell, cells)
                known = True
        if not known:
            self._none.setdefault("(question)", Counter())[tidy(asked_for, 60)] += 1

    def _sheet(self, number: int, cells: list[Any]) -> _Sheet | None:
        """What holds for the row; None, and it is listed, when something is missing."""
        columns = self._columns
        at, why = self._moments.read(_cell(cells, columns.date) or "")
        if at is None:
            self._off(number, columns.names[columns.date], _cell(cells, columns.date), why)
            return None
        self._said(columns.names[columns.date])
        service_id, ok = self._service(number, cells)
        weight = self._weight(number, cells)
        if not ok or weight is None:
            return None
        segment = self._segment(cells)
        day = day_of(at, self._zone)
        respondent = _text(cells, columns.respondent)
        hidden = self._hide(respondent) if respondent else None
        self._days(day)
        response = self._response(cells, respondent, day)
        if hidden is not None and day < self._oldest:
            hidden = for_one_day(self._key, hidden, day)
        if hidden is None and self._repeats:
            hidden = response
        key = f" {service_id}" if columns.asked is not None and service_id else ""
        return _Sheet(
            number, response, hidden, service_id, segment, weight, timestamp(at), day, key
        )

    def _response(self, cells: list[Any], respondent: str, day: str) -> str:
        """The answer sheet's id: the tool's, else the person's on that day, else the row itself."""
        known = _text(cells, self._columns.id)
        if known:
            return self._hide(known)
        if respondent:
            return self._hide(f"{respondent} {day}")
        content = hashlib.sha256(repr(cells).encode("utf-8", "replace")).digest()[:16]
        times = self._db.execute(
            "INSERT INTO staged_seen VALUES (?, 1) ON CONFLICT (content) "
            "DO UPDATE SET times = times + 1 RETURNING times",
            [content],
        ).fetchone()[0]
        return self._hide(f"row {content.hex()} {times}")

    def _service(self, number: int, cells: list[Any]) -> tuple[int | None, bool]:
        column = self._columns.service
        if column is None:
            return None, True
        text = _text(cells, column)
        if not text or fold(text) in NO_ANSWER:
            return None, True
        service_id = self._services.get(fold(text))
        if service_id is None:
            self._off(number, self._columns.names[column], text, "not one of [[services]]")
            return None, False
        self._said(self._columns.names[column])
        return service_id, True

    def _weight(self, number: int, cells: list[Any]) -> float | None:
        column = self._columns.weight
        if column is None:
            return 1.0
        cell = _cell(cells, column)
        try:
            weight = float(str(cell).strip().replace(",", "."))
        except ValueError:
            weight = 0.0
        if 0 < weight < 1e6:
            self._said(self._columns.names[column])
            return weight
        self._off(number, self._columns.names[column], cell, "not a weight above 0")
        return None

    def _segment(self, cells: list[Any]) -> str | None:
        text = tidy(_text(cells, self._columns.segment), 60)
        if not text or text.casefold() in NO_ANSWER:
            return None
        self._segments.add(text)
        if len(self._segments) > MAX_SEGMENTS:
            raise SurveyError(
                f'{self._result.file}: column "{self._survey.segment}" holds more than '
                f"{MAX_SEGMENTS} different values; a segment is a class of customers, and names of "
                "people must not get there"
            )
        return text

    def _days(self, day: str) -> None:
        result = self._result
        result.first_day = min(result.first_day or day, day)
        result.last_day = max(result.last_day or day, day)

    def _answer(self, sheet: _Sheet, asked: _Asked, cell: Any) -> None:
        value, reason, off, shown = asked.read(cell)
        if value is None:
            if off:
                self._off(sheet.number, asked.name, cell, reason)
            else:
                self._listed(sheet.number, asked.name, "" if cell is None else str(cell), reason)
            self._none.setdefault(asked.name, Counter())[shown] += 1
            return
        seen = self._said(asked.name)
        seen.highest = max(seen.highest, value)
        self._counted[asked.name] += 1
        service_id = sheet.service_id if asked.service_id is None else asked.service_id
        scale = asked.scale
        self._answers.append((
            f"{sheet.response} {asked.key}{sheet.key}", asked.metric, sheet.response,
            sheet.respondent, service_id, sheet.segment, value, scale.low, scale.high,
            sheet.weight, sheet.at, sheet.day,
        ))  # fmt: skip

    def _comment(
        self, sheet: _Sheet, name: str, service_id: int | None, cell: Any, cells: list[Any]
    ) -> None:
        text = str(cell).strip() if cell is not None else ""
        if not text or fold(text) in NO_ANSWER:
            return
        text = plain_text(text) if looks_like_markup(text) else tidy(text)
        known = [_text(cells, column) for column in self._columns.personal]
        text = without_people(text, filter(None, known))
        if text:
            self._counted[name] += 1
            about = service_id if service_id is not None else sheet.service_id
            self._texts.append((
                f"{sheet.response} {name}", sheet.response, sheet.respondent or sheet.response,
                about, text, sheet.at,
            ))  # fmt: skip

    def _said(self, name: str) -> _Column:
        seen = self._seen.get(name)
        if seen is None:
            seen = self._seen[name] = _Column()
        seen.said += 1
        return seen

    def _off(self, number: int, name: str, cell: Any, reason: str) -> None:
        seen = self._seen.setdefault(name, _Column())
        seen.said += 1
        seen.off += 1
        value = _short(cell)
        where = "" if name == "(row)" else f', column "{tidy(name, 60)}": "{value}" is'
        if len(seen.examples) < LISTED:
            seen.examples.append(f"row {number}{where} {reason}".replace("(row) ", ""))
        self._listed(number, name, value, reason)

    def finish(self, file: str, max_off: float) -> None:
        """The sums; SurveyError when a column is mostly something else than it should be."""
        result = self._result
        result.off = [line for seen in self._seen.values() for line in seen.examples]
        result.counted = dict(self._counted)
        result.no_answers = {
            name: dict(values.most_common(LISTED)) for name, values in self._none.items()
        }
        for name, seen in self._seen.items():
            if seen.off > max(FEW, max_off * seen.said) or (seen.off and seen.off == seen.said):
                raise SurveyError(_refusal(file, name, seen))
        if result.rows == result.unfinished:
            raise SurveyError(f"{file}: none of its {result.rows} rows is a finished answer sheet")
        if not self._counted and not result.forgotten:
            raise SurveyError(f"{file}: not one answer in it, in {result.rows} rows")
        for asked in self._asked:
            result.warnings += _suspicious(asked, self._seen.get(asked.name), self._counted)
        self._later_counts()
        result.answers = count(self._db, "SELECT count(*) FROM staged_answers")
        result.comments = count(self._db, "SELECT count(*) FROM staged_comments")

    def leave_out_forgotten(self) -> None:
        """What was forgotten since reading began; in the transaction that stores the rest."""
        late = forgotten(self._db) - self._forgotten
        if not late:
            return
        for row in rows(self._db, "SELECT DISTINCT response FROM staged_sheets"):
            if self._mark(row["response"]) in late:
                for table in ("sheets", "answers", "comments"):
                    self._db.execute(
                        f"DELETE FROM staged_{table} WHERE response = ?", [row["response"]]
                    )

    def _later_counts(self) -> None:
        """Of what stands in the file twice, the later row is kept."""
        for statement in INDEXES.split(";"):
            self._db.execute(statement)
        for table, key in (("answers", "external_id, metric"), ("comments", "external_id")):
            twice = (
                f"DELETE FROM staged_{table} WHERE rowid NOT IN "
                f"(SELECT max(rowid) FROM staged_{table} GROUP BY {key})"
            )
            self._result.twice += self._db.execute(twice).rowcount


def _refusal(file: str, name: str, seen: _Column) -> str:
    first = "; ".join(seen.examples[:3])
    remedy = {
        "(row)": "The delimiter or the quoting may be another one: set delimiter.",
    }.get(name, "Check scale, labels, no_answer and date_format of this column in config.toml.")
    what = "rows" if name == "(row)" else f'cells of column "{tidy(name, 60)}"'
    return (
        f"{file}: refused, nothing was imported: {seen.off:,} of {seen.said:,} {what} cannot be "
        f"read. First: {first}. {remedy}"
    )


def _suspicious(asked: _Asked, seen: _Column | None, counted: Counter[str]) -> list[str]:
    """Answers that fit the declared scale, but look as if they were given on another."""
    scale = asked.scale
    if seen is None or counted[asked.name] < 30:
        return []
    if scale.high == 10 and not scale.reverse and seen.highest <= 5:
        said = f"declared from {scale.low:g} to 10, but no answer is above {seen.highest:g}"
        return [f'column "{asked.name}": {said}; was it asked from 1 to 5?']
    return []


def _cell(cells: list[Any], column: int | None) -> Any:
    return cells[column] if column is not None and column < len(cells) else None


def _text(cells: list[Any], column: int | None) -> str:
    cell = _cell(cells, column)
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split())


def _short(cell: Any) -> str:
    return "" if cell is None else tidy(str(cell), 40).replace('"', "'")
