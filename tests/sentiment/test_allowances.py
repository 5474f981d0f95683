"""The laws of allowances, in memory and in the database."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from time_machine import travel

from sentiment import database
from sentiment.allowances import Counted
from sentiment.collect import collect_source
from sentiment.recheck import recheck_source
from sources.allowances import Remembered, of, step
from sources.conformance import in_a_hurry
from sources.testing import Server, json_answer
from tests.sentiment.firm import firm
from tests.sources import test_youtube as youtube

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(params=["memory", "database"])
def allowances(request, db):
    return Remembered() if request.param == "memory" else Counted(db)


def test_no_more_is_taken_than_allowed(allowances):
    """Each taking says what is left; after the last one there is none."""
    with travel(NOON, tick=False):
        taken = [allowances.take("a", NOON - DAY, 3) for _ in range(5)]
        assert taken == [2, 1, 0, None, None]
        assert allowances.take("b", NOON - DAY, 3) == 2


def test_a_window_slides(allowances):
    """What was taken long enough ago is free again: never more than allowed in any such stretch."""
    taken: list[datetime] = []
    with travel(NOON, tick=False) as clock:
        for minute in range(0, 600, 7):
            clock.move_to(NOON + timedelta(minutes=minute))
            now = datetime.now(UTC)
            while allowances.take("a", now - timedelta(hours=1), 10) is not None:
                taken.append(now)
    assert len(taken) > 50
    for first, eleventh in zip(taken, taken[10:], strict=False):
        assert eleventh - first > timedelta(hours=1)


def test_what_a_service_calls_used_up_is_used_up(allowances):
    """Until its own time; using up twice is using up once."""
    with travel(NOON, tick=False) as clock:
        allowances.take("a", NOON, 100)
        allowances.use_up("a", NOON, 100)
        allowances.use_up("a", NOON, 100)
        assert allowances.take("a", NOON, 100) is None
        clock.shift(DAY)
        assert allowances.take("a", NOON + DAY, 100) == 99


def test_two_at_once_do_not_take_the_same_one(config, db):
    """Threads with connections of their own share what is left."""
    left = []

    def take() -> None:
        with database.open_database(config) as own:
            counted = Counted(own)
            left.extend([counted.take("a", NOON, 30) for _ in range(10)])

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each for each in left if each is not None) == list(range(30))


def test_a_name_tells_no_secret(db):
    """Keys are told apart by a fingerprint, and only that is stored."""
    assert of("youtube", "AIzaSecret") != of("youtube", "AIzaOther")
    Counted(db).take(of("youtube", "AIzaSecret"), NOON, 5)
    (row,) = database.rows(db, "SELECT name, used FROM allowances")
    assert "AIza" not in row["name"]
    assert step(NOON + timedelta(minutes=4)) == NOON


def test_units_are_shared_by_sources_and_second_looks(tmp_path):
    """Two YouTube sources with one key, and looking again, draw on the same units after a restart."""
    with Server() as server, in_a_hurry() as client:
        youtube.Service(server, [youtube.thread("a", 1)])
        keys = {"kind": "youtube", "api_key": youtube.KEY, "accept_terms": True, "quota": 4}
        keys |= {"videos": [youtube.VIDEO], "api": server.url(""), "allow_private_addresses": True}
        config = firm(tmp_path, sources=[{"name": name, **keys} for name in ("one", "two")])
        one, two = config.sources
        read = []
        for source in (one, two):
            with database.open_database(config) as db:
                read.append(collect_source(config, db, client, source))
        with database.open_database(config) as db:
            db.execute("UPDATE posts SET collected_at = '2026-01-01T00:00:00+00:00'")
            assert recheck_source(config, db, client, one).error == ""
            assert recheck_source(config, db, client, two).error == ""
            last = collect_source(config, db, client, two)
    assert [result.quota for result in read] == [
        "3 of 4 units left today",
        "2 of 4 units left today",
    ]
    assert "used up" in last.error
    assert len(server.requests) == 4


def test_stack_exchange_is_asked_no_more_than_a_day_allows(tmp_path):
    """Without a key three hundred requests go out in 24 hours, whatever fails on the way."""
    with Server() as server, in_a_hurry() as client:
        server.script("/2.3/search/advanced", json_answer({"error_id": 500}, 503))
        keys = {"site": "law", "tags": ["germany"], "api_url": server.url()}
        keys |= {"name": "law", "kind": "stackexchange", "allow_private_addresses": True}
        config = firm(tmp_path, sources=[keys])
        with database.open_database(config) as db, travel(NOON, tick=False) as clock:
            for _ in range(302):
                last = collect_source(config, db, client, config.sources[0])
                clock.shift(60)
            assert "used up" in last.error
            assert len(server.requests) == 300
            clock.shift(timedelta(hours=19, minutes=5))
            collect_source(config, db, client, config.sources[0])
            assert len(server.requests) == 301
