"""What holds for every request and answer: the host, the size, the origin, and strict headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import structlog

from sentiment.web import access
from sentiment.web.metadata import NAME
from sentiment.web.words import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sentiment.config import Web

LARGEST_BODY = 65_536  # bytes of a form
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",  # posts' sites need not know who reads them
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}


FORM = "application/x-www-form-urlencoded"
TOKEN = "ds_csrftoken="  # noqa: S105 - the name of Datasette's cookie
log = structlog.get_logger()


class Guard:
    """ASGI middleware around the whole server."""

    def __init__(self, app: Callable[..., Awaitable[None]], web: Web) -> None:
        self._app = app
        self._web = web

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        if refusal := self._refusal(scope["method"], scope["path"], headers):
            await _refuse(send, *refusal)
            return
        secure = scope.get("scheme") == "https" or self._web.address.startswith("https:")
        answer = Answer(send, _chosen_language(scope), secure=secure)
        try:
            await self._app(_without_bearer(scope), _limited(receive), answer.send)
        except Exception:
            # what no page could be made of: a request that is broken below the level of pages
            log.exception("request_failed", path=scope["path"][:200])
            if not answer.begun:
                await _refuse(send, 500, "This request could not be answered.")

    def _refusal(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str] | None:
        if not access.known_host(self._web, headers.get("host", "")):
            return 421, "This server has another name; see [web] url in config.toml."
        if access.from_elsewhere(headers):
            return 403, "Pages of other sites may link here, and nothing else."
        if method in ("GET", "HEAD"):
            return None
        if method != "POST" or path.startswith(f"/{NAME}"):
            return 405, "Only GET and HEAD are answered here; forms are sent by POST."
        return self._form_refusal(headers)

    def _form_refusal(self, headers: dict[str, str]) -> tuple[int, str] | None:
        if not access.own_origin(self._web, headers) or TOKEN not in headers.get("cookie", ""):
            return 403, "This form was not sent from this server's own page."
        if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            return 415, f"A form is sent as {FORM}."
        length = headers.get("content-length", "")
        if not length.isdecimal():
            return 411, "A form says how long it is."
        if len(length) > 9 or int(length) > LARGEST_BODY:
            return 413, f"A form has at most {LARGEST_BODY:,} bytes."
        return None


def _without_bearer(scope: dict[str, Any]) -> dict[str, Any]:
    """Nobody logs in by this header here, and with "Bearer" in it no CSRF token would be asked for.

    Some proxies add it to everything.
    """
    return scope | {"headers": [one for one in scope["headers"] if one[0] != b"authorization"]}


def _limited(receive: Any) -> Any:
    """Bodies that are longer than they say end the request."""
    left = LARGEST_BODY

    async def limited() -> Any:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        return message if left >= 0 else {"type": "http.disconnect"}

    return limited


def _chosen_language(scope: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """A cookie for the language that the address asks for; Datasette ignores names with "_"."""
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("_lang", [""])[0]
    if asked not in LANGUAGES:
        return []
    cookie = f"lang={asked}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly"
    return [(b"set-cookie", cookie.encode())]


class Answer:
    """Adds what every answer has: strict headers, and cookies that scripts cannot read."""

    def __init__(self, send: Any, more: list[tuple[bytes, bytes]], *, secure: bool) -> None:
        self._send = send
        self._more = more
        self._secure = secure
        self.begun = False

    async def send(self, message: dict[str, Any]) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.begun = True
            given = [(key.lower(), value) for key, value in message.get("headers", [])]
            names = {key for key, _ in given}
            added = [(key, value) for key, value in HEADERS.items() if key not in names]
            if b"cache-control" not in names:
                added.append((b"cache-control", b"private, no-cache"))
            every = [self._careful(*header) for header in given + added + self._more]
            message = {**message, "headers": every}
        await self._send(message)

    def _careful(self, key: bytes, value: bytes) -> tuple[bytes, bytes]:
        """Datasette's own cookies too: no script reads them, no plain connection carries them."""
        if key != b"set-cookie":
            return key, value
        given = {part.strip().lower() for part in value.split(b";")}
        wanted = (b"HttpOnly", b"Secure") if self._secure else (b"HttpOnly",)
        missing = [flag for flag in wanted if flag.lower() not in given]
        return key, b"; ".join([value, *missing])


async def _refuse(send: Any, status: int, said: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said.encode()})
