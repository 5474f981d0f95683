"""A server in this process, and requests to it with any header from any address."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx

from sentiment import database
from sentiment.config import Config
from sentiment.match import match
from sentiment.privacy import pseudonym, pseudonym_key
from sentiment.rollup import rollup
from sentiment.score import score
from sentiment.store import store_page
from sentiment.web import server
from sources.base import Post
from tests.sentiment.firm import WordClassifier, firm, page

PASSWORD = "Efeu und Birke"
# what hashed() gave for PASSWORD; making one for each test would take the time of all the tests
HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$JFOvmy0iF+3M1vuUullrrQ$"
    "ho+gdKNdfrFjU3niJ1CW6m7VQOai3G+Dnb3QHWo4law"
)


class Asking:
    """Requests to a server; cookies are kept, redirects are not followed."""

    def __init__(self, app: Any, base: str = "http://localhost", peer: str = "192.0.2.7") -> None:
        self._app = app
        self.base = base
        self.peer = peer
        self.cookies = httpx.Cookies()

    async def asks(self, method: str, path: str, **values: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self._app, client=(self.peer, 4711))
        async with httpx.AsyncClient(
            transport=transport, base_url=self.base, cookies=self.cookies, timeout=60
        ) as client:
            answer = await client.request(method, path, **values)
            self.cookies = client.cookies
            return answer

    def get(self, path: str, **headers: str) -> httpx.Response:
        return asyncio.run(self.asks("GET", path, headers=named(headers)))

    def token(self) -> str:
        found = re.search(r'name="csrftoken" value="([^"]+)"', self.get("/login").text)
        assert found
        return found[1]

    def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """Send a form as our own pages do."""
        fields = {"csrftoken": self.token(), **fields}
        return asyncio.run(self.asks("POST", path, data=fields, headers=named(headers)))

    def log_in(self, name: str = "anna", password: str = PASSWORD, **headers: str) -> int:
        fields = {"name": name, "password": password}
        return self.post("/login", fields, **headers).status_code


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def users(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "password": HASH} for name in names]


def filled(config: Config, *posts: Post) -> None:
    """The way of a post, from its source to the figures."""
    with database.open_database(config) as db:
        key = pseudonym_key(config)
        store_page(db, 1, page(*posts), lambda name: pseudonym(key, "1", name), config.zone)
        match(config, db)
        score(db, WordClassifier())
        rollup(db)


def served(folder: Path, *, base: str = "http://localhost", **changes: Any) -> Asking:
    """A firm's server; `changes` of its configuration."""
    config = firm(folder, **changes)
    return Asking(server.build(config, folder / "config.toml").app(), base)
