"""What the rule "survey" sees: the figures of the views, at any moment, and of people enough."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from sentiment.database import count, rows
from sentiment.rollup import rollup
from sentiment.schema.survey_views import figures
from sentiment.survey_rule import Answers
from tests.sentiment.firm import firm
from tests.sentiment.test_survey_views import answer

DAY = timedelta(days=1)
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
SCALES = {"nps": [(0, 10)], "csat": [(1, 5), (0, 100)], "ces": [(1, 7)]}
WINDOW = ("day > :after AND day <= :until AND metric = :metric "
          "AND scale_low = :scale_low AND scale_high = :scale_high AND ")  # fmt: skip


@pytest.fixture
def many(db):
    """Two hundred days of answers: scales, weights, classes, the company, named and unnamed."""
    rng = np.random.default_rng(5)
    for _ in range(2500):
        metric = str(rng.choice(list(SCALES)))
        low, high = SCALES[metric][rng.integers(len(SCALES[metric]))]
        answer(
            db, metric, float(rng.integers(low, high + 1)), scale=(low, high),
            day=str(NOW.date() - int(rng.integers(200)) * DAY),
            service=[1, 2, None][rng.integers(3)], segment=["A", "B", None][rng.integers(3)],
            weight=float(rng.choice([0.5, 1, 2])), respondent=[None, f"p{rng.integers(40)}"][
                rng.integers(2)],
        )  # fmt: skip
    return db


def windows(db, config):
    """Some windows by subject and scale: days, and the same from the answers themselves."""
    found = Answers(db, config, NOW - 80 * DAY, NOW)
    for whose, scales in found._asked.items():
        column = "service_id" if whose[0] else "segment"
        for asked in scales:
            for ago in range(0, 80, 7):
                until = NOW.date() - ago * DAY
                after = until - 28 * DAY
                days = (after.toordinal(), until.toordinal())
                values = asked.sums(*days) | {"after": str(after), "until": str(until)}
                sql = figures(f"{WINDOW} {column} = :whom")
                (raw,) = db.query(sql, values | {"whom": whose[0] or whose[1]})
                yield found, (whose, asked, *days), raw


def test_a_window_of_days_has_the_figures_of_its_answers(config, many, monkeypatch):
    """Before the roll-up, in the middle of it, and after: the same as from the answers."""
    for step in range(3):
        if step == 1:
            monkeypatch.setattr("sentiment.rollup.BATCH", 100)
            rollup(many, stopping=iter([False, False, True]).__next__)
            assert 0 < count(many, "SELECT count(*) FROM stale_survey_days") < 500
        if step == 2:
            rollup(many)
        compared = 0
        for found, (_, asked, *days), wanted in windows(many, config):
            got = found._figure(asked.sums(*days))
            for name in ("n", "mean", "low", "high"):
                assert got[name] == pytest.approx(wanted[name])
            compared += 1
        assert compared >= 9 * 12  # nps and two of csat, of two services and a class


def test_people_are_enough_exactly_when_so_many_answered(tmp_path, many):
    """Counted over days, though sums by day know only each day's."""
    rollup(many)
    said = set()
    for least in (5, 12, 20, 26):
        strict = firm(tmp_path, surveys={"min_responses": least})
        for found, window, wanted in windows(many, strict):
            assert found._enough(*window) == (wanted["people"] >= least)
            said.add(wanted["people"] >= least)
    assert said == {True, False}


def test_unlinked_answers_of_several_days_may_be_one_persons(config, db):
    """Names differ from day to day, so that only the people of one day are surely several."""
    for day in range(20):
        answer(db, "nps", 9, day=f"2026-06-{day + 1:02}", respondent=f"-{day}")
    assert _enough(db, config) == [False]
    for person in range(5):
        answer(db, "nps", 9, day="2026-06-21", respondent=f"-x{person}")
    assert _enough(db, config) == [True]


def _enough(db, config):
    rollup(db)
    last = date(2026, 6, 30).toordinal()
    found = Answers(db, config, NOW, NOW)
    return [found._enough((1, None), asked, last - 30, last) for asked in found._asked[1, None]]


def test_what_is_answered_after_a_moment_is_not_known_at_it(config, db):
    """A look at a day sees no later answer, though it was read with the others."""
    for number in range(30):
        answer(db, "nps", 9, day="2026-03-20", respondent=f"a{number}")
        answer(db, "nps", 9, day="2026-05-01", respondent=f"b{number}")
        answer(db, "nps", 2, day="2026-05-20", respondent=f"c{number}")
    found = Answers(db, config, NOW - 60 * DAY, NOW)
    levels = {}
    for day in ("2026-05-19", "2026-05-20"):
        at = datetime.fromisoformat(f"{day}T12:00:00+00:00")
        (seen,) = [s for s in found.look(at) if s.service == 1 and s.subject == "nps"]
        levels[day] = seen.evidence.level, seen.evidence.unknown
    assert levels == {"2026-05-19": ("quiet", None), "2026-05-20": ("alarm", None)}


def test_a_look_is_the_same_however_much_was_read_with_it(config, many):
    """What the worker sees now is what a backtest sees of this moment."""
    rollup(many)
    for ago in (0, 13, 50):
        at = NOW - ago * DAY
        alone = list(Answers(many, config, at, at).look(at))
        assert alone == list(Answers(many, config, NOW - 90 * DAY, NOW).look(at))
        assert any(seen.evidence.unknown is None for seen in alone)


def test_the_scale_most_used_lately_is_judged(config, db):
    """A figure is compared with that of the same scale."""
    for number in range(30):
        answer(db, "csat", 5, day="2026-04-20", respondent=f"a{number}")
        answer(db, "csat", 80, day="2026-04-20", respondent=f"a{number}", scale=(0, 100))
        answer(db, "csat", 20, day="2026-06-20", respondent=f"b{number}", scale=(0, 100))
        if number < 25:
            answer(db, "csat", 5, day="2026-06-20", respondent=f"c{number}")
    (seen,) = [s for s in Answers(db, config, NOW, NOW).look(NOW) if s.subject == "csat"
               and s.service == 1]  # fmt: skip
    assert seen.facts == {"before": 80.0, "after": 20.0, "answers": 30}


def test_without_surveys_there_is_nothing_to_see(config, db):
    """No rows of alerts about what nobody asks."""
    assert list(Answers(db, config, NOW, NOW).look(NOW)) == []
    assert rows(db, "SELECT * FROM alerts") == []


def test_a_window_is_a_day_or_more(tmp_path):
    """Hours of a day cannot be told apart, and nothing would ever be found in them."""
    with pytest.raises(ValueError, match="expected whole days"):
        firm(tmp_path, alerts={"survey": {"window": "12h"}})
