"""A source that can no longer be read: one message to the operator, and one when it is back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from time_machine import travel

from sentiment.collect import collect_source
from sentiment.database import open_database, rows
from sentiment.notify import notify
from sentiment.pipeline import process
from sources.conformance import in_a_hurry
from sources.testing import Answer, Server
from tests.sentiment.firm import WordClassifier, firm

FEED = (
    '<rss version="2.0"><channel><title>F</title><item><guid>1</guid>'
    "<title>Kanzlei Ahornhof: Arbeitsrecht gut</title></item></channel></rss>"
)
HOUR = timedelta(hours=1)


@pytest.fixture
def server():
    with Server() as running:
        running.script("/fine", Answer(FEED.encode()))
        running.script("/gone", Answer(b"", 410))
        running.script("/operator", Answer())
        running.script("/marketing", Answer())
        yield running


def company(tmp_path, server, path: str):
    sources = [
        {"name": "Forum", "kind": "rss", "url": server.url(path), "every": "1h"},
        {"name": "Presse", "kind": "rss", "url": server.url("/fine"), "every": "1h"},
    ]
    receivers = [
        {"name": who, "url": f"json://127.0.0.1:{server.port}/{who}", "tags": [who]}
        for who in ("operator", "marketing")
    ]
    private = [{**source, "allow_private_addresses": True} for source in sources]
    return firm(tmp_path, sources=private, receivers=receivers)


def live(config, clock, span: timedelta) -> None:
    """The worker's duties, every half hour."""
    ends = datetime.now(UTC) + span
    with open_database(config) as db, in_a_hurry() as client:
        while datetime.now(UTC) < ends:
            for source in config.sources:
                sql = "SELECT next_attempt_at, disabled FROM sources WHERE name = ?"
                row = rows(db, sql, source.name)[0]
                at = row["next_attempt_at"]
                if not row["disabled"] and (
                    at is None or datetime.fromisoformat(at) <= datetime.now(UTC)
                ):
                    collect_source(config, db, client, source)
            process(config, db, WordClassifier)
            notify(config, db)
            clock.shift(timedelta(minutes=30))


def asked(server, path: str) -> list:
    return [request for request in server.requests if request.path == path]


def test_a_disabled_source_is_told_once_and_harms_no_other(tmp_path, server):
    """However long it lasts, the operator hears of it once, with the sentence; nobody else does."""
    with travel(datetime.now(UTC), tick=False) as clock:
        live(company(tmp_path, server, "/gone"), clock, timedelta(days=5))
        (told,) = [json.loads(request.body) for request in asked(server, "/operator")]
        assert "Forum" in told["title"]
        assert "/gone ist endgültig verschwunden (410)" in told["message"]
        assert len(asked(server, "/gone")) == 1
        assert len(asked(server, "/fine")) > 70
        live(company(tmp_path, server, "/fine"), clock, 3 * HOUR)
        _, over = [json.loads(request.body) for request in asked(server, "/operator")]
        assert "Forum" in over["title"]
    assert asked(server, "/marketing") == []


def test_a_passing_fault_disables_nothing(tmp_path, server):
    """A server that is out of order for a night is tried again, and nobody is woken."""
    server.script("/night", Answer(status=503))
    with travel(datetime.now(UTC), tick=False) as clock:
        config = company(tmp_path, server, "/night")
        live(config, clock, 5 * HOUR)
        server.script("/night", Answer(FEED.encode()))
        live(config, clock, 12 * HOUR)
        with open_database(config) as db:
            health = rows(db, "SELECT disabled, error_count, last_error FROM sources")
    assert health == [{"disabled": 0, "error_count": 0, "last_error": None}] * 2
    assert asked(server, "/operator") == []
