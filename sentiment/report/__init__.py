"""The month on one page: scorecard, what changed and whether by chance, posts that explain it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentiment.report.compose import compose
from sentiment.report.gather import gather, latest_month
from sentiment.report.render import html_page, markdown, terminal

if TYPE_CHECKING:
    from sqlite_utils import Database

    from sentiment.config import Config

RENDER = {"terminal": terminal, "markdown": markdown, "html": html_page}


def report(
    config: Config,
    db: Database,
    *,
    month: str | None = None,
    form: str = "terminal",
    language: str | None = None,
) -> str:
    """The report on a month (YYYY-MM), by default the last one with figures."""
    spoken = language or config.language
    found = gather(config, db, month or latest_month(db))
    return RENDER[form](compose(found, spoken), spoken)
