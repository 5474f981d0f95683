"""Who may do what: passwords, sessions, attempts, and whether a request comes from our own pages.

Reading is free on this machine unless config.toml says otherwise; whatever changes something
needs a login. A session is a signed cookie that holds as long as its user and password do.
"""

from __future__ import annotations

import ipaddress
import time
from collections import defaultdict, deque
from datetime import timedelta
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from itsdangerous import BadSignature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sentiment.config import Web

# OWASP's second recommendation for Argon2id (19 MiB, two passes): a small machine can spare it
HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
SESSION = timedelta(hours=12)
COOKIE = "sentiment_session"
ATTEMPTS = 5  # wrong passwords of one name, or ten times as many of one address, in a window
WINDOW = 900.0  # seconds


def hashed(password: str) -> str:
    """The hash of a password as config.toml keeps it (Argon2id)."""
    return HASHER.hash(password)


class Door:
    """Checks passwords, and slows down whoever guesses. One for a server; used by many threads."""

    def __init__(self, web: Web, clock: Callable[[], float] = time.monotonic) -> None:
        self._hashes = {user.name: user.password.get_secret_value() for user in web.users}
        self._clock = clock
        self._tried: dict[tuple[str, str], deque[float]] = defaultdict(deque)

    @property
    def has_users(self) -> bool:
        """Whether anybody has a password here."""
        return bool(self._hashes)

    def knocks(self, name: str, address: str) -> int:
        """Seconds until another attempt is heard; 0: this one is, and counts until it succeeds.

        Counting before the password is looked at leaves nothing to gain from many at once.
        """
        now, longest = self._clock(), 0.0
        for key, most in ((("name", name), ATTEMPTS), (("address", address), 10 * ATTEMPTS)):
            tried = self._tried.get(key, deque())
            while tried and tried[0] <= now - WINDOW:
                tried.popleft()
            if not tried:
                self._tried.pop(key, None)
            elif len(tried) >= most:
                longest = max(longest, tried[-most] + WINDOW - now)
        if longest:
            return int(longest) + 1
        self._tried["name", name].append(now)
        self._tried["address", address].append(now)
        return 0

    def opens(self, name: str, password: str) -> bool:
        """Whether the password is right. Takes about 0.1 s."""
        try:
            # a name that nobody has costs the same time as one that somebody has
            HASHER.verify(self._hashes.get(name) or _nobody(), password)
        except (Argon2Error, InvalidHashError):
            return False
        return name in self._hashes

    def welcomes(self, name: str, address: str) -> None:
        """The password was right: this and earlier attempts are forgotten."""
        self._tried.pop(("name", name), None)
        if tried := self._tried.get(("address", address)):
            tried.pop()

    def session(self, datasette: Any, name: str, now: float) -> str:
        """The value of the cookie for somebody who has logged in; now in seconds since 1970."""
        content = [name, int(now + SESSION.total_seconds()), self._mark(name)]
        return str(datasette.sign(content, COOKIE))

    def user(self, datasette: Any, cookie: str, now: float) -> str | None:
        """Whose session a cookie is: signed by us, not too old, of this user and password."""
        try:
            name, ends, mark = datasette.unsign(cookie, COOKIE)
        except (BadSignature, TypeError, ValueError):
            return None
        holds = name in self._hashes and mark == self._mark(name) and now < ends
        return str(name) if holds else None

    def _mark(self, name: str) -> str:
        """Another one when the password is another."""
        return sha256(self._hashes[name].encode()).hexdigest()[:16]


@cache
def _nobody() -> str:
    return hashed("nobody has this password, as nobody has this name")


def proxied_name(web: Web, headers: Mapping[str, str], peer: str) -> str | None:
    """Who has logged in, as a trusted proxy says."""
    if web.proxy_auth_header is None or peer not in web.trusted_proxies:
        return None
    return headers.get(web.proxy_auth_header.lower()) or None


def address_of(web: Web, headers: Mapping[str, str], peer: str) -> str:
    """Where an attempt to log in comes from: behind a proxy, whom that proxy names last."""
    if web.url is None or peer not in web.trusted_proxies:
        return peer
    return headers.get("x-forwarded-for", "").rpartition(",")[2].strip()[:60] or peer


def known_host(web: Web, host: str) -> bool:
    """Whether a Host header names this server: a page elsewhere cannot pretend to be it.

    Addresses in digits always pass, names only if they are ours: whoever points a name of theirs
    at this machine (DNS rebinding) is refused.
    """
    try:
        name = (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return False
    ours = {"localhost", web.host.lower()}
    if web.url:
        ours.add(urlsplit(web.url).hostname or "")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in ours
    return True


def own_origin(web: Web, headers: Mapping[str, str]) -> bool:
    """Whether a POST was sent by a page of this server, beside the CSRF token in the form."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc == headers.get("host") or (
        web.url is not None and origin == web.url.rstrip("/")
    )


def from_elsewhere(headers: Mapping[str, str]) -> bool:
    """Whether a browser fetches something into a page of another site, without being led here.

    So no page elsewhere can make a visitor's browser run SQL, or show our pictures. Programs that
    are no browsers send no such headers.
    """
    if headers.get("sec-fetch-site", "none") in ("same-origin", "none"):
        return False
    return headers.get("sec-fetch-mode") != "navigate" or headers.get("sec-fetch-dest") in (
        "iframe", "frame", "embed", "object",
    )  # fmt: skip


def safe_path(path: str) -> str:
    """Where to go after the login: a path of this server, never another address."""
    if not path.startswith("/") or path.startswith(("//", "/\\")) or any(c < " " for c in path):
        return "/"
    return path
