"""The figures of the overview and of a service, on rows computed by hand."""

from datetime import date

import pytest

from sentiment.database import connect, rows, set_state
from sentiment.rollup import rollup
from sentiment.web import figures
from sentiment.web.pages.overview import gather
from sentiment.web.selection import Selection
from tests.sentiment.test_views import BAD, GOOD, SO_SO, mention, net_interval, post

MARCH = Selection("2026-03", date(2026, 3, 1), date(2026, 3, 31))


def say(db, first, day, said, *, service=1, company=1, **values):
    """So many posts on a day, each by somebody else."""
    for number, one in enumerate(said, start=first):
        post(db, number, day=day, author=f"a{number}", **values)
        mention(db, number, company=company, service=service, probabilities=one, joy=0.1,
                anger=0.9 if one is BAD else 0.1)  # fmt: skip


@pytest.fixture
def months(config, db):
    """February: 8 good, 2 bad. March: 3 good, 6 bad, 1 neutral; a rival 5 good; elsewhere 1."""
    say(db, 1, "2026-02-10", [GOOD] * 8 + [BAD] * 2)
    say(db, 11, "2026-03-10", [GOOD] * 3 + [BAD] * 6 + [SO_SO], language="en")
    say(db, 21, "2026-03-12", [GOOD] * 5, company=2)
    say(db, 26, "2026-03-12", [GOOD], service=2, source=2)
    set_state(db, "model", "m@1")
    rollup(db)
    with connect(config.database_path) as other:
        yield other.conn


@pytest.fixture
def conn(months):
    import sqlite3

    months.row_factory = sqlite3.Row
    return months


def row_of(found, service="Arbeitsrecht", company="Kanzlei Ahornhof"):
    return next(row for row in found if (row["service"], row["company"]) == (service, company))


def test_net_sentiment_has_its_interval_and_its_votes(conn):
    """3 good and 6 bad of 10 voices: −30, with the interval of the views."""
    row = row_of(figures.services(conn, MARCH))
    assert (row["net"], row["authors"]) == (pytest.approx(-30), 10)
    assert [row["low"], row["high"]] == pytest.approx(net_interval(3, 6, 10))


def test_a_month_is_compared_with_the_month_before(conn):
    """From +60 to −30 with ten voices each is beyond chance."""
    row = row_of(figures.services(conn, MARCH))
    assert row["before"] == pytest.approx(60)
    assert row["change"] == pytest.approx(-90)
    low, high = net_interval(3, 6, 10)
    low_before, high_before = net_interval(8, 2, 10)
    down = ((-30 - low) ** 2 + (high_before - 60) ** 2) ** 0.5
    up = ((high + 30) ** 2 + (60 - low_before) ** 2) ** 0.5
    assert (row["change_low"], row["change_high"]) == pytest.approx((-90 - down, -90 + up))
    assert row["beyond_chance"]


def test_attention_is_the_share_of_all_mentions(conn):
    """10 of 16: the rival's and the other service's count, too."""
    assert row_of(figures.services(conn, MARCH))["attention"] == pytest.approx(10 / 16)


def test_figures_of_few_voices_are_not_shown(conn):
    """One voice is counted and gives no figure; nobody at all is a row with zeros."""
    row = row_of(figures.services(conn, MARCH), "Steuerberatung")
    assert (row["authors"], row["net"], row["change"], row["emotion"]) == (1, None, None, None)
    nobody = row_of(figures.services(conn, MARCH), None)
    assert (nobody["authors"], nobody["net"]) == (0, None)


def test_the_strongest_emotion_has_its_share(conn):
    """Six of ten are angry."""
    row = row_of(figures.services(conn, MARCH))
    assert (row["emotion"], row["emotion_share"]) == ("anger", pytest.approx(0.6))


@pytest.mark.parametrize(
    ("key", "value", "votes"),
    [
        ("source", "forum", 10),
        ("source", "reviews", 0),
        ("language", "en", 10),
        ("language", "de", 0),
    ],
)
def test_filters_count_only_what_passes(conn, key, value, votes):
    """A source's or a language's voices alone."""
    selection = Selection("2026-03", MARCH.first, MARCH.last, **{key: value})
    assert row_of(figures.services(conn, selection))["authors"] == votes


def test_a_line_has_a_point_for_each_step_even_without_voices(conn):
    """Weeks that end with the last day; too few voices are a gap."""
    selection = Selection("", date(2026, 3, 4), date(2026, 3, 31))
    points = figures.series(conn, selection, 7, 1)[1]
    assert [point.first.day for point in points] == [4, 11, 18, 25]
    assert [point.authors for point in points] == [10, 0, 0, 0]
    assert points[0].net == pytest.approx(-30)
    assert points[1].net is None


def test_a_smooth_line_sums_up_earlier_steps(conn):
    """Each week stands for five: February's voices are in the first one, too."""
    selection = Selection("", date(2026, 3, 4), date(2026, 3, 17))
    points = figures.series(conn, selection, 7, 1, smooth=5)[1]
    assert [point.authors for point in points] == [20, 10]
    assert points[0].net == pytest.approx(15)


def test_sources_of_a_service_are_told_apart(conn):
    """All ten came from the forum."""
    found = figures.by_source(conn, MARCH, 1)
    assert [(row["source"], row["authors"]) for row in found] == [("forum", 10)]


def test_the_baseline_is_what_was_usual_before(conn):
    """Of few voices it is nothing to compare with."""
    assert figures.baseline(conn, MARCH, 1, 90) is None  # ten voices
    later = Selection("2026-04", date(2026, 4, 1), date(2026, 4, 30))
    assert figures.baseline(conn, later, 1, 90) == pytest.approx(15)


def answer(db, number, metric, value, *, day="2026-03-05", segment=None, scale=(1, 5), who=None):
    db.execute(
        "INSERT INTO survey_responses (survey, external_id, respondent, service_id, segment, "
        "metric, value, scale_low, scale_high, answered_at, day) "
        "VALUES ('s', ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)",
        [f"{number}", who or f"r{number}", segment, metric, value, *scale, f"{day}T10:00:00+00:00", day],
    )  # fmt: skip


@pytest.fixture
def asked(db, conn):
    """NPS of six people, two of them of class A; CSAT of three."""
    for number, value in enumerate((10, 9, 9, 8, 3, 10)):
        answer(db, number, "nps", value, segment="A" if number < 2 else "B", scale=(0, 10))
    for number, value in enumerate((5, 4, 3), start=10):
        answer(db, number, "csat", value)
    return conn


def test_survey_figures_stand_beside_with_their_n(asked):
    """4 promoters and 1 detractor of 6: +50, on the scale of net sentiment."""
    found = figures.surveys(asked, MARCH)[1]["nps"]
    assert (found["value"], found["n"]) == (pytest.approx(50), 6)
    assert [found["low"], found["high"]] == pytest.approx(net_interval(4, 1, 6))


def test_survey_figures_of_few_people_are_hidden(asked):
    """Three people, or two of a class, are fewer than min_responses."""
    assert figures.surveys(asked, MARCH)[1]["csat"]["value"] is None
    of_class = Selection("2026-03", MARCH.first, MARCH.last, segment="A")
    assert figures.surveys(asked, of_class)[1]["nps"]["value"] is None


def test_somebody_who_answers_every_day_is_one_person(db, conn):
    """Even where answers are added up by day, one person's are not shown as many people's."""
    for number in range(8):
        answer(db, number, "nps", 9, day=f"2026-03-{number + 1:02d}", scale=(0, 10), who="same")
    rollup(db)
    assert rows(db, "SELECT count(*) AS n FROM survey_sums WHERE unit = 'day'")[0]["n"] == 8
    long = Selection("90d", date(2026, 1, 1), date(2026, 3, 31))
    assert figures.surveys(conn, long)[1]["nps"]["value"] is None


def test_long_periods_give_the_same_survey_figures(db, asked):
    """Added up by day or read one by one: the same."""
    long = Selection("90d", date(2026, 1, 1), date(2026, 3, 31))
    one_by_one = figures.surveys(asked, long)
    rollup(db)
    assert figures.surveys(asked, long) == one_by_one


def test_the_overview_lists_services_as_the_portfolio_does(config, conn):
    """With the company as a whole last; competitors are columns."""

    class Site:
        pass

    site = Site()
    site.config = config
    found = gather(conn, site, MARCH)
    assert [row["service"] for row in found["own"]] == ["Arbeitsrecht", "Steuerberatung", None]
    assert found["competitors"]["companies"] == ["Kanzlei Ahornhof", "Birkenberg & Söhne"]
    assert [line[0] for line in found["competitors"]["lines"]] == ["Arbeitsrecht", "Steuerberatung"]
