"""The server in this process on a small law firm, and visitors who may log in."""

from __future__ import annotations

import asyncio
import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from sentiment import database
from sentiment.config import Config
from sentiment.match import match
from sentiment.rollup import rollup
from sentiment.score import score
from sentiment.store import store_page
from sentiment.web import server
from sentiment.web.access import HASHER
from sources.base import Post
from tests.sentiment.firm import WordClassifier, firm, page

PASSWORD = "Efeu und Birke"
USERS = [{"name": name, "password": HASHER.hash(PASSWORD)} for name in ("anna", "bert")]


class Visitor:
    """Somebody with a browser that keeps cookies and follows no redirect by itself."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._cookies = httpx.Cookies()

    def _send(self, method: str, path: str, **values: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(
                transport=transport,
                base_url="http://localhost",
                cookies=self._cookies,
                headers={"accept-language": "en"},
            ) as client:
                answer = await client.request(method, path, **values)
                self._cookies = client.cookies
                return answer

        return asyncio.run(send())

    def get(self, path: str) -> httpx.Response:
        return self._send("GET", path)

    def post(self, path: str, *, forged: bool = False, **fields: str) -> httpx.Response:
        """Send a form as our own pages do; forged: without the token that they hold."""
        if not forged:
            token = re.search(r'name="csrftoken" value="([^"]+)"', self.get("/login").text)
            assert token
            fields["csrftoken"] = token[1]
        return self._send("POST", path, data=fields)

    def log_in(self, name: str = "anna") -> Visitor:
        assert self.post("/login", name=name, password=PASSWORD).status_code == 302
        return self

    def said(self, path: str) -> str:
        """What is written on a page: without tags, entities resolved."""
        text = re.sub(r"<[^>]*>", " ", self.get(path).text)
        return " ".join(html.unescape(text).split())


def days_ago(days: float) -> datetime:
    """Noon some days before today."""
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return noon - timedelta(days=days)


def say(number: int, text: str, days: float = 1, **values: Any) -> Post:
    return Post(external_id=str(number), text=text, posted_at=days_ago(days), **values)


def tell(config: Config, db: Any, posts: list[Post], source: int = 2) -> None:
    """Let posts go the worker's whole way; source 2 is the firm's own review page."""
    store_page(db, source, page(*posts), str, config.zone)
    match(config, db)
    score(db, WordClassifier())
    rollup(db)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return firm(tmp_path, web={"users": USERS}, timezone="UTC")


@pytest.fixture
def db(config):
    with database.open_database(config) as opened:
        yield opened


@pytest.fixture
def app(config, db):
    return server.build(config, config.folder / "config.toml").app()


@pytest.fixture
def visitor(app) -> Visitor:
    return Visitor(app)
