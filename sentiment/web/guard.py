"""What holds for every request and answer: the host, the size, the origin, and strict headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from sentiment.web import access
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
        refusal = self._refusal(scope["method"], headers)
        if refusal:
            await _refuse(send, *refusal)
            return
        await self._app(scope, _limited(receive), _with_headers(send, _chosen_language(scope)))

    def _refusal(self, method: str, headers: dict[str, str]) -> tuple[int, str] | None:
        if not access.known_host(self._web, headers.get("host", "")):
            return 421, "This server has another name; see [web] url in config.toml."
        if method in ("GET", "HEAD"):
            return None
        return self._form_refusal(method, headers)

    def _form_refusal(self, method: str, headers: dict[str, str]) -> tuple[int, str] | None:
        if method != "POST":
            return 405, "Only GET, HEAD and POST are answered."
        if not access.own_origin(self._web, headers):
            return 403, "This form was not sent from this server's own page."
        if not headers.get("content-length", "").isdecimal():
            return 411, "A form says how long it is."
        if int(headers["content-length"]) > LARGEST_BODY:
            return 413, f"A form has at most {LARGEST_BODY:,} bytes."
        return None


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


def _with_headers(send: Any, more: list[tuple[bytes, bytes]]) -> Any:
    async def sending(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            given = [(key.lower(), value) for key, value in message.get("headers", [])]
            names = {key for key, _ in given}
            added = [(key, value) for key, value in HEADERS.items() if key not in names]
            if b"cache-control" not in names:
                added.append((b"cache-control", b"private, no-cache"))
            message = {**message, "headers": given + added + more}
        await send(message)

    return sending


async def _refuse(send: Any, status: int, said: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said.encode()})
