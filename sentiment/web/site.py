"""The server's own part: who asks, in which language, for what; and the answer as a page."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from datasette.utils.asgi import Response

from sentiment.database import connect, today
from sentiment.portfolio.lint import ORDER
from sentiment.portfolio.wording import wording
from sentiment.web import access, selection
from sentiment.web.metadata import views
from sentiment.web.phrases import PHRASES
from sentiment.web.queries import QUERIES
from sentiment.web.readers import Readers
from sentiment.web.sparkline import bars, spark
from sentiment.web.words import LANGUAGES, Words

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from datasette.app import Datasette
    from datasette.utils.asgi import Request

    from sentiment.config import Config
    from sentiment.portfolio.findings import Finding

REMEMBER = 30.0  # seconds for which what the filters offer is not asked anew
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer."""

    sources: list[str]
    languages: list[str]
    segments: list[str]
    months: list[str]


class Site:
    """What all requests share. Kept by the Datasette instance as `datasette.site`."""

    def __init__(self, config: Config, config_path: Path, datasette: Datasette) -> None:
        self.config = config
        self.config_path = config_path
        self.datasette = datasette
        self.door = access.Door(config.web)
        self._readers = Readers(config.database_path)
        self._choices: tuple[float, Choices] | None = None

    async def read(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Run a function with a read-only connection in a thread."""
        return await self._readers.read(function, *arguments)

    async def write(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Run a function with a connection of its own that may write, in a thread.

        Datasette's connections are read-only. The tables are as the server found them: a worker
        that was started with another config.toml meanwhile is not contradicted.
        """

        def work() -> Result:
            with connect(self.config.database_path) as db:
                return function(db, *arguments)

        return await asyncio.to_thread(work)

    @cached_property
    def findings(self) -> list[Finding]:
        """What is doubtful in the portfolio's names and rules; takes a moment the first time."""
        return sorted(wording(self.config), key=lambda finding: ORDER.index(finding.level))

    async def choices(self) -> Choices:
        """What the filters offer; at most REMEMBER seconds old."""
        if self._choices is None or self._choices[0] < time.monotonic() - REMEMBER:
            self._choices = (time.monotonic(), await self.read(_choices, self.config))
        return self._choices[1]


def _choices(conn: sqlite3.Connection, config: Config) -> Choices:
    def column(sql: str) -> list[str]:
        return [str(row[0]) for row in conn.execute(sql)]

    (first,) = conn.execute("SELECT min(day) FROM daily_sentiment").fetchone()
    year, month = (int(part) for part in (first or str(today(config.zone)))[:7].split("-"))
    now = today(config.zone)
    months: list[str] = []
    while (year, month) <= (now.year, now.month) and len(months) < 120:
        months.append(f"{year}-{month:02d}")
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return Choices(
        column("SELECT name FROM sources WHERE kind <> 'survey' ORDER BY name"),
        column("SELECT DISTINCT language FROM daily_sentiment ORDER BY language"),
        column(
            "SELECT DISTINCT segment FROM survey_responses WHERE segment IS NOT NULL "
            "ORDER BY segment"
        ),
        months[::-1],
    )


class Visit:
    """One request: its language, its user, its selection, and how it is answered."""

    def __init__(self, site: Site, request: Request) -> None:
        self.site = site
        self.request = request

    @cached_property
    def language(self) -> str:
        """Of the address, else of the visitor's own choice, browser, or the configuration."""
        headers = self.request.headers
        asked = self.request.args.get("_lang")
        if asked in LANGUAGES:
            return str(asked)
        chosen = self.request.cookies.get("lang")
        if chosen in LANGUAGES:
            return str(chosen)
        for part in headers.get("accept-language", "").split(","):
            if part[:2].lower() in LANGUAGES:
                return str(part[:2].lower())
        return self.site.config.language

    @cached_property
    def words(self) -> Words:
        """Texts, numbers and dates in the visitor's language."""
        return Words(self.language, self.site.config.zone)

    @property
    def user(self) -> str | None:
        """Who has logged in."""
        actor = self.request.scope.get("actor") or {}
        name = actor.get("id")
        return None if name is None else str(name)

    @property
    def arguments(self) -> dict[str, str]:
        """The parameters of the address, each once."""
        return {key: str(self.request.args[key]) for key in self.request.args}

    async def selection(self) -> selection.Selection:
        """The period and the filters; SelectionError when they cannot be."""
        choices = await self.site.choices()
        return selection.parse(
            self.arguments,
            today(self.site.config.zone),
            sources=choices.sources,
            languages=choices.languages,
            segments=choices.segments,
        )

    async def read(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """See Site.read."""
        return await self.site.read(function, *arguments)

    async def write(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """See Site.write."""
        return await self.site.write(function, *arguments)

    async def form(self) -> dict[str, str]:
        """What was sent, each field once."""
        return {str(key): str(value) for key, value in (await self.request.post_vars()).items()}

    def go(self, path: str, said: str, *, well: bool = True) -> Response:
        """After a form: to a page that says what was done, or why it was not."""
        datasette = self.site.datasette
        kind = datasette.INFO if well else datasette.WARNING
        datasette.add_message(self.request, said, kind)
        return Response.redirect(access.safe_path(path))

    def log_in_first(self, path: str | None = None) -> Response:
        """To the login, and from there to a path; by default where they wanted to go."""
        return Response.redirect(f"/login?next={quote(path or self.request.full_path, safe='')}")

    async def show(self, template: str, status: int = 200, **context: Any) -> Response:
        """A page from its template."""
        body = await self.site.datasette.render_template(
            [template], context, request=self.request, view_name=template.removesuffix(".html")
        )
        return Response.html(body, status=status)


def frame(visit: Visit) -> dict[str, Any]:
    """What every template may use, Datasette's own included."""
    words, said = visit.words, views(visit.language)
    arguments = {key: value for key, value in visit.arguments.items() if key != "_lang"}
    return {
        "t": words.say,
        "n": words,
        "lang": visit.language,
        "other_langs": [
            (
                code,
                words.language_name(code),
                selection.address(visit.request.path, arguments, _lang=code),
            )
            for code in LANGUAGES
            if code != visit.language
        ],
        "company": visit.site.config.company.name,
        "user": visit.user,
        "spark": spark,
        "lookup_said": lambda key, display: (
            words.say(f"op_{key}") if f"op_{key}" in PHRASES else display
        ),
        "explained": lambda name: said[name][0] if name in said else "",
        "columns_explained": lambda name: said[name][1] if name in said else {},
        "questions": QUERIES,
        "bars": bars,
        "can_log_in": visit.site.door.has_users,
        "here": visit.request.full_path,
        "path": visit.request.path,
    }
