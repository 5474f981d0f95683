"""Datasette's hooks: our pages on its server, its pages behind our door and in our frame.

Hooks are registered once for the process; they act on instances that `server.build` made.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import structlog
from datasette import hookimpl
from datasette.utils.asgi import NotFound, Response

from sentiment.web import access, guard, readers
from sentiment.web.metadata import NAME
from sentiment.web.pages import ROUTES
from sentiment.web.posts import TRICKS
from sentiment.web.selection import SelectionError
from sentiment.web.site import Site, Visit, frame
from sentiment.web.spreadsheets import HarmlessCsv

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable

    from datasette.app import Datasette
    from datasette.utils.asgi import Request

    View = Callable[[Visit], Awaitable[Response]]

log = structlog.get_logger()
LONGEST_CELL = 500  # characters of a text in a table
OPEN = ("login",)  # pages that need no login
# Datasette's pages about itself: versions, settings, threads. They help whoever attacks, and nobody
# else; our templates need none of its scripts and styles.
INNER = r"^/-/.*$"


def _site(datasette: Datasette) -> Site | None:
    return getattr(datasette, "site", None)


@hookimpl
def register_routes(datasette: Datasette) -> list[tuple[str, Any]]:
    """Our pages. They come before Datasette's own, so that ours is the first one."""
    if _site(datasette) is None:
        return []
    ours = [(f"^{path}$", _view(view, open_to_all=name in OPEN)) for path, name, view in ROUTES]
    return [*ours, (INNER, _view(_nothing, open_to_all=True))]


async def _nothing(visit: Visit) -> Response:
    raise NotFound(visit.words.say("not_found"))


def _view(view: View, *, open_to_all: bool) -> Any:
    async def answer(datasette: Datasette, request: Request) -> Response:
        site = _site(datasette)
        assert site is not None  # noqa: S101 - for mypy; register_routes has looked
        visit = Visit(site, request)
        if site.config.web.reading_needs_login and not visit.user and not open_to_all:
            return visit.log_in_first()
        try:
            return await view(visit)
        except SelectionError as error:
            said = visit.words.say(f"bad_{error.key}", value=error.value[:100])
            return await visit.show("problem.html", 400, said=said)

    return answer


@hookimpl
def actor_from_request(datasette: Datasette, request: Request) -> dict[str, str] | None:
    """Who a trusted proxy says it is, or whose session it is."""
    site = _site(datasette)
    if site is None:
        return None
    peer = (request.scope.get("client") or ("",))[0]
    name = access.proxied_name(site.config.web, request.headers, peer)
    if name is None and (cookie := request.cookies.get(access.COOKIE)):
        name = site.door.user(datasette, cookie, time.time())
    return {"id": name} if name else None


@hookimpl
def permission_allowed(
    datasette: Datasette, actor: dict[str, str] | None, action: str
) -> bool | None:
    """Datasette's own pages follow the same rule as ours; its debugging pages are for nobody."""
    site = _site(datasette)
    if site is None:
        return None
    if action in ("permissions-debug", "debug-menu", "view-database-download"):
        return False
    if site.config.web.reading_needs_login and not actor:
        return False
    return None


@hookimpl
def forbidden(datasette: Datasette, request: Request) -> Response | None:
    """Instead of "forbidden", the login."""
    if _site(datasette) is None:
        return None
    return Response.redirect(f"/login?next={quote(request.full_path, safe='')}")


@hookimpl
def handle_exception(
    datasette: Datasette, request: Request, exception: Exception
) -> Callable[[], Awaitable[Response]] | None:
    """Errors in our frame; what went wrong inside stays in the log."""
    site = _site(datasette)
    if site is None:
        return None

    async def page() -> Response:
        visit = Visit(site, request)
        status = getattr(exception, "status", 500)
        if status == 500:
            log.error("page_failed", path=request.path, exc_info=exception)
            said = visit.words.say("failed")
        else:
            said = getattr(exception, "message", None) or str(exception)
            if getattr(exception, "message_is_html", False):  # Datasette says this one thing so
                said = visit.words.say("sql_too_slow")
            if not said or said in ("404", "Database not found", "Table not found"):
                said = visit.words.say("not_found")
        if request.path.endswith(".json"):
            return Response.json({"ok": False, "error": said, "status": status}, status=status)
        return await visit.show("problem.html", status, said=said)

    return page


@hookimpl
def extra_template_vars(datasette: Datasette, request: Request | None) -> dict[str, Any]:
    """Words and navigation for every template."""
    site = _site(datasette)
    if site is None or request is None:
        return {}
    return frame(Visit(site, request))


@hookimpl
def render_cell(datasette: Datasette, value: Any) -> str | None:
    """No characters that turn or hide what follows."""
    if _site(datasette) is not None and isinstance(value, str) and TRICKS.search(value):
        return TRICKS.sub("", value)[:LONGEST_CELL]
    return None


@hookimpl(trylast=True)  # after Datasette's own, whose escape_fts ours replaces
def prepare_connection(conn: sqlite3.Connection, database: str, datasette: Datasette) -> None:
    """What visitors' SQL may do; our own pages have connections of their own."""
    if _site(datasette) is not None and database == NAME:
        readers.limit(conn)


@hookimpl
def asgi_wrapper(datasette: Datasette) -> Callable[[Any], Any]:
    """Checks before, and headers after, everything that is answered."""
    site = _site(datasette)
    if site is None:
        return lambda app: app
    return lambda app: guard.Guard(HarmlessCsv(app), site.config.web)
