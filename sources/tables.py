"""Rows of CSV, JSONL and XLSX files, one at a time, whatever state the file is in."""

from __future__ import annotations

import codecs
import csv
import json
import zipfile
from functools import partial
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from sources.base import SourceError
from sources.text import tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from pathlib import Path

MAX_FILE = 1_000_000_000  # bytes
MAX_UNPACKED = 300_000_000  # bytes of a spreadsheet; it is a zip, and may be a bomb
MAX_LINE = 4_000_000  # characters; the rest of a longer line is dropped
MAX_CELL = 2_000_000  # characters; a longer one is most likely a quote that was never closed
END = "\0end"  # a line no file can hold, for NULs are dropped
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Line(NamedTuple):
    """A row of a file.

    number: of its first line, from 1.
    cells: by column header; None where the row cannot be read, and `problem` says why.
    unfinished: the last row of a file that may still be being written.
    """

    number: int
    cells: dict[str, Any] | None
    problem: str = ""
    unfinished: bool = False


class Row(NamedTuple):
    """A row of a table as it stands in the file, its header included; see `Line`."""

    number: int
    cells: list[Any] | None
    problem: str = ""
    unfinished: bool = False


def read_lines(
    path: Path,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> Iterator[Line]:
    """The rows of a file by its kind; SourceError when it cannot be read at all."""
    if path.suffix.lower() in (".jsonl", ".ndjson", ".json"):
        yield from _read(path, _json_lines, encoding, sheet)
    else:
        yield from _with_header(
            read_rows(path, delimiter=delimiter, encoding=encoding, sheet=sheet)
        )


def read_rows(
    path: Path,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> Generator[Row, None, None]:
    """The rows of a CSV or XLSX file, empty ones left out; SourceError as in `read_lines`."""
    return _read(path, partial(_csv_rows, delimiter=delimiter), encoding, sheet)


def _read(
    path: Path,
    read_text: Callable[[IO[str]], Iterator[Any]],
    encoding: str | None,
    sheet: str | None,
) -> Generator[Any, None, None]:
    try:
        if path.stat().st_size > MAX_FILE:
            raise SourceError(f"larger than {MAX_FILE:,} bytes")
        with path.open("rb") as file:
            start = file.read(8)
        if start.startswith(b"PK\x03\x04"):
            rows = _xlsx_rows(path, sheet)
            yield from _with_header(rows) if read_text is _json_lines else rows
        elif start.startswith(b"\xd0\xcf\x11\xe0") or path.suffix.lower() in (".xls", ".ods"):
            raise SourceError("an old or foreign spreadsheet format; save it as .xlsx or CSV")
        elif path.suffix.lower() in (".xlsx", ".xlsm"):
            raise SourceError("not an Excel file, or not yet written to its end")
        else:
            with path.open(
                encoding=encoding or _encoding(path), errors="replace", newline=""
            ) as text:
                yield from read_text(text)
    except (OSError, UnicodeError, LookupError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise SourceError(f"cannot be read ({reason})") from error


def _encoding(path: Path) -> str:
    """By its byte order mark; else UTF-8 if all of it is; else Windows Western European."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        start = file.read(4)
        for mark, name in BOMS:
            if start.startswith(mark):
                return name
        if len(start) == 4 and start[1] == start[3] == 0 != start[0]:
            return "utf-16-le"
        try:
            chunk = start
            while chunk:  # a character that is cut at the end is no reason to doubt
                decoder.decode(chunk)
                chunk = file.read(1_000_000)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _physical(stream: IO[str]) -> Iterator[str]:
    """Lines without NULs and of bounded length; only an unfinished last line lacks its end."""
    while line := stream.readline(MAX_LINE):
        rest = line
        while len(rest) == MAX_LINE and not rest.endswith(("\n", "\r")):
            rest = stream.readline(MAX_LINE)
        ended = "\n" if line is not rest and not line.endswith("\n") else ""
        yield line.replace("\0", "") + ended


def _json_lines(stream: IO[str]) -> Iterator[Line]:
    for number, line in enumerate(_physical(stream), start=1):
        if not line.strip():
            continue
        unfinished = not line.endswith(("\n", "\r"))
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            yield Line(number, None, "not valid JSON", unfinished)
            continue
        if isinstance(value, dict):
            yield Line(number, value, unfinished=unfinished)
        else:
            yield Line(number, None, "not a JSON object", unfinished)


class _Watched:
    """Passes lines on and remembers whether the last one was whole."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.whole = True

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.whole = line.endswith(("\n", "\r"))
            yield line


def _csv_rows(stream: IO[str], delimiter: str | None) -> Iterator[Row]:
    csv.field_size_limit(MAX_CELL)
    lines = _physical(stream)
    above, first = 0, ""
    for first in lines:
        if first.lower().startswith("sep=") and len(first.strip()) == 5:  # a hint for Excel
            delimiter = delimiter or first.strip()[4]
        elif first.strip():
            break
        above += 1
    watched = _Watched(chain([first], lines))
    rows = csv.reader(chain(watched, [END]), delimiter=delimiter or _delimiter(first))
    for number, row, problem in _numbered(rows, above):
        if row == [END]:
            return
        if problem or (row and row[-1].endswith(END)):
            said = problem or "a quote is opened and never closed"
            yield Row(number, None, said, unfinished=True)
        elif any(cell.strip() for cell in row):
            yield Row(number, row, unfinished=not watched.whole)


def _with_header(rows: Iterator[Row]) -> Iterator[Line]:
    """Rows by the names in the first one."""
    header: list[str] | None = None
    for number, cells, problem, unfinished in rows:
        if cells is None:
            yield Line(number, None, problem, unfinished)
        elif header is None:
            header = ["" if cell is None else str(cell) for cell in cells]
        else:
            yield _row(number, header, cells, unfinished=unfinished)


def _numbered(rows: Any, above: int) -> Iterator[tuple[int, list[str], str]]:
    """Rows with the number of their first line; a row that breaks the reader has a problem."""
    while True:
        number = above + rows.line_num + 1
        try:
            yield number, next(rows), ""
        except StopIteration:
            return
        except csv.Error:
            yield number, [], f"a cell of more than {MAX_CELL:,} characters (an open quote?)"


def _delimiter(header: str) -> str:
    """The one of ; , tab and | that the header has most of."""
    unquoted = "".join(header.split('"')[::2])
    return max(",;\t|", key=lambda sign: (unquoted.count(sign), sign == ","))


def _row(number: int, header: list[str], row: list[Any], *, unfinished: bool = False) -> Line:
    extra = [cell for cell in row[len(header) :] if cell not in (None, "")]
    if extra:
        return Line(
            number,
            None,
            f"{len(row)} cells where the header has {len(header)} "
            "(a quote or a delimiter too many?)",
            unfinished,
        )
    cells = dict(zip(reversed(header[: len(row)]), reversed(row[: len(header)]), strict=True))
    return Line(number, {name: cells.get(name) for name in header if name.strip()}, "", unfinished)


def _xlsx_rows(path: Path, sheet: str | None) -> Iterator[Row]:
    """Rows of the first sheet or the named one; of formulas the values last computed."""
    import openpyxl  # kept out of start-up

    with path.open("rb") as file:
        try:
            _refuse_bomb(file)
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            try:
                yield from _sheet_rows(_sheet(book, sheet))
            finally:
                book.close()
        except (SourceError, GeneratorExit):
            raise
        except Exception as error:  # a damaged spreadsheet fails in openpyxl in any way
            raise SourceError("not an Excel file, or a damaged one") from error


def _refuse_bomb(file: IO[bytes]) -> None:
    """The sizes that a zip states are the most that can be read from it."""
    with zipfile.ZipFile(file) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > MAX_UNPACKED:
        raise SourceError(f"unpacks to more than {MAX_UNPACKED:,} bytes")


def _sheet(book: Any, name: str | None) -> Any:
    if name is None:
        return book.worksheets[0]
    if name not in book.sheetnames:
        shown = ", ".join(tidy(each, 60) for each in book.sheetnames[:20])
        raise SourceError(f'no sheet "{name}"; its sheets are: {shown}')
    return book[name]


def _sheet_rows(sheet: Any) -> Iterator[Row]:
    sheet.reset_dimensions()  # what other programs write there is often wrong
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        if any(cell is not None and cell != "" for cell in row):
            yield Row(number, list(row))
