"""Every cell of a survey's file that is no answer, as a CSV file to work through."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def listed_in(path: Path | None) -> Iterator[Callable[[int, str, str, str], None]]:
    """A function that writes row, column, value and reason; one that does nothing without path."""
    if path is None:
        yield lambda _row, _column, _value, _reason: None
        return
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file, delimiter=";")
        table.writerow(["row", "column", "value", "reason"])
        yield lambda row, column, value, reason: table.writerow(
            [row, _harmless(column), _harmless(value), reason]
        )


def _harmless(cell: str) -> str:
    """No spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
