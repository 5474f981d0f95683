"""All adapters at once, with three answers in ten replaced by what services do on bad days."""

from __future__ import annotations

import random
import time
import tomllib
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from time_machine import travel

from sentiment.assemble import adapter
from sentiment.collect import collect_source
from sentiment.database import open_database, rows, timestamp
from sentiment.recheck import recheck_every, recheck_source
from sources import http
from sources.conformance import in_a_hurry
from sources.http import Client
from sources.registry import KINDS
from sources.testing import PROMISED, Answer, Asked, Limit, Server, json_answer
from tests.sentiment.firm import firm
from tests.sources.everyone import as_toml, entry, suites

if TYPE_CHECKING:
    from sentiment.config import Source

CHANCE = 0.3
READINGS = 40  # of each source, until everything must be there
LEAST = 4  # readings of each source, complete or not
HOUR = timedelta(hours=1)
STORM, CALM = 24 * HOUR, 26 * HOUR  # of the worker's time; the longest back-off is 12 hours
GROWS = 16 * HOUR  # so long, each service gets something new every other hour
UNITS = 75  # of YouTube's day in place of 10,000, so that they are used up
LOGINS = ("token", "Session")  # ends of the paths at which one logs in


@cache
def bomb() -> bytes:
    """A hundred million zeros, compressed."""
    press = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(press.compress(bytes(10**6)) for _ in range(100)) + press.flush()


FAULTS = {
    "429": lambda _: Answer(status=429, headers={"Retry-After": "0"}),
    "429 silent": lambda _: Answer(status=429),
    "500": lambda _: Answer(b"oops", status=500),
    "503": lambda _: Answer(status=503),
    "timeout": lambda good: replace(good, delay=600),
    "reset": lambda good: replace(good, reset=True),
    "truncated": lambda good: replace(good, cut=len(good.body) // 2),
    "garbage": lambda _: Answer(bytes(range(256)) * 4),
    "web page": lambda _: Answer(b"<!doctype html><title>Wartung</title>"),
    "wrong charset": lambda good: replace(
        good, headers={**good.headers, "Content-Type": "application/octet-stream; charset=utf-16"}
    ),
    "100 MB": lambda _: Answer(b"x" * 10**5, times=1000),
    "100 MB bomb": lambda _: Answer(bomb(), headers={"Content-Encoding": "gzip"}),
    "redirect loop": lambda _: Answer(status=302, headers={"Location": "?again"}),
}
GOOGLE_EXPIRED = json_answer({"error": {"code": 401, "status": "UNAUTHENTICATED"}}, 401)
EXPIRED = {  # as each service with logins that end says it
    "bluesky": json_answer({"error": "ExpiredToken", "message": "Token has expired"}, 400),
    "google_business": GOOGLE_EXPIRED,
    "googleplay": GOOGLE_EXPIRED,
    "reddit": json_answer(
        {"message": "Unauthorized"}, 401, WWW_Authenticate='Bearer error="invalid_token"'
    ),
}


@pytest.fixture
def services(monkeypatch):
    """A server for each kind, with the suite that knows it."""
    monkeypatch.setattr("sources.bluesky._sessions", {})
    with ExitStack() as stack:
        running = {kind: (suite, stack.enter_context(Server())) for kind, suite in suites().items()}
        for suite, server in running.values():
            suite.serve(server)
        yield running


@pytest.fixture
def clock(monkeypatch):
    """The time: it stands still, and whoever sleeps moves it on. Only sockets know the real one."""
    with travel(datetime.now(UTC), tick=False) as traveller:

        def sleep(seconds: float) -> None:
            traveller.shift(max(seconds, 0))

        monkeypatch.setattr(time, "sleep", sleep)
        monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=time.time, sleep=sleep))
        yield sleep


class Weather:
    """Spoils answers; which ones depends on the kind and on how often it was asked."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._asked: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.calm = False

    def spoil(self, kind: str, asked, good: Answer) -> Answer:
        self._asked[kind] += 1
        dice = random.Random(f"{kind} {self._seed} {self._asked[kind]}")
        if self.calm or dice.random() >= CHANCE:
            return good
        faults = {**FAULTS}
        if kind in EXPIRED and not asked.path.endswith(LOGINS):
            faults["expired"] = lambda _: EXPIRED[kind]
        name = dice.choice(sorted(faults))
        self.seen[name] += 1
        return faults[name](good)


def configured(folder, services, youtube=None, **common):
    entries = {kind: {**entry(kind, *service), **common} for kind, service in services.items()}
    entries["youtube"] |= youtube or {}
    return firm(folder, sources=list(entries.values()))


def offered(config, services, source: Source) -> dict[str, str]:
    """Every post the service has, by id; asked as if nobody had."""
    _, server = services[source.kind]
    with in_a_hurry() as client, unnoticed(server):
        pages = adapter(config, source, client).pages(None)
        return {post.external_id: post.text for page in pages for post in page.posts}


@contextmanager
def unnoticed(server: Server):
    spoil, server.spoil, known = server.spoil, lambda _asked, good: good, len(server.requests)
    yield
    server.spoil = spoil
    del server.requests[known:]


def stored(db, kind: str) -> list[tuple[str, str]]:
    sql = (
        "SELECT external_id, text FROM posts p JOIN sources s ON s.id = p.source_id "
        "WHERE s.kind = ? ORDER BY external_id"
    )
    return [(row["external_id"], row["text"]) for row in rows(db, sql, kind)]


# --- many threads, no waiting ---


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_every_post_is_stored_exactly_once(services, tmp_path, seed):
    """Whatever happens on the way, nothing offered is lost, doubled or garbled."""
    config, weather = configured(tmp_path, services), Weather(seed)
    expected = {source.kind: offered(config, services, source) for source in config.sources}
    for kind, (_, server) in services.items():
        server.spoil = partial(weather.spoil, kind)
    hurry = {"timeout": 0.5, "deadline": 5, "interval": 0, "backoff": 0.001, "pause": 0.01}
    with open_database(config) as db, Client(**hurry) as client, ThreadPoolExecutor(8) as pool:
        for turn in range(READINGS):
            due = config.sources if turn < LEAST else unfinished(config, db, expected)
            list(pool.map(partial(read, config, client), due))
        for kind, posts in expected.items():
            assert stored(db, kind) == sorted(posts.items()), kind


def read(config, client: Client, source: Source) -> None:
    """One reading, as the worker's job does it."""
    with open_database(config) as db:
        collect_source(config, db, client, source)


def unfinished(config, db, expected) -> list[Source]:
    """Sources of which posts are missing."""
    counts = {row["kind"]: (row["n"], row["success"]) for row in rows(
        db, "SELECT s.kind, count(p.id) AS n, s.last_success_at AS success FROM sources s "
            "LEFT JOIN posts p ON p.source_id = s.id GROUP BY s.id")}  # fmt: skip
    done = {kind for kind, (n, success) in counts.items() if success and n >= len(expected[kind])}
    return [source for source in config.sources if source.kind not in done]


# --- two days of the worker's own pace ---


@pytest.mark.slow
def test_no_service_is_asked_more_than_it_allows(services, tmp_path, clock):
    """Through a stormy day of the worker's life, with its own pauses, retries and back-offs.

    No limit that a service documents is exceeded, though each answer may be a fault; new posts
    come all the time, and afterwards all that were ever offered are stored, once. No storm
    disables a source or erases a post, and nobody takes a hundred megabytes.
    """
    config = configured(tmp_path, services, youtube={"quota": UNITS}, every="2h")
    weather = Weather(0)
    expected: dict[str, dict[str, str]] = {}
    for kind, (_, server) in services.items():
        server.spoil = partial(weather.spoil, kind)
    begun = datetime.now(UTC)
    with open_database(config) as db, Client(timeout=0.25, deadline=5) as client:
        worker = Life(config, db, client, clock)
        more = 0
        while datetime.now(UTC) < begun + STORM:
            if datetime.now(UTC) < begun + GROWS:
                more += 1
                for source in config.sources:
                    suite, server = services[source.kind]
                    suite.serve(server, more)
                    new = offered(config, services, source)
                    expected[source.kind] = {**expected.get(source.kind, {}), **new}
            worker.live(2 * HOUR)
        worker.look_again()
        weather.calm, over = True, timestamp(datetime.now(UTC))
        worker.live(CALM)
        for kind, posts in expected.items():
            assert stored(db, kind) == sorted(posts.items()), kind
        ill = "SELECT name, last_error FROM sources WHERE disabled OR last_success_at < ?"
        assert rows(db, ill, over) == []
        assert rows(db, "SELECT * FROM erasures") == []
    for kind, (suite, server) in services.items():
        limits = (*PROMISED, *suite.limits)
        if kind == "youtube":
            limits = (*PROMISED, replace(suite.limits[0], requests=UNITS))
        beyond = [limit.exceeded(server.requests) for limit in limits]
        assert not any(beyond), (kind, beyond)
        assert server.most_sent < 30_000_000, kind
    assert set(weather.seen) == {*FAULTS, "expired"}


class Life:
    """The worker's duties one after the other, each at the moment its row names."""

    def __init__(self, config, db, client: Client, sleep) -> None:
        self._config, self._db, self._client, self._sleep = config, db, client, sleep

    def live(self, span: timedelta) -> None:
        """So long of the worker's time."""
        sources = {source.name: source for source in self._config.sources}
        ends = datetime.now(UTC) + span
        while True:
            sql = "SELECT name, next_attempt_at AS at FROM sources WHERE NOT disabled ORDER BY at"
            row = rows(self._db, sql)[0]
            at = datetime.fromisoformat(row["at"]) if row["at"] else datetime.now(UTC)
            self._sleep((min(at, ends) - datetime.now(UTC)).total_seconds())
            if at > ends:
                return
            collect_source(self._config, self._db, self._client, sources[row["name"]])

    def look_again(self) -> None:
        """At all posts, as if they had been stored a year ago; until each source could be asked."""
        year_ago = timestamp(datetime.now(UTC) - timedelta(days=365))
        self._db.execute("UPDATE posts SET collected_at = ?", [year_ago])
        for source in self._config.sources:
            turns = READINGS if recheck_every(source) else 0
            while turns and recheck_source(self._config, self._db, self._client, source).error:
                self._sleep(HOUR.total_seconds())
                turns -= 1


def test_a_limit_allows_so_many_and_no_more():
    """The counter that judges: in any stretch of time, or on a day somewhere; others do not count."""
    at = [Asked("/a", "", {}, at=1000.0 + second) for second in (0, 1, 9.9, 10, 11)]
    assert Limit(3, 10).exceeded(at) == ""
    assert Limit(2, 10).exceeded(at) == "3 requests in 9.90 s"
    assert Limit(2, 10, lambda asked: asked.path == "/b").exceeded(at) == ""
    assert Limit(4, 0, zone="America/Los_Angeles").exceeded(at) == "5 requests on 1969-12-31"


def test_every_service_can_be_looked_at_by_hand(services, tmp_path):
    """What `python -m tests.sources.everyone` prints is a valid configuration of all services."""
    lines = [line for kind, service in services.items() for line in as_toml(entry(kind, *service))]
    config = firm(tmp_path, sources=tomllib.loads("\n".join(lines))["sources"])
    assert {source.kind for source in config.sources} == set(services)
    assert set(KINDS) - set(services) == {"file"}
