"""The backtest on a real database: it says what would have been told, and writes nothing."""

from datetime import timedelta

import numpy as np
import pytest

from sentiment.alert import alert
from sentiment.backtest import backtest
from sentiment.database import rows, timestamp
from sentiment.rollup import rollup
from tests.sentiment.firm import firm
from tests.sentiment.test_alert import answers, firing, reason
from tests.sentiment.voices import START, live

DAY = timedelta(days=1)
KEYS = ["service", "rule", "subject", "onset_at", "alarm_at", "ended_at", "ending", "why"]
GOOD = (0.1, 0.2, 0.7)  # shares of detractors, passives, promoters
BAD = (0.7, 0.2, 0.1)


pytestmark = pytest.mark.usefixtures("few_streams")


def ask(db, first, days, shares, *, segment="A", service=1, a_day=4):
    """Days of NPS answers from day number `first` on; returns the evening after the last."""
    rng = np.random.default_rng(first)
    for day in range(first, first + days):
        at = START + day * DAY
        for number in range(a_day):
            value = float(rng.choice([3, 7, 10], p=shares))
            db.execute(
                "INSERT INTO survey_responses (survey, external_id, service_id, segment, metric, "
                "value, scale_low, scale_high, answered_at, day) "
                "VALUES ('s', ?, ?, ?, 'nps', ?, 0, 10, ?, ?)",
                [f"{service}-{segment}-{day}-{number}", service, segment, value, timestamp(at),
                 at.date().isoformat()],
            )  # fmt: skip
    rollup(db)
    return START + (first + days - 1) * DAY + timedelta(hours=13)


def told(db):
    """What the alert stage told of surveys: when each alarm began and when it ended."""
    found = rows(
        db,
        "SELECT a.subject, t.to_state, t.happened_at, t.reason FROM alert_transitions t "
        "JOIN alerts a ON a.id = t.alert_id WHERE a.rule = 'survey' "
        "AND t.to_state IN ('firing', 'resolved') ORDER BY t.id",
    )
    return {tuple(row.values()) for row in found}


def replayed(found):
    """The same of a backtest."""
    alarms = [row for row in found if row["rule"] == "survey"]
    said = {(row["subject"], "firing", row["alarm_at"], row["why"]) for row in alarms}
    ended = [row for row in alarms if row["ended_at"]]
    return said | {(row["subject"], "resolved", row["ended_at"], row["ending"]) for row in ended}


def test_a_backtest_lists_the_drops_that_were(config, db, soured):
    """With their baseline and dates; while it lasted, no other rule speaks."""
    (found,) = backtest(config, db, soured)
    assert found["rule"] == "drop"
    assert (found["service"], found["ending"]) == ("Arbeitsrecht", "")
    assert found["onset_at"] >= "2026-04-13"


def test_a_backtest_lists_what_the_plainer_rules_would_have_said(config, db):
    """When they would have fired, when they would have ended, and why."""
    live(db, 0, 60)
    live(db, 60, 2, a_day=30)
    now = live(db, 62, 20)
    (found,) = [row for row in backtest(config, db, now) if row["rule"] == "volume"]
    assert found["alarm_at"][:10] in {"2026-03-06", "2026-03-07"}
    assert found["alarm_at"] < found["ended_at"] < timestamp(now)
    assert "authors in 2 days, usually" in found["why"]
    assert firing(db, "volume") == []  # nothing is written


def test_a_backtest_agrees_with_what_was_told(config, db, soured):
    """The drop of the backtest is the one that fired."""
    (found,) = backtest(config, db, soured)
    assert reason(db, "firing").endswith("April 2026")
    assert found["alarm_at"] <= timestamp(soured)


def test_a_backtest_says_of_surveys_what_daily_passes_told(tmp_path, db):
    """Each day was judged by the answers up to that day: the same alarms, ends and reasons."""
    off = {"enabled": False}
    config = firm(tmp_path, alerts={"volume": off, "emotion": off, "repeat": "300d",
                                    "survey": {"window": "7d"}})  # fmt: skip
    live(db, 0, 1)
    for day in range(60):
        now = ask(db, day, 1, BAD if 35 <= day < 42 else GOOD, a_day=8)
        alert(config, db, now=now)
    found = backtest(config, db, now)
    assert replayed(found) == told(db)
    assert {subject for subject, *_ in told(db)} == {"nps", "nps A"}
    assert {state for _, state, *_ in told(db)} == {"firing", "resolved"}


def test_a_survey_alarm_of_the_backtest_has_a_row_of_its_own(config, db):
    """The service's and the class's, which is of no service, with the keys of every row."""
    ask(db, 0, 100, GOOD)
    now = ask(db, 100, 20, BAD)
    of_service, of_class = sorted(backtest(config, db, now), key=lambda row: row["subject"])
    assert list(of_service) == list(of_class) == KEYS
    assert (of_service["service"], of_service["subject"]) == ("Arbeitsrecht", "nps")
    assert (of_class["service"], of_class["subject"]) == (None, "nps A")
    assert of_service["why"].startswith("NPS fell from ")
    assert of_service["onset_at"] is of_service["ended_at"] is None
    assert rows(db, "SELECT * FROM alerts") == []  # nothing is written


def test_settings_that_are_tried_count_for_surveys(tmp_path, config, db):
    """Ten standard errors are seldom seen; a rule or a service that is off says nothing."""
    ask(db, 0, 100, GOOD)
    now = ask(db, 100, 20, BAD)
    one_off = {"services": [{"service": "Arbeitsrecht", "enabled": False}]}
    for alerts, subjects in (
        ({}, ["nps", "nps A"]),
        ({"survey": {"segments": []}}, ["nps"]),
        ({"survey": {"z": 10}}, []),
        ({"survey": {"enabled": False}}, []),
        (one_off, ["nps A"]),
    ):
        found = backtest(firm(tmp_path, alerts=alerts), db, now)
        assert sorted(row["subject"] for row in found) == subjects


def test_a_drop_does_not_keep_a_survey_alarm_still(config, db, soured):
    """Surveys are another witness: both are listed, as both would be told."""
    answers(db, soured, 9, 40, ago=60)
    answers(db, soured, 5, 40, ago=5)
    alert(config, db, now=soured)
    assert firing(db, "survey") == ["nps", "nps A"]
    found = backtest(config, db, soured)
    assert sorted(row["rule"] for row in found) == ["drop", "survey", "survey"]


def test_an_alarm_older_than_the_history_is_not_listed(config, db):
    """Four hundred days are looked at, with the answers before them as their past."""
    ask(db, 0, 100, GOOD)
    now = ask(db, 100, 20, BAD)
    later = now + 395 * DAY
    assert {row["rule"] for row in backtest(config, db, later)} == {"survey"}
    assert backtest(config, db, now + 480 * DAY) == []
