"""CSV that a spreadsheet opens as text: no cell of a post becomes a formula.

Excel, LibreOffice and others compute cells that begin with = + - @ or a control character, and a
post may begin with anything (OWASP, "CSV Injection"). Such cells get an apostrophe, which
spreadsheets take as "this is text"; numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Send = Callable[[dict[str, Any]], Awaitable[None]]

# full-width signs too: some spreadsheets read them like the others
DANGEROUS = re.compile(r"\s*[=+\-@\t\r\n＝＋－＠]")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def harmless(cell: str) -> str:
    """The cell, with an apostrophe before it if a spreadsheet might compute it."""
    return f"'{cell}" if DANGEROUS.match(cell) and not NUMBER.fullmatch(cell) else cell


def line(cells: list[Any]) -> str:
    """A line of CSV; None is an empty cell."""
    out = io.StringIO()
    csv.writer(out).writerow(["" if cell is None else harmless(str(cell)) for cell in cells])
    return out.getvalue()


class Harmless:
    """Makes CSV harmless while it passes in pieces of any size."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._quotes = 0

    def feed(self, piece: str) -> str:
        """The lines that are complete with this piece."""
        out = []
        for part in piece.splitlines(keepends=True) if "\n" in piece else [piece]:
            self._kept.append(part)
            self._quotes += part.count('"')
            # a line break within quotes is part of a cell
            if part.endswith("\n") and self._quotes % 2 == 0:
                out.append(self.rest())
        return "".join(out)

    def rest(self) -> str:
        """What is left when nothing more comes."""
        kept, self._kept, self._quotes = "".join(self._kept), [], 0
        # csv refuses cells above its limit; the database's own are at most that long
        csv.field_size_limit(max(csv.field_size_limit(), len(kept) + 1))
        return "".join(line(list(row)) for row in csv.reader(io.StringIO(kept, newline="")))


class HarmlessCsv:
    """ASGI middleware: every CSV that is answered, Datasette's own too, goes through Harmless."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        await self._app(scope, receive, _through(send) if scope["type"] == "http" else send)


def _through(send: Send) -> Send:
    lines: Harmless | None = None
    kept = b""

    async def sending(message: dict[str, Any]) -> None:
        nonlocal lines, kept
        if message["type"] == "http.response.start":
            headers = dict(message.get("headers", []))
            lines = Harmless() if _is_csv(headers) else None
            if lines is not None:
                left = [(key, value) for key, value in message["headers"] if key != LENGTH]
                message = {**message, "headers": left}
        elif lines is not None and message["type"] == "http.response.body":
            text, kept = _decoded(kept + message.get("body", b""))
            done = lines.feed(text)
            if not message.get("more_body"):
                done += lines.rest()
            message = {**message, "body": done.encode()}
        await send(message)

    return sending


LENGTH = b"content-length"


def _is_csv(headers: dict[bytes, bytes]) -> bool:
    # Datasette shows CSV as text/plain unless it is asked for a download
    return headers.get(b"content-type", b"").startswith((b"text/csv", b"text/plain"))


def _decoded(body: bytes) -> tuple[str, bytes]:
    """The text so far, and the bytes of a character of which the rest is still to come."""
    try:
        return body.decode(), b""
    except UnicodeDecodeError as error:
        if len(body) - error.start < 4:
            return body[: error.start].decode(), body[error.start :]
        return body.decode(errors="replace"), b""
