"""Connections that read: for visitors' SQL with limits, for our own pages without.

Each kind has threads of its own, so that nobody's SQL holds up a page.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from sentiment.web.metadata import search_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Result = TypeVar("Result")

# Functions of SQLite that search a text in a text need the product of both lengths, and cannot be
# interrupted: at these lengths that takes seconds. Posts have at most 20,000 characters.
LONGEST_VALUE = 300_000  # bytes of a text, blob or row
LONGEST_PATTERN = 500  # bytes, of LIKE and GLOB
LONGEST_SQL = 50_000
LARGEST_ANSWER = 30_000_000  # bytes of all texts and blobs of a result
MEMORY = 400_000_000  # bytes that SQLite may take in this process
PRAGMAS = frozenset(
    ("table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo",
     "foreign_key_list", "database_list", "data_version", "schema_version", "page_size",
     "function_list", "compile_options", "collation_list")
)  # fmt: skip
"""Those that only tell something; Datasette and the search index need some of them."""

WITHHELD = {
    # where adapters stand: addresses of next pages and whatever an adapter of one's own puts there
    "sources": frozenset(("cursor", "settings")),
    # keyed marks of what was erased on request: nothing to be found in them, nothing to be tried
    "forgotten": frozenset(("mark",)),
}
"""Columns that are empty for visitors' SQL: only the worker needs them."""

READING = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE))


def limit(conn: sqlite3.Connection) -> None:
    """Visitors' SQL may not write, attach, or fill the memory; the time limit is Datasette's."""
    conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    conn.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, LONGEST_SQL)
    conn.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, LONGEST_PATTERN)
    conn.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    conn.execute("PRAGMA query_only = ON")
    conn.execute(f"PRAGMA hard_heap_limit = {MEMORY}")
    conn.create_function("escape_fts", 1, search_words, deterministic=True)
    for name, left, right in (("trim", True, True), ("ltrim", True, False), ("rtrim", False, True)):
        conn.create_function(name, 2, _strips(left=left, right=right), deterministic=True)
    conn.row_factory = Counted()
    conn.set_authorizer(allowed)


def allowed(action: int, first: str | None, second: str | None, *_: Any) -> int:
    """What visitors' SQL may do, as SQLite asks for each step of a statement."""
    if action == sqlite3.SQLITE_READ:
        withheld = second in WITHHELD.get(first or "", ())
        return sqlite3.SQLITE_IGNORE if withheld else sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_DENY if second == "load_extension" else sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA:
        return sqlite3.SQLITE_OK if first in PRAGMAS else sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_UPDATE and first == "sqlite_master":
        return sqlite3.SQLITE_OK  # asked for when a virtual table is opened; nothing is written
    return sqlite3.SQLITE_OK if action in READING else sqlite3.SQLITE_DENY


def _strips(*, left: bool, right: bool) -> Callable[[Any, Any], str | None]:
    """SQLite's trim in time that grows with the text alone; its own can take a minute."""

    def stripped(text: Any, characters: Any) -> str | None:
        if text is None or characters is None:
            return None
        whole, unwanted = str(text), set(str(characters))
        start, end = 0, len(whole)
        while left and start < end and whole[start] in unwanted:
            start += 1
        while right and start < end and whole[end - 1] in unwanted:
            end -= 1
        return whole[start:end]

    return stripped


class Counted:
    """Makes the rows that Datasette wants, until one answer holds more than LARGEST_ANSWER."""

    def __init__(self) -> None:
        self._cursor: weakref.ref[sqlite3.Cursor] | None = None
        self._bytes = 0

    def __call__(self, cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> sqlite3.Row:
        if self._cursor is None or self._cursor() is not cursor:
            self._cursor, self._bytes = weakref.ref(cursor), 0
        self._bytes += sum(len(value) for value in row if isinstance(value, str | bytes))
        if self._bytes > LARGEST_ANSWER:
            raise sqlite3.OperationalError("the result is too large: ask for fewer or shorter rows")
        return sqlite3.Row(cursor, row)


class Readers:
    """Threads with a read-only connection each, for our own pages."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        self._path = path
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="pages")
        self._own = threading.local()

    async def read(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """The result of a function that is called with a connection first."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._call, function, *arguments)

    def _call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        conn = getattr(self._own, "conn", None)
        if conn is None:
            conn = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True)
            conn.row_factory = sqlite3.Row
            conn.text_factory = lambda text: str(text, "utf-8", "replace")
            self._own.conn = conn
        return function(conn, *arguments)
