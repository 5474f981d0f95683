"""Survey figures: metrics, weights, thresholds, changes, and where public and survey part."""

import math
import random

import numpy as np
import pytest

from sentiment.database import rows, set_state
from sentiment.schema.intervals import Z, mean_bounds, share_interval
from sentiment.status import status

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
    return rows(db, f"SELECT * FROM {view} WHERE {where}")


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


def test_the_two_best_have_wilsons_interval(db, stats):
    """scipy finds the same."""
    for value in (5, 4, 4, 3, 2, 1, 5, 5):
        answer(db, "csat", value)
    (row,) = scores(db, "metric = 'csat_top2'")
    there = stats.binomtest(5, 8).proportion_ci(0.95, method="wilson")
    assert row["value"] == 62.5
    assert (row["low"], row["high"]) == pytest.approx((100 * there.low, 100 * there.high), abs=1e-4)


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


def test_the_sql_of_wilsons_interval_holds_at_its_ends(db, stats):
    """Nobody and everybody."""
    for k, n in ((0, 10), (10, 10)):
        low, high = share_interval(f"({k} / {n}.0)", f"{n}.0")
        row = rows(db, f"SELECT {low} AS low, {high} AS high")[0]
        there = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
        found = row["low"], row["high"]
        assert found == pytest.approx((100 * there.low, 100 * there.high), abs=1e-4)
    assert pytest.approx(stats.norm.ppf(0.975), abs=1e-6) == Z


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


def test_lead_and_lag_are_found_in_eighteen_months(db):
    """What the public says today, the survey says two months later."""
    chance = random.Random(2)
    mood = [chance.randrange(20, 81) for _ in range(20)]
    for place, month in enumerate(months(18)):
        votes(db, mood[place + 2], 100 - mood[place + 2], month)
        nps(db, month, mood[place], 100 - mood[place])
    best = rows(db, "SELECT * FROM lead_lag ORDER BY correlation DESC LIMIT 1")[0]
    assert (best["shift"], best["metric"]) == (2, "nps")
    assert best["low"] > 0.9


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
