"""Each reason is written when, and only when, it is so; clock changes and late data included."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sentiment.alert import alert
from sentiment.database import rows, set_state, timestamp
from sentiment.notify import is_quiet
from sentiment.rollup import rollup
from tests.sentiment.firm import firm
from tests.sentiment.test_alert import answers, reason, states
from tests.sentiment.test_notify import receiver, told
from tests.sentiment.voices import MODEL, SOUR, all_read, live, say

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")


pytestmark = pytest.mark.usefixtures("few_streams")


def test_posts_that_nobody_has_read_yet_freeze(config, db):
    """More than a handful of posts that wait to be matched: nothing is concluded."""
    live(db, 0, 100)
    now = live(db, 100, 7, SOUR)
    db.execute("UPDATE posts SET matched_by = NULL WHERE id > 300")
    alert(config, db, now=now)
    assert reason(db, "no-data").endswith("posts wait to be read")


def test_late_posts_end_an_alert_with_a_reason_of_their_own(config, db):
    """It is not called a recovery."""
    live(db, 0, 100)
    now = live(db, 100, 7, SOUR)
    alert(config, db, now=now)
    for number in range(80):
        say(db, now - timedelta(hours=2 * number), 1)
    rollup(db)
    alert(config, db, now=now + 2 * MINUTE)
    assert reason(db, "resolved").startswith("seen again, with late posts")


def test_a_reminder_says_that_it_is_one(config, db):
    """A week later nothing has changed."""
    live(db, 0, 100)
    now = live(db, 100, 7, SOUR)
    alert(config, db, now=now)
    all_read(db, now + 8 * DAY)
    alert(config, db, now=now + 8 * DAY)
    assert reason(db, "firing").startswith("it goes on")


def test_a_suspicion_that_fades_says_so(config, db):
    """pending → ok."""
    live(db, 0, 100)
    now = live(db, 100, 1, SOUR, a_day=4)
    for number in range(4, 12):
        alert(config, db, now=now)
        if states(db)[-1:] == ["pending"]:
            break
        now = live(db, 100 + number, 1, SOUR, a_day=1)
    assert reason(db, "pending") == "the mentions may be getting worse"
    alert(config, db, now=live(db, 113, 12, (0, 0, 1)))
    assert reason(db, "ok") == "the suspicion did not hold"


def test_the_threshold_gives_its_figures(tmp_path, db):
    """Too few, below, above again."""
    config = firm(tmp_path, alerts={"threshold": {"below": 60}})
    alert(config, db, now=live(db, 0, 3))
    assert reason(db, "no-data", "threshold") == "fewer than 20 authors in 14 days"
    alert(config, db, now=live(db, 3, 40))
    assert reason(db, "firing", "threshold").endswith("is below +60")
    alert(config, db, now=live(db, 43, 20, (0, 0, 1)))
    assert reason(db, "resolved", "threshold") == "net sentiment is +100 again"


def test_the_volume_gives_its_figures(config, db):
    """No past, many, as many as usual."""
    alert(config, db, now=live(db, 0, 10))
    assert reason(db, "no-data", "volume") == "fewer than 28 days before"
    live(db, 10, 50)
    alert(config, db, now=live(db, 60, 2, a_day=30))
    assert reason(db, "firing", "volume").startswith("60 authors in 2 days, usually 6")
    alert(config, db, now=live(db, 62, 10))
    assert reason(db, "resolved", "volume") == "6 authors in 2 days again"


def test_emotions_give_their_figures(config, db):
    """Too few authors, risen, usual again."""
    alert(config, db, now=live(db, 0, 5))
    assert reason(db, "no-data", "emotion") == "fewer than 20 authors"
    live(db, 5, 60, (0, 0.3, 0.7))
    now = live(db, 65, 14, (0, 0.3, 0.7))
    db.execute(
        "UPDATE emotions SET probability = 0.9 WHERE emotion = 'anger' AND mention_id IN "
        "(SELECT m.id FROM mentions m JOIN posts p ON p.id = m.post_id WHERE p.day > ?)",
        [str((now - 14 * DAY).date())],
    )
    db.execute("DELETE FROM daily_sentiment")
    rollup(db)
    alert(config, db, now=now)
    assert reason(db, "firing", "emotion").startswith("anger in 100 % of the posts, usually ")
    alert(config, db, now=live(db, 79, 20, (0, 0.3, 0.7)))
    assert reason(db, "resolved", "emotion") == "anger is usual again"


def test_what_the_drop_tells_the_plainer_rules_do_not_repeat(config, db):
    """A volume alert that was firing ends with that reason when the drop fires."""
    live(db, 0, 100)
    now = live(db, 100, 2, a_day=30)
    alert(config, db, now=now)
    assert states(db, "volume")[-1] == "firing"
    alert(config, db, now=live(db, 102, 7, SOUR, a_day=20))
    assert states(db)[-1] == "firing"
    assert reason(db, "resolved", "volume") == "told by the alert on the drop"


def test_surveys_give_their_figures(config, db):
    """Too few answers, lower, no longer lower."""
    now = live(db, 0, 2)
    answers(db, now, 9, 5, ago=60)
    alert(config, db, now=now)
    assert reason(db, "no-data", "survey") == "fewer than 20 answers"
    answers(db, now, 9, 40, ago=61)
    answers(db, now, 5, 40, ago=5)
    alert(config, db, now=now)
    assert reason(db, "firing", "survey") == "NPS A fell from 100.0 to -100.0"
    later = now + 60 * DAY
    answers(db, later, 9, 80, ago=3)
    all_read(db, later)
    alert(config, db, now=later)
    assert reason(db, "resolved", "survey") == "NPS A is no longer clearly lower"


def test_sources_give_the_hours_and_the_error(config, db):
    """Silent, failing from the first, read again."""
    now = live(db, 0, 2)
    db.execute("UPDATE sources SET last_success_at = ?, last_error = 'no route' WHERE id = 1",
               [timestamp(now - 9 * timedelta(hours=1))])  # fmt: skip
    for minutes in (0, 11):
        alert(config, db, now=now + minutes * MINUTE)
    assert reason(db, "firing", "source") == "not read for 9 hours: no route"
    db.execute("UPDATE sources SET last_success_at = ?, last_error = NULL", [timestamp(now)])
    alert(config, db, now=now + 20 * MINUTE)
    assert reason(db, "resolved", "source") == "it is read again"
    db.execute("UPDATE sources SET last_success_at = NULL, error_count = 5 WHERE id = 2")
    for minutes in (30, 41):
        alert(config, db, now=now + minutes * MINUTE)
    assert reason(db, "firing", "source") == "failed 5 times"


def test_a_disk_that_has_room_again_says_how_much(tmp_path, config, db):
    """The figure that ends the alert is in its reason."""
    now = live(db, 0, 2)
    greedy = firm(tmp_path, alerts={"source": {"min_disk_gb": 1e9}})
    for minutes in (0, 11):
        alert(greedy, db, now=now + minutes * MINUTE)
    alert(config, db, now=now + 20 * MINUTE)
    assert reason(db, "resolved", "source").endswith("GB free on the disk of the database")


# -- clocks and gaps ------------------------------------------------------------------------------


@pytest.mark.parametrize("night", ["2026-03-29", "2026-10-25"])
def test_a_drop_is_found_across_a_clock_change_as_on_any_other_day(config, db, night):
    """The day that has 23 or 25 hours is a day; the drop begins on it and is dated to it."""
    start = datetime.fromisoformat(night).replace(tzinfo=BERLIN)
    for day in range(-100, 4):
        morning = (start + timedelta(days=day)).astimezone(UTC)
        kinds = [-1, -1, -1, -1, -1, 0] if day >= 0 else [1, 1, 0, 1, -1, 1]
        for number, kind in enumerate(kinds):
            at = morning + timedelta(hours=3.5 * number, minutes=day % 7)
            say(db, at, kind)
            local = at.astimezone(BERLIN).date().isoformat()
            db.execute("UPDATE posts SET day = ? WHERE id = (SELECT max(id) FROM posts)", [local])
    set_state(db, "model", MODEL)
    rollup(db)
    now = (start + timedelta(days=4)).astimezone(UTC)
    all_read(db, now)
    alert(config, db, now=now)
    assert states(db)[-1] == "firing"
    (since,) = rows(
        db,
        "SELECT json_extract(detail, '$.since') AS day FROM alert_transitions "
        "WHERE to_state = 'firing' LIMIT 1",
    )
    assert abs(date.fromisoformat(since["day"]) - start.date()) <= DAY


@pytest.mark.parametrize(("utc", "quiet"), [
    (datetime(2026, 3, 29, 0, 45, tzinfo=UTC), False),   # 01:45, before the clocks go forward
    (datetime(2026, 3, 29, 1, 15, tzinfo=UTC), True),    # 03:15, after
    (datetime(2026, 10, 25, 0, 15, tzinfo=UTC), True),   # 02:15 for the first time
    (datetime(2026, 10, 25, 1, 15, tzinfo=UTC), True),   # 02:15 for the second time
    (datetime(2026, 10, 25, 3, 15, tzinfo=UTC), False),  # 04:15
])  # fmt: skip
def test_quiet_hours_are_hours_of_the_wall_clock(tmp_path, utc, quiet):
    """Also in the nights in which it is changed."""
    (held,) = told(tmp_path, receiver(quiet_hours="02:00-04:00")).receivers
    assert is_quiet(held, utc.astimezone(BERLIN)) is quiet


def test_a_gap_in_the_data_is_neither_a_drop_nor_a_recovery(config, db):
    """Two months in which nobody wrote, all sources read: the alert stays as it was."""
    live(db, 0, 100)
    now = live(db, 100, 7, SOUR)
    alert(config, db, now=now)
    later = now + 30 * DAY
    all_read(db, later)
    alert(config, db, now=later)
    assert states(db)[:2] == ["pending", "firing"]
    assert "resolved" not in states(db)
