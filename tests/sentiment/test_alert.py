"""The alert stage on a real database: when it fires, why, and when it keeps still."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from sentiment import alert as stage
from sentiment import detection, drop
from sentiment.alert import acknowledge, alert, listed, plan, silence
from sentiment.database import get_state, open_database, rows, set_state, timestamp
from sentiment.reasons import why
from sentiment.rollup import rollup
from tests.sentiment.firm import firm
from tests.sentiment.voices import MODEL, PAST, SOUR, all_read, live, say, score

DAY = timedelta(days=1)


pytestmark = pytest.mark.usefixtures("few_streams")


def states(db, rule="drop", service=1):
    found = rows(
        db,
        "SELECT t.to_state FROM alert_transitions t JOIN alerts a ON a.id = t.alert_id "
        "WHERE a.rule = ? AND a.service_id IS ? ORDER BY t.id",
        rule,
        service,
    )
    return [row["to_state"] for row in found]


def reason(db, state, rule="drop"):
    return rows(
        db,
        "SELECT t.reason FROM alert_transitions t JOIN alerts a ON a.id = t.alert_id "
        "WHERE a.rule = ? AND t.to_state = ? AND ifnull(a.service_id, 1) = 1 "
        "ORDER BY t.id DESC LIMIT 1",
        rule,
        state,
    )[0]["reason"]


def test_a_drop_fires_once_with_its_reason(config, db, soured):
    """ok → pending → firing; the next pass has nothing to add."""
    assert states(db) == ["pending", "firing"]
    assert reason(db, "firing").startswith("valence fell from +0.")
    assert alert(config, db, now=soured + timedelta(minutes=5)) == 0


def test_the_explanation_has_everything_a_message_needs(config, db, soured):
    """How far, since when, how sure, emotion, posts, sources, and what it hangs on."""

    (row,) = rows(db, "SELECT detail FROM alert_transitions WHERE to_state = 'firing'")
    facts = json.loads(row["detail"])
    assert facts["since"] in {"2026-04-14", "2026-04-15", "2026-04-16"}
    assert facts["before"] > 0 > facts["after"]
    assert facts["years_between"] >= 1
    assert facts["emotion"]["name"] == "anger"
    assert len(facts["mentions"]) == 3
    assert facts["sources"] == [{"name": "forum", "share": 100}]
    assert facts["without"] == {"author": True, "thread": True, "source": False}


def test_a_steady_service_never_leaves_ok(config, db):
    """Half a year of the usual, looked at every week, raises nothing."""
    for month in range(6):
        alert(config, db, now=live(db, 30 * month, 30, seed=3))
    assert set(states(db)) <= {"no-data", "ok"}


def test_the_end_of_a_drop_is_noticed(config, db, soured):
    """When the mentions are as before, the alert is resolved, and ok after a quiet day."""
    now = live(db, 107, 20)
    alert(config, db, now=now)
    assert states(db)[-1] == "resolved"
    assert reason(db, "resolved") == "the mentions are as they were before"
    alert(config, db, now=live(db, 127, 2))
    assert states(db)[-1] == "ok"


def test_the_level_stands_still_while_an_alert_fires(config, db, soured):
    """It is found anew each week before and after, so that an alert does not come and go with it."""

    def found():
        return json.loads(get_state(db, "alert level 1"))

    fired = found()
    alert(config, db, now=live(db, 107, 14, SOUR))
    assert states(db)[-1] == "firing"
    assert found() == fired
    alert(config, db, now=live(db, 121, 20))
    assert states(db)[-1] == "resolved"
    alert(config, db, now=live(db, 141, 8))
    assert found()["week"] != fired["week"]


def test_late_evidence_that_moves_a_little_ends_no_alert(config, db, soured):
    """Posts come late and weekdays are learnt anew: only evidence that is clearly gone ends it."""
    fired = soured - DAY
    seen = drop.assess(db, config, 1, MODEL, soured)
    for evidence, over in ((-1.0, None), (-3.0, why("no drop"))):
        watch = detection.Watch(score=evidence)
        told = drop.evidence(replace(seen, watch=watch), [], fired, config, soured)
        assert told.over == over


def test_a_drop_that_lasts_becomes_the_usual_state(config, db, soured):
    """After sixty days the alert ends, and the lower level raises none of its own."""
    alert(config, db, now=live(db, 107, 65, SOUR))
    assert reason(db, "resolved").startswith("the lower level has lasted")
    (row,) = rows(db, "SELECT detail, since_at FROM alerts WHERE rule = 'drop' AND service_id = 1")
    assert json.loads(row["detail"])["start_at"] == row["since_at"]  # no evidence from before
    alert(config, db, now=live(db, 172, 10, SOUR))
    assert "firing" not in states(db)[3:]


def test_restart_in_any_state_continues(config, db, soured):
    """Whoever opens the database next goes on where the last one was."""
    with open_database(config) as again:
        assert alert(config, again, now=soured + timedelta(minutes=1)) == 0
        assert listed(again)[0]["state"] == "firing"


def test_too_short_a_past_is_no_data(config, db):
    """Ten days are no baseline; the reason says so."""
    alert(config, db, now=live(db, 0, 10, SOUR))
    assert states(db) == ["no-data"]
    assert "to learn from" in reason(db, "no-data")


def test_a_source_outage_freezes(config, db):
    """While a source that matters is not read, nothing fires; then it does."""
    live(db, 0, 100)
    now = live(db, 100, 7, SOUR)
    db.execute("UPDATE sources SET last_success_at = ?", [timestamp(now - DAY)])
    alert(config, db, now=now)
    assert states(db) == ["no-data"]
    assert "not read at present: forum" in reason(db, "no-data")
    all_read(db, now)
    alert(config, db, now=now)
    assert states(db) == ["no-data", "ok", "pending", "firing"]


def test_a_source_outage_does_not_end_an_alert(config, db, soured):
    """Silence of a broken source is no recovery."""
    later = soured + 30 * DAY
    alert(config, db, now=later)
    assert states(db) == ["pending", "firing", "firing"]  # the reminder; no end


def test_a_source_without_a_share_is_no_outage(config, db):
    """A broken source that never said anything about the service does not hide a drop."""
    live(db, 0, 100)
    now = live(db, 100, 7, SOUR)
    db.execute("UPDATE sources SET disabled = 1 WHERE name = 'reviews'")
    alert(config, db, now=now)
    assert states(db)[-1] == "firing"


def test_nothing_is_said_before_every_source_was_read_once(config, db):
    """A first start does not judge by the source that was quickest; it writes nothing at all."""
    live(db, 0, 100)
    now = live(db, 100, 7, SOUR)
    db.execute("UPDATE sources SET last_attempt_at = NULL WHERE name = 'reviews'")
    alert(config, db, now=now)
    assert states(db) == []
    all_read(db, now)
    alert(config, db, now=now)
    assert states(db)[-1] == "firing"


def rescored(db, kind_of, model="m@2", only=lambda _number: True):
    set_state(db, "model", model)
    for row in rows(
        db, "SELECT m.id, p.posted_at FROM mentions m JOIN posts p ON p.id = m.post_id"
    ):
        if only(row["id"]):
            score(db, row["id"], kind_of(row), model)
    rollup(db)


def test_a_model_that_reads_everything_worse_never_fires(config, db):
    """Baseline and present are by the same model."""
    now = live(db, 0, 107)
    alert(config, db, now=now)
    rescored(db, lambda row: -1 if row["id"] % 3 else 0)
    alert(config, db, now=now + timedelta(minutes=1))
    assert "firing" not in states(db)


def test_a_model_that_sees_a_drop_in_the_past_does_not_fire_for_it(config, db):
    """What the old model did not object to is not held against anybody by the change."""
    now = live(db, 0, 107)
    alert(config, db, now=now)
    limit = timestamp(now - 7 * DAY)
    rescored(db, lambda row: -1 if row["posted_at"] > limit else 1)
    alert(config, db, now=now + timedelta(minutes=1))
    assert "firing" not in states(db)


def test_while_the_present_model_is_still_scoring_nothing_is_concluded(config, db):
    """A mixture of two models' scores is not judged."""
    live(db, 0, 100)
    now = live(db, 100, 7, SOUR)
    rescored(db, lambda _row: -1, only=lambda number: number > 300)
    alert(config, db, now=now)
    assert states(db) == ["no-data"]
    assert "present model" in reason(db, "no-data")


def test_posts_that_come_late_count_when_they_were_written(config, db, soured):
    """Good posts of the bad week arrive late: there was no drop."""
    for number in range(80):
        say(db, soured - timedelta(hours=2 * number), 1)
    rollup(db)
    alert(config, db, now=soured + timedelta(hours=2))
    assert states(db)[-1] == "resolved"


def test_one_author_is_one_voice_a_day(config, db):
    """Sixty angry posts of one person in two days are two voices."""
    now = live(db, 0, 107)
    for number in range(60):
        say(db, now - timedelta(minutes=40 * number), -1, author="angry")
    rollup(db)
    alert(config, db, now=now)
    assert "firing" not in states(db)


def test_copies_of_a_text_count_once(config, db):
    """A complaint that forty people paste is one voice."""
    now = live(db, 0, 107)
    first = say(db, now - DAY, -1)
    for number in range(40):
        say(db, now - timedelta(minutes=10 * number), -1, copy_of=first)
    rollup(db)
    alert(config, db, now=now)
    assert "firing" not in states(db)


def test_comments_of_surveys_are_no_public_voices(config, db):
    """They count beside NPS and CSAT, not in the public sentiment."""
    live(db, 0, 100)
    db.execute("UPDATE sources SET kind = 'survey' WHERE name = 'reviews'")
    alert(config, db, now=live(db, 100, 7, SOUR, source=2))
    assert "firing" not in states(db)


def test_the_other_service_keeps_still(config, db):
    """The alert is about the service that dropped."""
    live(db, 0, 100)
    live(db, 0, 107, service=2, seed=1)
    alert(config, db, now=live(db, 100, 7, SOUR))
    assert states(db)[-1] == "firing"
    assert "firing" not in states(db, service=2)


def test_a_reminder_follows_after_the_interval_unless_acknowledged(config, db, soured):
    """Once a week; an acknowledged alert is left alone."""
    all_read(db, soured + 8 * DAY)
    assert alert(config, db, now=soured + 8 * DAY) == 1
    assert states(db) == ["pending", "firing", "firing"]
    assert acknowledge(db, listed(db)[0]["id"], soured)
    alert(config, db, now=soured + 20 * DAY)
    assert states(db) == ["pending", "firing", "firing"]


def test_only_a_firing_alert_can_be_acknowledged(config, db, soured):
    """And the end of the alert ends the acknowledgement."""
    assert not acknowledge(db, 10_000, soured)
    number = listed(db)[0]["id"]
    assert acknowledge(db, number, soured)
    alert(config, db, now=live(db, 107, 20))
    assert not acknowledge(db, number, soured)
    assert rows(db, "SELECT acknowledged_at FROM alerts WHERE id = ?", number)[0] == {
        "acknowledged_at": None
    }


def test_silencing_an_unknown_service_is_refused(db, soured):
    """A misspelt name silences nothing."""
    assert not silence(db, "Arbeitsrcht", soured + DAY, "", soured)
    assert silence(db, "Arbeitsrecht", soured + DAY, "", soured)


def test_two_that_decide_at_once_write_one_transition(config, db, soured, monkeypatch):
    """The row is claimed by a guarded update."""
    row = dict(stage._row(db, "drop", 1, "", soured))
    steps = [("resolved", why("recovered"))]
    assert stage._claim(db, row, steps, row["detail"], soured)
    assert not stage._claim(db, row, steps, row["detail"], soured)


def test_a_switched_off_service_is_not_watched(tmp_path, config, db):
    """[[alerts.services]] enabled = false."""
    off = firm(tmp_path, alerts={"services": [{"service": "Arbeitsrecht", "enabled": False}]})
    live(db, 0, 100)
    now = live(db, 100, 7, SOUR)
    answers(db, now, 9, 40, ago=60)
    answers(db, now, 5, 40, ago=5)
    alert(off, db, now=now)
    assert states(db) == states(db, "survey") == []


def test_a_plan_knows_what_it_cannot_say(config, db, soured):
    """A service without posts has no expectation."""
    known, unknown = plan(config, db, soured, 40)
    assert known["days_to_detect"] < 60
    assert unknown == {"service": "Steuerberatung", "points": 40, "votes_a_day": None}


# -- the rules beside it --------------------------------------------------------------------------


def firing(db, rule):
    found = rows(
        db, "SELECT subject FROM alerts WHERE rule = ? AND state = 'firing' ORDER BY id", rule
    )
    return [row["subject"] for row in found]


def test_a_threshold_fires_below_and_ends_above(tmp_path, db):
    """Net sentiment of the window against a figure; off unless set."""
    config = firm(tmp_path, alerts={"threshold": {"below": 60}})
    now = live(db, 0, 50)
    alert(config, db, now=now)
    assert firing(db, "threshold") == [""]
    alert(config, db, now=live(db, 50, 20, (0, 0, 1)))
    assert firing(db, "threshold") == []
    alert(firm(tmp_path), db, now=now)
    assert firing(db, "threshold") == []


def test_many_more_voices_than_usual_are_told(config, db):
    """Volume: ten times as many in two days."""
    live(db, 0, 60)
    alert(config, db, now=live(db, 60, 2, a_day=30))
    assert firing(db, "volume") == [""]


def test_anger_that_rises_is_told_when_the_valence_does_not_fall(config, db):
    """Emotion: in half of the posts instead of a fifth."""
    live(db, 0, 60)
    now = live(db, 60, 14)
    db.execute("UPDATE emotions SET probability = 0.9 WHERE emotion = 'anger' AND mention_id IN "
               "(SELECT m.id FROM mentions m JOIN posts p ON p.id = m.post_id "
               "WHERE p.day >= '2026-03-07' AND m.id % 4 > 0)")  # fmt: skip
    db.execute("DELETE FROM daily_sentiment")
    rollup(db)
    alert(config, db, now=now)
    assert firing(db, "emotion") == ["anger"]


def test_a_drop_tells_what_the_plainer_rules_would(config, db, soured):
    """One service, one alert."""
    assert firing(db, "emotion") == firing(db, "volume") == []


def answers(db, now, value, n, ago, *, weight=1.0, people=None):
    """NPS answers of so many people; a different one each when none are given."""
    for number in range(n):
        at = now - timedelta(days=ago, minutes=number)
        db.execute(
            "INSERT INTO survey_responses (survey, external_id, service_id, segment, metric, value,"
            " scale_low, scale_high, answered_at, day, weight, respondent) "
            "VALUES ('s', ?, ?, ?, 'nps', ?, 0, 10, ?, ?, ?, ?)",
            [f"{ago}-{value}-{number}", 1, "A", value + number % 2, timestamp(at),
             at.date().isoformat(), weight, people and f"p{number % people}"],
        )  # fmt: skip


def test_nps_that_falls_is_told_for_the_service_and_the_class(config, db):
    """Promoters became detractors."""
    now = live(db, 0, 2)
    answers(db, now, 9, 40, ago=60)
    alert(config, db, now=now)
    assert firing(db, "survey") == []
    answers(db, now, 5, 40, ago=5)
    alert(config, db, now=now)
    assert firing(db, "survey") == ["nps", "nps A"]


def test_a_survey_falls_by_its_weighted_figure(config, db):
    """Many promoters of little weight do not outvote the detractors that the view shows."""
    now = live(db, 0, 2)
    answers(db, now, 9, 40, ago=60)
    answers(db, now, 9, 150, ago=5, weight=0.02)
    answers(db, now, 5, 10, ago=4)
    alert(config, db, now=now)
    assert firing(db, "survey") == ["nps", "nps A"]


def test_a_survey_of_too_few_people_is_not_judged(config, db):
    """Forty answers of four people: an alert would tell the figure that the views hide."""
    now = live(db, 0, 2)
    answers(db, now, 9, 40, ago=60)
    answers(db, now, 5, 40, ago=5, people=4)
    alert(config, db, now=now)
    assert firing(db, "survey") == []


def test_a_broken_source_is_told_and_its_return_too(config, db):
    """After ten minutes in which it stayed broken."""
    now = live(db, 0, 2)
    db.execute("UPDATE sources SET disabled = 1, last_error = 'r/x is private' WHERE id = 2")
    alert(config, db, now=now)
    assert firing(db, "source") == []
    alert(config, db, now=now + timedelta(minutes=11))
    assert firing(db, "source") == ["reviews"]
    assert "r/x is private" in reason(db, "firing", "source")
    db.execute("UPDATE sources SET disabled = 0")  # somebody has changed the configuration
    alert(config, db, now=now + timedelta(minutes=15))
    assert firing(db, "source") == ["reviews"]
    db.execute("UPDATE sources SET last_error = NULL")  # and it could be read
    alert(config, db, now=now + timedelta(minutes=20))
    assert firing(db, "source") == []


def test_a_duty_of_the_worker_that_fails_is_told_and_its_return_too(config, db):
    """Three times in a row, for ten minutes; once is nothing."""
    now = live(db, 0, 2)
    for failed in (1, 3):
        set_state(db, "job purge", json.dumps({"failed": failed, "error": "OSError: read-only"}))
        for minutes in (0, 11):
            alert(config, db, now=now + timedelta(minutes=minutes))
        assert firing(db, "source") == (["job purge"] if failed == 3 else [])
    assert reason(db, "firing", "source") == "failed 3 times: OSError: read-only"
    set_state(db, "job purge", json.dumps({"failed": 0, "error": ""}))
    alert(config, db, now=now + timedelta(minutes=20))
    assert reason(db, "resolved", "source") == "it works again"


def test_every_rule_can_be_set_for_one_service(tmp_path, db):
    """What is given for it counts for it; the rest, and the other services, are as for all."""
    own = {"service": "Steuerberatung", "threshold": {"below": 60}, "volume": {"enabled": False},
           "emotion": {"rise": 90}, "survey": {"z": 9}, "baseline": "30d"}  # fmt: skip
    config = firm(tmp_path, alerts={"volume": {"factor": 2}, "services": [own]})
    usual, changed = (config.alerts.of(s) for s in ("Arbeitsrecht", "Steuerberatung"))
    assert usual == config.alerts
    assert (changed.threshold.below, changed.emotion.rise, changed.survey.z) == (60, 90, 9)
    assert (changed.volume.enabled, changed.volume.factor) == (False, 2)
    assert (changed.baseline, changed.accept_after) == (30 * DAY, 60 * DAY)
    for service in (1, 2):
        live(db, 0, 50, service=service)
        now = live(db, 50, 2, a_day=30, service=service)
    alert(config, db, now=now)
    where = "SELECT rule, service_id FROM alerts WHERE state = 'firing' ORDER BY 1, 2"
    assert [tuple(row.values()) for row in rows(db, where)] == [("threshold", 2), ("volume", 1)]


def test_a_full_disk_is_told(tmp_path, config, db):
    """Less free than configured."""
    greedy = firm(tmp_path, alerts={"source": {"min_disk_gb": 1e9}})
    now = live(db, 0, 2)
    alert(greedy, db, now=now)
    alert(greedy, db, now=now + timedelta(minutes=11))
    assert firing(db, "source") == ["disk"]


def test_alerts_can_be_switched_off(tmp_path, db):
    """[alerts] enabled = false writes nothing."""
    live(db, 0, 100, PAST)
    assert alert(firm(tmp_path, alerts={"enabled": False}), db, now=live(db, 100, 7, SOUR)) == 0
    assert rows(db, "SELECT * FROM alerts") == []
