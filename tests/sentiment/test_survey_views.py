"""Survey figures: metrics, weights, thresholds, changes, and where public and survey part."""

import json
import math
import random
import re
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlite_utils.migrations import Migrations

from sentiment import database
from sentiment.database import connect, count, migrate, rows, set_state
from sentiment.message import compose
from sentiment.privacy import for_one_day
from sentiment.report import report
from sentiment.rollup import SURVEY_DAYS, rollup
from sentiment.schema.intervals import Z, mean_bounds, share_interval
from sentiment.status import status

KEY = ("service", "segment", "period", "metric", "scale_high")
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}


@pytest.fixture
def stats():
    """An independent implementation to compare with, where it is installed."""
    return pytest.importorskip("scipy.stats")


def answer(db, metric, value, month="2026-03", service=1, **values):
    """One answer; respondents are different people unless named."""
    number = db.execute("SELECT count(*) FROM survey_responses").fetchone()[0]
    low, high = values.pop("scale", SCALES[metric])
    day = values.pop("day", f"{month}-15")
    row = {
        "survey": "s", "external_id": f"r{number}", "service_id": service, "metric": metric,
        "value": value, "scale_low": low, "scale_high": high, "day": day,
        "answered_at": f"{day}T10:00:00+00:00", **values,
    }  # fmt: skip
    names = ", ".join(row)
    marks = ", ".join(f":{name}" for name in row)
    db.execute(f"INSERT INTO survey_responses ({names}) VALUES ({marks})", row)


def votes(db, positive, negative, month="2026-03", *, service=1, source=1):
    """Public votes of a month."""
    n = positive + negative
    db.execute(
        "INSERT INTO daily_sentiment VALUES (1, ?, ?, 'de', ?, ?, ?, ?, ?, 0, ?, 0, 0,0,0,0,0,0)",
        [service, source, f"{month}-10", n, n, n, positive, negative],
    )


def scores(db, where="1", view="survey_scores"):
    """Rows of a view: the same from the answers themselves as from their sums."""
    sql = f"SELECT * FROM {view} WHERE {where}"
    before = rows(db, sql)
    rollup(db)
    after = rows(db, sql)
    assert ordered(after) == [pytest.approx(row) for row in ordered(before)]
    return before


def ordered(found):
    return sorted(found, key=lambda row: [str(row[name]) for name in KEY])


# Metrics


def test_nps_counts_promoters_from_9_and_detractors_up_to_6(db):
    """7 and 8 are in between."""
    for value in (10, 9, 8, 7, 6, 0, 9, 9):
        answer(db, "nps", value)
    (row,) = scores(db, "metric = 'nps'")
    assert (row["value"], row["responses"]) == (25.0, 8)


def test_the_mean_interval_is_the_normal_one_on_three_added_answers(db):
    """Three quarters at each end and one and a half in the middle: numpy finds the same."""
    given = [1, 5, 5, 4, 4, 5, 3, 2]
    for value in given:
        answer(db, "csat", value)
    (row,) = scores(db, "metric = 'csat'")
    x, w = np.array([*given, 1, 5, 3]), np.array([*[1] * 8, 0.75, 0.75, 1.5])
    mean = np.average(x, weights=w)
    half = Z * math.sqrt(np.average((x - mean) ** 2, weights=w) / w.sum())
    assert row["value"] == pytest.approx(np.mean(given))
    assert (row["low"], row["high"]) == pytest.approx((mean - half, mean + half), abs=1e-5)


def test_the_two_best_have_the_stored_interval_of_their_count(db):
    """5 of 8; with weights, the added votes that means have: 1.5 good and bad ones, and 3 more."""
    for value in (5, 4, 4, 3, 2, 1, 5, 5):
        answer(db, "csat", value)
        answer(db, "csat", value, service=2, weight=1.0 if value == 1 else 2.0)
    one, two = scores(db, "metric = 'csat_top2' ORDER BY service")
    low, high = stored(db, 8)
    assert one["value"] == 62.5
    assert (one["low"], one["high"]) == pytest.approx((100 * low[5], 100 * high[5]))
    share, n = 10 / 15, 15**2 / 29
    votes = np.array([1, -1, 1, -1, 0]), np.array([n * share, n * (1 - share), 0.75, 0.75, 1.5])
    mean = np.average(votes[0], weights=votes[1])
    half = Z * math.sqrt(np.average((votes[0] - mean) ** 2, weights=votes[1]) / (n + 3))
    ends = (50 * (1 + mean - half), 50 * (1 + mean + half))
    assert (two["low"], two["high"]) == pytest.approx(ends, abs=1e-4)


def test_weights_move_the_figure_and_cost_precision(db):
    """n_eff = (Σw)² / Σw²: with equal weights it is n, whatever they are."""
    for value in (10, 10, 0, 0, 8, 8):
        answer(db, "nps", value, weight=3.0 if value == 10 else 1.0)
        answer(db, "nps", value, service=2, weight=7.0)
    one, two = scores(db, "metric = 'nps' ORDER BY service")
    assert one["value"] == pytest.approx(100 * (6 - 2) / 10)
    assert one["effective_responses"] == pytest.approx(10**2 / (2 * 9 + 4))
    assert two["effective_responses"] == pytest.approx(6)
    assert one["high"] - one["low"] > 0


def test_two_scales_of_one_metric_are_not_averaged(db):
    """A row for each; the scorecard takes the one with more answers."""
    for _ in range(6):
        answer(db, "csat", 5)
    for _ in range(7):
        answer(db, "csat", 3, scale=(1, 6))
    found = {row["scale_high"]: row["value"] for row in scores(db, "metric = 'csat'")}
    assert found == {5.0: 5.0, 6.0: 3.0}
    (card,) = rows(db, "SELECT csat, csat_responses FROM service_scorecard")
    assert (card["csat"], card["csat_responses"]) == (3.0, 7)


def test_weeks_are_named_by_their_monday(db):
    """survey_scores_weekly and its scorecard."""
    for day in ("2026-03-02", "2026-03-08", "2026-03-09"):
        for _ in range(5):
            answer(db, "nps", 10, day=day)
    found = scores(db, "metric = 'nps' ORDER BY period", "survey_scores_weekly")
    assert [(r["period"], r["responses"]) for r in found] == [("2026-03-02", 10), ("2026-03-09", 5)]
    cards = rows(db, "SELECT period, nps_change FROM service_scorecard_weekly ORDER BY period")
    assert [tuple(card.values()) for card in cards] == [("2026-03-02", None), ("2026-03-09", 0.0)]


# Sums


def test_changed_and_deleted_answers_change_the_figure_at_once(db):
    """Whether they are added up already or not; and months that nobody touched stay added up."""
    for month in ("2026-02", "2026-03"):
        for value in (5, 5, 5, 4, 4, 1):
            answer(db, "csat", value, month)
    rollup(db)
    db.execute("UPDATE survey_responses SET value = 4 WHERE value = 1 AND day LIKE '2026-03-%'")
    stale = rows(db, "SELECT * FROM stale_survey_days")
    assert stale == [{"service_id": 1, "day": "2026-03-15"}]
    csat = {row["period"]: row["value"] for row in scores(db, "metric = 'csat'")}
    assert csat == {"2026-02": pytest.approx(4), "2026-03": pytest.approx(4.5)}
    db.execute("DELETE FROM survey_responses WHERE day LIKE '2026-03-%' AND id % 2")
    assert {row["period"]: row["responses"] for row in scores(db)} == {"2026-02": 6, "2026-03": 3}
    db.execute("DELETE FROM survey_responses")
    assert scores(db) == []
    assert count(db, "SELECT count(*) FROM survey_sums") == 0


def test_an_answer_that_moves_leaves_its_old_day_and_service(db):
    """A corrected date, a corrected service."""
    for _ in range(12):
        answer(db, "nps", 9, "2026-02")
    rollup(db)
    db.execute("UPDATE survey_responses SET day = '2026-03-01', service_id = 2 WHERE id > 6")
    found = [(row["service"], row["period"], row["responses"]) for row in scores(db)]
    assert sorted(found) == [("Arbeitsrecht", "2026-02", 6), ("Steuerberatung", "2026-03", 6)]


@pytest.mark.parametrize("unit", ["day", "week", "month"])
def test_sums_deleted_by_hand_are_computed_again(db, unit):
    """As every derived figure."""
    for day in ("2026-02-27", "2026-03-01", "2026-03-31"):
        for _ in range(5):
            answer(db, "nps", 9, day=day)
    views = ("survey_scores", "survey_scores_weekly", "survey_scores_daily")
    before = [scores(db, view=view) for view in views]
    db.execute("DELETE FROM survey_sums WHERE unit = ?", [unit])
    assert [scores(db, view=view) for view in views] == before
    assert count(db, "SELECT count(*) FROM stale_survey_days") == 0


def test_random_changes_never_part_the_sums_from_the_answers(db):
    """Three hundred inserts, updates and deletions, rolled up now and then."""
    chance = random.Random(11)
    set_state(db, "min_responses", "1")
    for step in range(300):
        day = f"2026-{chance.randrange(1, 4):02}-{chance.randrange(1, 29):02}"
        if chance.random() < 0.7:
            answer(db, chance.choice(list(SCALES)), chance.randrange(1, 6), day=day,
                   service=chance.choice((1, 2, None)), segment=chance.choice((None, "A", "B")),
                   respondent=chance.choice((None, "p", "q")), weight=chance.choice((1.0, 2.5)),
                   external_id=f"step {step}")  # fmt: skip
        else:
            some = f"WHERE id IN (SELECT id FROM survey_responses ORDER BY id % {step + 1} LIMIT 3)"
            db.execute(chance.choice((
                f"UPDATE survey_responses SET day = '{day}' {some}",
                f"UPDATE survey_responses SET weight = 3, service_id = 2 {some}",
                f"DELETE FROM survey_responses {some}",
            )))  # fmt: skip
        if chance.random() < 0.1:
            for view in ("survey_scores", "survey_scores_weekly", "survey_scores_daily"):
                scores(db, view=view)


def test_a_roll_up_that_is_stopped_goes_on_where_it_was(db, monkeypatch):
    """Each batch is whole; in between, the figures are right all the same."""
    monkeypatch.setattr("sentiment.rollup.SURVEY_DAYS", SURVEY_DAYS.replace("200", "3"))
    for day in range(1, 29):
        answer(db, "nps", 9, day=f"2026-02-{day:02}")
    assert rollup(db, stopping=iter([False, False, False, True]).__next__) == 6
    assert count(db, "SELECT count(*) FROM stale_survey_days") == 22
    assert [row["responses"] for row in rows(db, "SELECT * FROM survey_scores")] == [28]
    assert rollup(db) == 22


def test_unlinking_a_respondent_does_not_make_several_people_of_one(db):
    """What was hidden while it was known to be one person stays hidden afterwards."""
    for day in range(1, 11):
        answer(db, "nps", 9, day=f"2026-02-{day:02}", respondent="p")
    rollup(db)
    for row in rows(db, "SELECT id, respondent, day FROM survey_responses"):
        hidden = for_one_day(b"key", row["respondent"], row["day"])
        db.execute("UPDATE survey_responses SET respondent = ? WHERE id = ?", [hidden, row["id"]])
    assert scores(db)[0]["value"] is None


def test_a_database_from_before_the_sums_is_brought_up(tmp_path):
    """Its answers wait to be added up, and count already."""
    with connect(tmp_path / "old.db") as db:
        old = Migrations("sentiment")
        old()(database.m001_tables)
        old.apply(db)
        db.execute("INSERT INTO services VALUES (1, 'Arbeitsrecht', 1)")
        set_state(db, "min_responses", "5")
        for value in (10, 9, 8, 7, 6, 0, 9, 9):
            answer(db, "nps", value)
    with connect(tmp_path / "old.db") as db:
        migrate(db)
        (row,) = scores(db)
        assert (row["value"], row["responses"]) == (25.0, 8)


# Coverage


DISTRIBUTIONS = {
    "usual": (0.003, 0.014, 0.18, 0.55, 0.253),
    "crowded at the best": (0.01, 0.01, 0.03, 0.1, 0.85),
    "split": (0.2, 0.05, 0.05, 0.1, 0.6),
}


@pytest.mark.parametrize("n", [20, 100])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_mean_intervals_cover_the_truth_95_times_in_100(db, name, n):
    """Also where Student's interval covers it 87 times. More of this: benchmarks/coverage.py."""
    p = np.array(DISTRIBUTIONS[name]) / sum(DISTRIBUTIONS[name])
    u = np.linspace(-1, 1, 5)
    drawn = np.random.default_rng(7).multinomial(n, p, 2000)
    db.execute("CREATE TEMP TABLE trials (mean REAL, square REAL)")
    db.conn.executemany(
        "INSERT INTO trials VALUES (?, ?)", zip(drawn @ u / n, drawn @ u**2 / n, strict=True)
    )
    low, high = mean_bounds("mean", "square", str(float(n)))
    inside = rows(db, f"SELECT avg({low} <= ? AND {high} >= ?) AS share FROM trials",
                  *[100 * float(p @ u)] * 2)[0]["share"]  # fmt: skip
    assert 0.93 <= inside <= 0.975


def stored(db, n):
    """The stored bounds of 0 … n good answers among n."""
    digits = rows(db, "SELECT lows FROM share_bounds WHERE whole = ?", n)[0]["lows"]
    low = np.array([int(digits[5 * k : 5 * k + 5]) / 1e5 for k in range(n + 1)])
    return low, 1 - low[::-1]


def covers(stats, low, high, n, p):
    """Exactly: the probability of the counts whose interval holds p."""
    k = np.arange(n + 1)
    return stats.binom.pmf(k, n, p)[(low <= p) & (p <= high)].sum()


@pytest.mark.parametrize("n", [20, 30, 50, 100, 200, 300])
def test_the_interval_of_a_share_covers_it_as_evenly_as_counts_allow(db, stats, n):
    """94 to 96.5 % for true shares from 0.5 to 0.95; below 100 answers wherever any counts can.

    Only then may it be outside: when no run of counts has such a probability (at one half: none
    that treats good and bad alike), or, with 30 answers, by less than 0.1 points.
    """
    low, high = stored(db, n)
    for p in np.round(np.arange(0.5, 0.951, 0.01), 2):
        found = covers(stats, low, high, n, p)
        below = np.concatenate([[0.0], stats.binom.cdf(np.arange(n + 1), n, p)])
        runs = below[None, 1:] - below[:-1, None]
        runs = runs[::-1].diagonal() if p == 0.5 else runs[np.triu_indices(n + 1)]
        possible = ((runs >= 0.94) & (runs <= 0.965)).any()
        if possible:
            assert 0.9394 <= found <= 0.9651, p
        else:
            away = np.maximum(0.94 - runs, runs - 0.965).min()
            assert n < 100, p
            assert 0.94 - away - 1e-3 <= found <= 0.965 + away + 1e-3, p


@pytest.mark.parametrize("n", [301, 500, 1000, 2000])
def test_the_interval_of_a_share_of_many_answers_covers_it_too(db, stats, n):
    """By formula; 94 to 96.5 %, exactly."""
    low, high = share_interval("share", "size")
    db.execute("CREATE TEMP TABLE counts (share REAL, size REAL)")
    db.conn.executemany("INSERT INTO counts VALUES (?, ?)", [(k / n, n) for k in range(n + 1)])
    found = np.array(db.execute(f"SELECT {low}, {high} FROM counts ORDER BY rowid").fetchall())
    for p in np.round(np.arange(0.05, 0.951, 0.05), 2):
        inside = covers(stats, found[:, 0] / 100, found[:, 1] / 100, n, p)
        assert 0.94 <= inside <= 0.965, p
    there = [stats.binomtest(k, n).proportion_ci(0.95, method="wilson") for k in (n // 2, n)]
    for k, wilson in zip((n // 2, n), there, strict=True):
        assert found[k] == pytest.approx([100 * wilson.low, 100 * wilson.high], abs=0.7)


def test_every_stored_interval_holds_its_own_share_and_rises_with_it(db, stats):
    """And lies within five points of scipy's Wilson interval, within one from 150 answers on."""
    for n in (5, 20, 77, 150, 300):
        low, high = stored(db, n)
        k = np.arange(n + 1)
        assert np.all(np.diff(low) >= 0)
        assert np.all((low <= k / n) & (k / n <= high))
        assert (low[0], high[n]) == (0, 1)
        if n >= 20:
            there = [stats.binomtest(int(i), n).proportion_ci(0.95, method="wilson") for i in k]
            apart = max(abs(low - [one.low for one in there]))
            assert apart < (0.01 if n >= 150 else 0.05)
    assert pytest.approx(stats.norm.ppf(0.975), abs=1e-6) == Z


def test_no_value_lies_outside_its_interval(db):
    """Not even that of a single answer at the end of the scale."""
    set_state(db, "min_responses", "1")
    for metric, value in (("nps", 10), ("csat", 5), ("ces", 1)):
        answer(db, metric, value)
    votes(db, 1, 0)
    for row in scores(db):
        assert row["low"] <= row["value"] <= row["high"], row["metric"]
    (card,) = rows(db, "SELECT * FROM service_monthly")
    assert card["net_sentiment"] == card["net_sentiment_high"] == 100


# Few people


def test_figures_of_too_few_people_are_empty(db):
    """How many answered is told, not what."""
    for _ in range(4):
        answer(db, "csat", 5)
    for row in scores(db):
        assert (row["value"], row["low"], row["high"], row["responses"]) == (None, None, None, 4)


def test_people_are_counted_not_answers(db):
    """One person who answers ten times is one."""
    for _ in range(10):
        answer(db, "nps", 9, respondent="p")
    assert scores(db)[0]["value"] is None


FELL = {
    "before": 40.0, "after": -10.0, "error": 9.0, "since": "2026-03-01", "authors": 30,
    "authors_before": 90, "years_between": 5.0, "emotion": None, "mentions": [], "sources": [],
    "without": {},
}  # fmt: skip
DROP = {
    "rule": "drop", "subject": "", "service": "Arbeitsrecht", "service_id": 1, "alert_id": 1,
    "from_state": "pending", "to_state": "firing", "reason": "", "detail": json.dumps(FELL),
}  # fmt: skip


def test_a_message_tells_of_surveys_what_the_views_show(db):
    """Weighted; and nothing of four people."""
    now = datetime(2026, 3, 20, tzinfo=UTC)
    for value, weight in ((10, 3.0), (10, 3.0), (0, 1.0), (0, 1.0), (8, 2.0)):
        answer(db, "nps", value, weight=weight)
    for _ in range(4):
        answer(db, "csat", 5)
    told = compose(db, 1, [DROP], "en", now).body
    assert "Surveys, last 90 days: NPS +40 (n = 5)." in told
    db.execute("DELETE FROM survey_responses WHERE metric = 'nps'")
    told = compose(db, 1, [DROP], "en", now).body
    assert "too few people answered a survey" in told
    db.execute("DELETE FROM survey_responses")
    assert "There are no survey answers" in compose(db, 1, [DROP], "en", now).body


def test_a_hidden_segment_cannot_be_had_by_subtracting(db):
    """All less A and B would give C: so the smaller of the two is hidden as well."""
    for segment, n in (("A", 9), ("B", 6), ("C", 2)):
        for _ in range(n):
            answer(db, "nps", 9, segment=segment)
    shown = {row["segment"]: row["value"] is not None for row in scores(db)}
    assert shown == {None: True, "A": True, "B": False, "C": False}


def test_several_hidden_segments_hide_each_other(db):
    """Two that are too small, together large enough: the others stay."""
    for segment, n in (("A", 9), ("B", 4), ("C", 2)):
        for _ in range(n):
            answer(db, "nps", 9, segment=segment)
    shown = {row["segment"]: row["value"] is not None for row in scores(db)}
    assert shown == {None: True, "A": True, "B": False, "C": False}


def test_no_person_can_be_told_apart_by_any_choice_of_segments(db):
    """For many random companies: what is hidden, taken together, is nobody or enough people."""
    chance = random.Random(3)
    for service in (1, 2):
        for month in range(1, 13):
            for segment in "ABCDE":
                for _ in range(chance.randrange(12)):
                    answer(db, "nps", 9, f"2026-{month:02}", service, segment=segment)
    for service, period in {(r["service"], r["period"]) for r in scores(db)}:
        found = scores(db, f"service = '{service}' AND period = '{period}'")
        whole = next(row for row in found if row["segment"] is None)
        seen = [r["responses"] for r in found if r["segment"] and r["value"] is not None]
        if whole["value"] is not None:
            assert whole["responses"] - sum(seen) not in range(1, 5)
        else:
            assert not seen


def test_a_day_is_shown_when_no_other_could_be_had_from_it(db):
    """Not when a day of its month or of its week is too small; and never by segment."""
    for day, n in (("2026-02-10", 6), ("2026-03-10", 6), ("2026-03-30", 6), ("2026-04-01", 2),
                   ("2026-05-05", 6), ("2026-05-06", 7)):  # fmt: skip
        for _ in range(n):
            answer(db, "nps", 9, day=day, segment="A")
    found = scores(db, view="survey_scores_daily")
    assert {row["segment"] for row in found} == {None}
    assert {row["period"]: row["value"] is not None for row in found} == {
        "2026-02-10": True, "2026-03-10": True, "2026-03-30": False, "2026-04-01": False,
        "2026-05-05": True, "2026-05-06": True,
    }  # fmt: skip


# Changes and divergence


def nps(db, month, promoters, detractors, service=1):
    for value, n in ((10, promoters), (0, detractors)):
        for _ in range(n):
            answer(db, "nps", value, month, service)


def test_a_change_is_beyond_chance_when_its_interval_does_not_touch_zero(db):
    """With many voices a small step is, with few a large one is not."""
    votes(db, 600, 400, "2026-02")
    votes(db, 480, 520, "2026-03")
    votes(db, 6, 4, "2026-02", service=2)
    votes(db, 5, 5, "2026-03", service=2)
    found = rows(db, "SELECT * FROM service_changes ORDER BY service")
    assert [(r["service"], r["beyond_chance"]) for r in found] == [
        ("Arbeitsrecht", 1), ("Steuerberatung", 0),
    ]  # fmt: skip
    assert found[0]["change"] == pytest.approx(-24)
    assert found[0]["change_low"] < -24 < found[0]["change_high"] < 0


def test_the_interval_of_a_change_covers_the_truth(db):
    """MOVER from the two intervals: 95 times in 100, by simulation."""
    chance = np.random.default_rng(5)
    for trial in range(300):
        service = 100 + trial
        db.execute("INSERT INTO services VALUES (?, ?, 1)", [service, f"s{trial}"])
        for month, p in (("2026-02", 0.7), ("2026-03", 0.5)):
            good = int(chance.binomial(60, p))
            votes(db, good, 60 - good, month, service=service)
    inside = rows(db, "SELECT avg(change_low <= -40 AND change_high >= -40) AS share "
                      "FROM service_changes")[0]["share"]  # fmt: skip
    assert 0.91 <= inside <= 0.985


VERDICTS = [
    ("Public falls, the survey stays where it is.", (90, 10), (20, 80), (80, 20), (80, 20),
     "public falls alone"),
    ("Public rises, the survey stays.", (20, 80), (90, 10), (80, 20), (80, 20),
     "public rises alone"),
    ("The survey falls, public stays.", (80, 20), (80, 20), (90, 10), (20, 80),
     "survey falls alone"),
    ("Both fall.", (90, 10), (20, 80), (90, 10), (20, 80), "both fall"),
    ("One falls, the other rises.", (90, 10), (20, 80), (20, 80), (90, 10), "opposite"),
    ("Nothing happens.", (80, 20), (79, 21), (80, 20), (80, 20), "no clear change"),
    ("Public falls; with six answers nobody can say what the survey does.",
     (90, 10), (60, 40), (4, 2), (3, 3), "public falls, survey unclear"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "figures", "verdict"),
                         [(row[0], row[1:5], row[5]) for row in VERDICTS],
                         ids=[row[0] for row in VERDICTS])  # fmt: skip
def test_divergence(db, said, figures, verdict):
    """Stable while the other falls is only said when the two changes differ beyond chance."""
    public_0, public_1, survey_0, survey_1 = figures
    for month, public, survey in (("2026-02", public_0, survey_0), ("2026-03", public_1, survey_1)):
        votes(db, *public, month)
        nps(db, month, *survey)
    (row,) = rows(db, "SELECT * FROM divergence")
    assert row["verdict"] == verdict, said
    assert row["sentence_de"].endswith("]).")
    assert "NPS" in row["sentence_en"]


def test_comments_of_the_survey_are_not_public(db):
    """Otherwise a survey would be compared with itself."""
    db.execute("UPDATE sources SET kind = 'survey' WHERE id = 2")
    for month, n in (("2026-02", 50), ("2026-03", 10)):
        votes(db, 50, 50, month)
        votes(db, n, 60 - n, month, source=2)
        nps(db, month, n, 60 - n)
    (row,) = rows(db, "SELECT public_change, verdict FROM divergence")
    assert (row["public_change"], row["verdict"]) == (0.0, "survey falls alone")


def months(n):
    return [f"{2024 + m // 12}-{m % 12 + 1:02}" for m in range(n)]


def test_lead_and_lag_are_found_in_eighteen_months(config, db):
    """What the public says today, the survey says two months later."""
    chance = random.Random(2)
    mood = [chance.randrange(20, 81) for _ in range(20)]
    for place, month in enumerate(months(18)):
        votes(db, mood[place + 2], 100 - mood[place + 2], month)
        nps(db, month, mood[place], 100 - mood[place])
    best = rows(db, "SELECT * FROM lead_lag ORDER BY correlation DESC LIMIT 1")[0]
    assert (best["shift"], best["metric"]) == (2, "nps")
    assert best["low"] > 0.9
    assert re.fullmatch(
        r"Public sentiment runs 2 months ahead of the survey \(NPS\) "
        r"\(correlation \+[\d.]+ \[\+[\d.]+ to \+[\d.]+\], 15 pairs of months\)\.",
        best["sentence_en"],
    )
    assert best["sentence_de"].startswith("Die öffentliche Stimmung geht um 2 Monate der Befrag")
    found = {row["shift"]: row for row in rows(db, "SELECT * FROM lead_lag")}
    unclear = [row for row in found.values() if row["low"] <= 0 <= row["high"]]
    assert unclear
    assert all(row["sentence_en"].startswith("No connection beyond chance") for row in unclear)
    page = " ".join(report(config, db, month="2025-06", form="terminal", language="en").split())
    assert "Arbeitsrecht: public sentiment runs 2 months ahead of NPS (correlation +" in page
    assert "What comes first need not be the cause." in page


def test_less_than_a_year_says_nothing_about_lead_and_lag(db):
    """Twelve changes need thirteen months."""
    for month in months(12):
        votes(db, 50, 50, month)
        nps(db, month, 9, 1)
    assert rows(db, "SELECT * FROM lead_lag") == []


def test_an_empty_database_has_empty_views_and_a_status(config, db):
    """Before the first survey."""
    for view in ("survey_scores", "service_changes", "divergence", "lead_lag"):
        assert rows(db, f"SELECT * FROM {view}") == []
    assert status(config, db)["surveys"] == []


def test_the_threshold_follows_the_configuration(db):
    """[surveys] min_responses."""
    answer(db, "nps", 9)
    set_state(db, "min_responses", "1")
    assert scores(db)[0]["value"] == 100.0
