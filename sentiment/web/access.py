"""Who may do what: passwords, sessions, attempts, and whether a request comes from our own pages.

Reading is free on this machine unless config.toml says otherwise; whatever changes something
needs a login. Sessions are Datasette's own signed cookie.
"""

from __future__ import annotations

import ipaddress
import time
from collections import defaultdict, deque
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sentiment.config import Web

# OWASP's second recommendation for Argon2id (19 MiB, two passes): a small machine can spare it
HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
SESSION = timedelta(hours=12)
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
        self._failed: dict[tuple[str, str], deque[float]] = defaultdict(deque)

    @property
    def has_users(self) -> bool:
        """Whether anybody has a password here."""
        return bool(self._hashes)

    def knows(self, name: str) -> bool:
        """Whether somebody of that name is (still) configured."""
        return name in self._hashes

    def wait(self, name: str, address: str) -> int:
        """Seconds until another attempt is heard; 0: now."""
        now = self._clock()
        longest = 0.0
        for key, most in ((("name", name), ATTEMPTS), (("address", address), 10 * ATTEMPTS)):
            failed = self._failed.get(key, deque())
            while failed and failed[0] <= now - WINDOW:
                failed.popleft()
            if not failed:
                self._failed.pop(key, None)
            elif len(failed) >= most:
                longest = max(longest, failed[-most] + WINDOW - now)
        return int(longest) + (longest > 0)

    def opens(self, name: str, password: str, address: str) -> bool:
        """Whether the password is right; a wrong one is remembered. Takes about 0.1 s."""
        try:
            # a name that nobody has costs the same time as one that somebody has
            HASHER.verify(self._hashes.get(name) or _nobody(), password)
        except (Argon2Error, InvalidHashError):
            now = self._clock()
            self._failed["name", name].append(now)
            self._failed["address", address].append(now)
            return False
        self._failed.pop(("name", name), None)
        return name in self._hashes


@cache
def _nobody() -> str:
    return hashed("nobody has this password, as nobody has this name")


def session(datasette: Any, name: str, now: float) -> str:
    """The value of Datasette's cookie `ds_actor` for somebody who has logged in."""
    from datasette.utils.baseconv import base62

    expires = base62.encode(int(now + SESSION.total_seconds()))
    return str(datasette.sign({"a": {"id": name}, "e": expires}, "actor"))


def proxied_name(web: Web, headers: Mapping[str, str], peer: str) -> str | None:
    """Who has logged in, as a trusted proxy says."""
    if web.proxy_auth_header is None or peer not in web.trusted_proxies:
        return None
    return headers.get(web.proxy_auth_header.lower()) or None


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


def safe_path(path: str) -> str:
    """Where to go after the login: a path of this server, never another address."""
    if not path.startswith("/") or path.startswith(("//", "/\\")) or any(c < " " for c in path):
        return "/"
    return path
