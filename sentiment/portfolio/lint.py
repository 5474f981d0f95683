"""Lint: everything about a portfolio that trips people, each with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment.portfolio.measured import measured
from sentiment.portfolio.wording import wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlite_utils import Database

    from sentiment.config import Config
    from sentiment.portfolio.findings import Finding

ORDER = ("error", "warning", "hint")
SILENT_DAYS = 90


def lint(
    config: Config,
    db: Database | None,
    *,
    days: int = SILENT_DAYS,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[Finding]:
    """Findings, the worst first. db: with the stored posts; None where there is none yet.

    days: a service that nobody has named for so long is told.
    """
    found = list(wording(config))
    if db is not None:
        found += measured(config, db, days, progress)
    return sorted(found, key=lambda finding: ORDER.index(finding.level))
