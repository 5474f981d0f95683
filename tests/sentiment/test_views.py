"""Every view on rows computed by hand."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from sentiment.database import rows, set_state
from sentiment.rollup import rollup

Z = 1.959964


def post(db, number, day="2026-03-02", source=1, author=None, **values):
    row = {"url": None, "rating": None, "language": "de", **values}
    db.execute(
        "INSERT INTO posts (id, source_id, external_id, url, author, title, text, rating, "
        "posted_at, day, collected_at, content_hash, language) "
        "VALUES (?, ?, ?, ?, ?, '', 'text', ?, ?, ?, ?, '', ?)",
        [number, source, f"x{number}", row["url"], author, row["rating"], f"{day}T10:00:00+00:00",
         day, f"{day}T11:00:00+00:00", row["language"]],
    )  # fmt: skip


def mention(db, number, company=1, service=1, probabilities=(0.1, 0.2, 0.7), **emotions):
    db.execute(
        "INSERT INTO mentions (id, post_id, company_id, service_id, spans, snippet) "
        "VALUES (?, ?, ?, ?, '[[0, 4]]', 'snippet')",
        [number, number, company, service],
    )
    negative, neutral, positive = probabilities
    polarity = ("negative", "neutral", "positive")[probabilities.index(max(probabilities))]
    db.execute(
        "INSERT INTO scores VALUES (?, 'm@1', ?, ?, ?, ?, ?, '2026-03-02T12:00:00+00:00')",
        [number, polarity, negative, neutral, positive, positive - negative],
    )
    for emotion, probability in emotions.items():
        db.execute("INSERT INTO emotions VALUES (?, 'm@1', ?, ?)", [number, emotion, probability])
    db.execute("UPDATE mentions SET model = 'm@1' WHERE id = ?", [number])


GOOD, BAD, SO_SO = (0.1, 0.2, 0.7), (0.8, 0.1, 0.1), (0.2, 0.6, 0.2)


def net_interval(positive, negative, n):
    """AW(3,T) of Rocks (2016), written out anew."""
    p, q, m = (positive + 0.75) / (n + 3), (negative + 0.75) / (n + 3), n + 3
    half = Z * math.sqrt((p + q - (p - q) ** 2) / m)
    return [max(-100, 100 * (p - q - half)), min(100, 100 * (p - q + half))]


@pytest.fixture
def march(db):
    """Arbeitsrecht: 3 good, 1 bad, 1 neutral on a Monday; 1 bad the next week; a rival's 1."""
    for number, said in enumerate((GOOD, GOOD, GOOD, BAD, SO_SO), start=1):
        post(db, number, author=f"a{number}")
        mention(db, number, probabilities=said, joy=0.9 if said is GOOD else 0.2, anger=0.1)
    post(db, 6, day="2026-03-09")
    mention(db, 6, probabilities=BAD, anger=0.8, joy=0.1)
    post(db, 7, source=2)
    mention(db, 7, company=2, probabilities=GOOD)
    post(db, 8, day="2026-04-01")
    mention(db, 8, probabilities=GOOD)
    post(db, 9, source=2)
    mention(db, 9, service=None, probabilities=SO_SO)
    rollup(db)
    return db


def test_scored_mentions(db):
    """A row a mention, with names instead of ids and the strongest emotion that is present."""
    post(db, 1, url="https://x.example", rating=2.0, author="a")
    mention(db, 1, probabilities=BAD, anger=0.6, sadness=0.7, joy=0.05)
    (row,) = rows(db, "SELECT * FROM scored_mentions")
    assert row == {
        "mention_id": 1,
        "company": "Kanzlei Ahornhof",
        "service": "Arbeitsrecht",
        "source": "forum",
        "source_kind": "rss",
        "language": "de",
        "posted_at": "2026-03-02T10:00:00+00:00",
        "day": "2026-03-02",
        "url": "https://x.example",
        "snippet": "snippet",
        "polarity": "negative",
        "valence": pytest.approx(-0.7),
        "emotion": "sadness",
        "anger": 0.6,
        "disgust": None,
        "fear": None,
        "joy": 0.05,
        "sadness": 0.7,
        "surprise": None,
        "rating": 2.0,
        "model": "m@1",
        "negative": 0.8,
        "neutral": 0.1,
        "positive": 0.1,
        "author": "a",
        "is_copy": 0,
        "post_id": 1,
        "finer_emotions": None,
    }


def test_no_emotion_that_is_present_is_no_emotion(db):
    """Emotions below one half are not felt, however they compare with each other."""
    post(db, 1)
    mention(db, 1, anger=0.49, joy=0.3)
    assert rows(db, "SELECT emotion FROM scored_mentions") == [{"emotion": None}]


def test_service_daily(march):
    """Votes, net sentiment with its interval, attention among all, and emotions as shares."""
    row = rows(
        march,
        "SELECT * FROM service_daily WHERE company = 'Kanzlei Ahornhof' "
        "AND service = 'Arbeitsrecht' AND day = '2026-03-02'",
    )[0]
    low, high = net_interval(3, 1, 5)
    assert row == {
        "company": "Kanzlei Ahornhof",
        "service": "Arbeitsrecht",
        "day": "2026-03-02",
        "mentions": 5,
        "authors": 5,
        "positive": 3,
        "neutral": 1,
        "negative": 1,
        "net_sentiment": 40.0,
        "net_sentiment_low": pytest.approx(low),
        "net_sentiment_high": pytest.approx(high),
        "attention": pytest.approx(5 / 7),
        "anger": 0.0,
        "disgust": 0.0,
        "fear": 0.0,
        "joy": 0.6,
        "sadness": 0.0,
        "surprise": 0.0,
        "raw_mentions": 5,
    }


def test_service_weekly_begins_on_monday(march):
    """Weeks are named by their Monday and add up their days."""
    found = rows(
        march,
        "SELECT period, authors, net_sentiment FROM service_weekly "
        "WHERE service = 'Arbeitsrecht' AND company = 'Kanzlei Ahornhof' ORDER BY 1",
    )
    assert [tuple(row.values()) for row in found] == [
        ("2026-03-02", 5, 40.0),
        ("2026-03-09", 1, -100.0),
        ("2026-03-30", 1, 100.0),
    ]


def test_service_monthly(march):
    """Months add up their days; the interval is that of the sums."""
    row = rows(
        march,
        "SELECT * FROM service_monthly WHERE period = '2026-03' AND service = 'Arbeitsrecht' "
        "AND company = 'Kanzlei Ahornhof'",
    )[0]
    assert (row["positive"], row["neutral"], row["negative"]) == (3, 1, 2)
    assert [row["net_sentiment_low"], row["net_sentiment_high"]] == pytest.approx(
        net_interval(3, 2, 6)
    )
    assert row["anger"] == pytest.approx(1 / 6)
    assert row["attention"] == pytest.approx(6 / 8)


def test_mentions_of_the_company_as_a_whole_have_no_service(march):
    """The company as a whole has its own row, with an empty service."""
    found = rows(march, "SELECT company, day, neutral FROM service_daily WHERE service IS NULL")
    assert found == [{"company": "Kanzlei Ahornhof", "day": "2026-03-02", "neutral": 1}]


@pytest.fixture
def answers(march):
    """NPS 10, 9, 8, 3 and CSAT 5, 4, 2 in March; NPS 0 in April. Class A gave the 10 and the 5."""
    set_state(march, "min_responses", "1")
    given = [
        ("nps", 10, "A", "2026-03"),
        ("nps", 9, "B", "2026-03"),
        ("nps", 8, "B", "2026-03"),
        ("nps", 3, None, "2026-03"),
        ("csat", 5, "A", "2026-03"),
        ("csat", 4, "B", "2026-03"),
        ("csat", 2, None, "2026-03"),
        ("nps", 0, None, "2026-04"),
    ]
    for number, (metric, value, segment, month) in enumerate(given):
        low, high = (0, 10) if metric == "nps" else (1, 5)
        march.execute(
            "INSERT INTO survey_responses (survey, external_id, service_id, segment, metric, "
            "value, scale_low, scale_high, answered_at, day) VALUES ('s', ?, 1, ?, ?, ?, ?, ?, ?, "
            "?)",
            [f"r{number}", segment, metric, value, low, high, f"{month}-15T10:00:00+00:00",
             f"{month}-15"],
        )  # fmt: skip
    return march


def test_survey_scores(answers):
    """Means, shares and NPS with n and interval, for all and for each segment."""
    found = {
        (row["metric"], row["segment"], row["period"]): row
        for row in rows(answers, "SELECT * FROM survey_scores")
    }
    nps = found["nps", None, "2026-03"]
    assert (nps["value"], nps["responses"]) == (25.0, 4)
    assert [nps["low"], nps["high"]] == pytest.approx(net_interval(2, 1, 4))
    csat = found["csat", None, "2026-03"]
    assert csat["value"] == pytest.approx(11 / 3)
    # three answers are added: 3/4 each of 1 and 5, and 1 1/2 of 3
    mean, square = (11 + 0.75 * 6 + 4.5) / 6, (45 + 0.75 * 26 + 13.5) / 6
    assert csat["high"] == pytest.approx(mean + Z * math.sqrt((square - mean**2) / 6))
    top2 = found["csat_top2", None, "2026-03"]
    # -1, 1 and 1, and the same three
    mean, square = (1 + 0) / 6, (3 + 1.5) / 6
    half = Z * math.sqrt((square - mean**2) / 6)
    assert [top2["low"], top2["high"]] == pytest.approx(
        [50 * (1 + mean - half), 50 * (1 + mean + half)]
    )
    assert found["nps", "A", "2026-03"]["value"] == 100.0
    assert found["nps", "B", "2026-03"]["value"] == 50.0


def test_service_scorecard(answers):
    """Sentiment beside the surveys of the month, and the change against the month before."""
    march, april = rows(
        answers, "SELECT * FROM service_scorecard WHERE service = 'Arbeitsrecht' ORDER BY period"
    )
    assert march["net_sentiment"] == pytest.approx(100 / 6)
    assert (march["nps"], march["nps_responses"], march["nps_change"]) == (25.0, 4, None)
    assert march["emotion"] == "joy"
    assert april["net_sentiment_change"] == pytest.approx(100 - 100 / 6)
    assert (april["nps"], april["nps_change"]) == (-100.0, -125.0)
    assert april["csat"] is None
    assert april["emotion"] is None


def test_a_month_with_a_survey_but_no_post_is_on_the_scorecard(answers):
    """Nobody said anything in public in May, but the survey was answered."""
    answers.execute("UPDATE survey_responses SET day = '2026-05-15' WHERE day LIKE '2026-04%'")
    (row,) = rows(answers, "SELECT * FROM service_scorecard WHERE period = '2026-05'")
    assert (row["net_sentiment"], row["mentions"], row["nps"]) == (None, None, -100.0)


def test_model_changes(march):
    """Old scores beside the present ones."""
    march.execute("INSERT INTO scores SELECT mention_id, 'm@0', 'neutral', 0, 1, 0, 0.0, "
                  "scored_at FROM scores WHERE mention_id = 6")  # fmt: skip
    found = rows(
        march, "SELECT old_polarity, new_polarity, old_model, new_model FROM model_changes"
    )
    assert [tuple(row.values()) for row in found] == [("neutral", "negative", "m@0", "m@1")]


def test_active_alerts(db):
    """What is pending or firing, with the last transition's reason."""
    for number, state in enumerate(("firing", "resolved"), start=1):
        db.execute("INSERT INTO alerts (id, rule, company_id, service_id, state, since_at) "
                   "VALUES (?, 'drop', 1, ?, ?, '2026-03-02')", [number, number, state])  # fmt: skip
    for reason in ("first", "last"):
        db.execute("INSERT INTO alert_transitions (alert_id, from_state, to_state, reason, "
                   "happened_at) VALUES (1, 'ok', 'firing', ?, '2026-03-02')", [reason])  # fmt: skip
    found = rows(db, "SELECT alert_id, service, state, reason FROM active_alerts")
    assert found == [
        {"alert_id": 1, "service": "Arbeitsrecht", "state": "firing", "reason": "last"}
    ]


@pytest.mark.parametrize(
    ("change", "health"),
    [
        ("last_success_at = NULL", "not read yet"),
        ("last_success_at = strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')", "ok"),
        ("last_success_at = '2020-01-01T00:00:00+00:00'", "silent"),
        ("error_count = 2, last_error = 'gone'", "failing"),
        ("disabled = 1, error_count = 1", "disabled"),
    ],
)
def test_source_health(db, change, health):
    """A source is ok, not read yet, silent for five intervals, failing or disabled."""
    db.execute(f"UPDATE sources SET {change} WHERE name = 'forum'")
    found = rows(db, "SELECT health, posts FROM source_health WHERE source = 'forum'")
    assert found == [{"health": health, "posts": 0}]


@pytest.mark.parametrize(
    ("posts", "days_ago", "kind", "health"),
    [
        (28, 20, "rss", "quiet"),  # one a day, then nothing for twenty days
        (28, 5, "rss", "ok"),
        (9, 300, "rss", "ok"),  # too few to know what is usual
        (28, 20, "file", "ok"),  # people put files there when they find the time
    ],
)
def test_a_source_that_brings_nothing_is_quiet(db, posts, days_ago, kind, health):
    """A source that is read without error, and whose posts stay away for long, is not healthy."""
    moment = datetime.now(UTC)
    last = moment - timedelta(days=days_ago)
    for number in range(posts):
        post(db, number, day=(last - timedelta(days=number % 28)).date().isoformat())
    db.execute("UPDATE sources SET last_success_at = ?, kind = ? WHERE id = 1",
               [moment.isoformat(timespec="seconds"), kind])  # fmt: skip
    found = rows(db, "SELECT health FROM source_health WHERE source = 'forum'")
    assert found == [{"health": health}]


def test_every_column_of_every_view_is_explained(db):
    """The explanations name exactly the views there are, and their columns."""
    from sentiment.schema.explained import VIEWS

    columns = {
        view: [column[0] for column in db.execute(f"SELECT * FROM {view}").description]
        for view in db.view_names()
    }
    assert {view: sorted(names) for view, (_, names) in VIEWS.items()} == {
        view: sorted(names) for view, names in columns.items()
    }
