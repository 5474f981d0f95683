"""All adapters at once, with three answers in ten replaced by what services do on bad days."""

from __future__ import annotations

import random
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import prawcore.sessions
import pytest

from sentiment.collect import collect_source
from sentiment.database import open_database, rows
from sources.base import Context
from sources.conformance import in_a_hurry
from sources.http import Client
from sources.registry import adapter
from sources.testing import Answer, Server
from tests.sentiment.firm import firm
from tests.sources.everyone import as_toml, entry, suites

if TYPE_CHECKING:
    from sentiment.config import Source

CHANCE = 0.3
ROUNDS = 40  # readings until everything must be there; the worker takes ten hours for as many
LEAST = 4  # readings of each source, complete or not
MAX_BYTES = 300_000  # in place of ten million, so that too large a body is quickly made
MOST_ASKED = 100  # requests in one reading; Reddit allows that many a minute, others more
FAULTS = {
    "429": lambda _: Answer(status=429, headers={"Retry-After": "0"}),
    "429 silent": lambda _: Answer(status=429),
    "500": lambda _: Answer(b"oops", status=500),
    "503": lambda _: Answer(status=503),
    "timeout": lambda good: replace(good, delay=0.6),
    "reset": lambda good: replace(good, reset=True),
    "truncated": lambda good: replace(good, cut=len(good.body) // 2),
    "garbage": lambda _: Answer(bytes(range(256)) * 4),
    "web page": lambda _: Answer(b"<!doctype html><title>Wartung</title>"),
    "wrong charset": lambda good: replace(
        good, headers={**good.headers, "Content-Type": "application/octet-stream; charset=utf-16"}
    ),
    "too large": lambda _: Answer(b"x" * 2 * MAX_BYTES),
    "redirect loop": lambda _: Answer(status=302, headers={"Location": "?again"}),
    "expired": lambda _: Answer(b'{"error": "ExpiredToken"}', status=401),
}


@pytest.fixture
def services(monkeypatch):
    """A server for each kind, and its entry in config.toml."""
    monkeypatch.setattr(prawcore.sessions.time, "sleep", lambda _seconds: None)
    with ExitStack() as stack:
        running = {}
        for kind, suite in suites().items():
            server = stack.enter_context(Server())
            suite.serve(server)
            running[kind] = (suite, server, entry(kind, suite, server))
        yield running


def offered(source: Source, folder) -> dict[str, str]:
    """Every post the service has, by id."""
    with in_a_hurry(5) as client:
        context = Context(client, folder, allow_private_addresses=True)
        pages = adapter(source.kind)(source.settings, context).pages(None)
        return {post.external_id: post.text for page in pages for post in page.posts}


def spoilt(kind: str, seed: int, seen: Counter, asked: object, good: Answer) -> Answer:
    """The answer, or a fault; which one depends on the kind and on how often it was asked."""
    seen[kind] += 1
    dice = random.Random(f"{kind} {seed} {seen[kind]}")
    return FAULTS[dice.choice(sorted(FAULTS))](good) if dice.random() < CHANCE else good


def read(config, source: Source) -> None:
    """One reading, as the worker does it."""
    with (
        Client(timeout=0.3, deadline=1, interval=0, backoff=0.001, pause=0.01, max_bytes=MAX_BYTES)
        as client,
        open_database(config) as db,
    ):  # fmt: skip
        collect_source(config, db, client, source)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_every_post_is_stored_exactly_once(services, tmp_path, seed):
    """Whatever happens on the way, nothing offered is lost, doubled or garbled."""
    config = firm(tmp_path, sources=[made for _, _, made in services.values()])
    expected = {source.kind: offered(source, tmp_path) for source in config.sources}
    seen = Counter()
    for kind, (suite, server, _) in services.items():
        suite.serve(server)
        server.spoil = partial(spoilt, kind, seed, seen)
    with open_database(config) as db, ThreadPoolExecutor(4) as pool:
        for turn in range(ROUNDS):
            before = Counter(seen)
            due = config.sources if turn < LEAST else unfinished(config, db, expected)
            list(pool.map(partial(read, config), due))
            assert max((seen - before).values(), default=0) <= MOST_ASKED
        stored = rows(db, "SELECT s.kind, external_id, text FROM posts p "
                          "JOIN sources s ON s.id = p.source_id")  # fmt: skip
    for kind, posts in expected.items():
        found = [(row["external_id"], row["text"]) for row in stored if row["kind"] == kind]
        assert sorted(found) == sorted(posts.items()), kind


def unfinished(config, db, expected) -> list[Source]:
    """Sources of which posts are missing."""
    counts = {row["kind"]: (row["n"], row["success"]) for row in rows(
        db, "SELECT s.kind, count(p.id) AS n, s.last_success_at AS success FROM sources s "
            "LEFT JOIN posts p ON p.source_id = s.id GROUP BY s.id")}  # fmt: skip
    done = {kind for kind, (n, success) in counts.items() if success and n >= len(expected[kind])}
    return [source for source in config.sources if source.kind not in done]


def test_every_service_can_be_looked_at_by_hand(services, tmp_path):
    """What `python -m tests.sources.everyone` prints is a valid configuration of all services."""
    lines = [line for _, _, made in services.values() for line in as_toml(made)]
    config = firm(tmp_path, sources=tomllib.loads("\n".join(lines))["sources"])
    assert {"reddit", "mastodon", "bluesky", "hackernews", "stackexchange"} <= {
        source.kind for source in config.sources
    }
