"""The state machine: every row of its table, with the reason."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sentiment.decision import Evidence, Pace, Standing, course, decide
from sentiment.reasons import why

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HINTED, FELL = why("suspected"), why("fell", before=0.3, after=0.1, since="2026-03-01")
BEFORE, DOWN, FEW = why("recovered"), why("not read", names=["forum"]), why("few", authors=20)
QUIET, HINT, ALARM = Evidence(), Evidence("suspected", HINTED), Evidence("alarm", FELL)
OVER, FROZEN, UNKNOWN = Evidence(over=BEFORE), Evidence("alarm", frozen=DOWN), Evidence(unknown=FEW)
HOLDS = Pace(hold=HOUR, stay=DAY, rest=DAY)

TABLE = [
    ("ok stays ok in silence", "ok", DAY, QUIET, None),
    ("a suspicion is pending", "ok", DAY, HINT, ("pending", HINTED)),
    ("an alarm is pending first", "ok", DAY, ALARM, ("pending", FELL)),
    ("ok without data is no-data", "ok", DAY, UNKNOWN, ("no-data", FEW)),
    ("ok with a broken source is no-data", "ok", DAY, FROZEN, ("no-data", DOWN)),
    ("no-data stays without data", "no-data", DAY, UNKNOWN, None),
    ("no-data stays while frozen", "no-data", DAY, FROZEN, None),
    ("no-data ends with data", "no-data", DAY, ALARM, ("ok", why("enough"))),
    ("pending stays on a suspicion", "pending", 2 * HOUR, HINT, None),
    ("pending fires after its time", "pending", HOUR, ALARM, ("firing", FELL)),
    ("pending waits for its time", "pending", HOUR / 2, ALARM, None),
    ("pending ends in silence", "pending", HOUR, QUIET, ("ok", why("unfounded"))),
    ("pending stays while frozen", "pending", DAY, FROZEN, None),
    ("pending without data is no-data", "pending", DAY, UNKNOWN, ("no-data", FEW)),
    ("firing goes on", "firing", DAY, ALARM, None),
    ("firing goes on in silence that proves nothing", "firing", 9 * DAY, QUIET, None),
    ("firing ends when it is over", "firing", DAY, OVER, ("resolved", BEFORE)),
    ("firing lasts at least its time", "firing", HOUR, OVER, None),
    ("firing stays while frozen", "firing", 9 * DAY, FROZEN, None),
    ("firing stays without data", "firing", 9 * DAY, UNKNOWN, None),
    ("firing without data ends after two months", "firing", 60 * DAY, UNKNOWN, ("resolved", FEW)),
    ("firing under a broken source does not", "firing", 99 * DAY, FROZEN, None),
    ("a clock that was ahead holds nothing up", "firing", -9 * DAY, OVER, ("resolved", BEFORE)),
    ("resolved rests", "resolved", HOUR, QUIET, None),
    ("resolved becomes ok", "resolved", DAY, QUIET, ("ok", why("quiet"))),
    ("resolved can become pending at once", "resolved", HOUR, ALARM, ("pending", FELL)),
    ("resolved without data is no-data", "resolved", HOUR, UNKNOWN, ("no-data", FEW)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("law", "state", "ago", "seen", "expected"), TABLE, ids=[row[0] for row in TABLE]
)
def test_the_table(law, state, ago, seen, expected):
    """One step, with its reason."""
    assert decide(Standing(state, NOW - ago), seen, NOW, HOLDS) == expected


def test_what_comes_back_at_once_is_not_told_at_once():
    """Flapping: after the end an alert rests a day before it may fire again."""
    standing = Standing("pending", NOW - 2 * HOUR, ended_at=NOW - 3 * HOUR)
    assert decide(standing, ALARM, NOW, HOLDS) is None
    assert decide(standing, ALARM, NOW + DAY, HOLDS) == ("firing", FELL)


def test_a_clear_case_passes_through_pending_in_one_pass():
    """Both transitions are written."""
    steps = course(Standing("ok", NOW - DAY), ALARM, NOW, Pace())
    assert [state for state, _ in steps] == ["pending", "firing"]


def test_data_that_come_back_with_an_alarm_fire_in_one_pass():
    """no-data → ok → pending → firing."""
    steps = course(Standing("no-data", NOW - DAY), ALARM, NOW, Pace())
    assert [state for state, _ in steps] == ["ok", "pending", "firing"]


def test_an_end_ends_the_pass():
    """What is resolved is not pending again in the same breath."""
    seen = Evidence("alarm", FELL, over=BEFORE)
    steps = course(Standing("firing", NOW - DAY), seen, NOW, Pace())
    assert [state for state, _ in steps] == ["resolved"]


@pytest.mark.parametrize("day", [(2026, 3, 29), (2026, 10, 25)], ids=["spring", "autumn"])
def test_clock_changes_neither_hasten_nor_delay(day):
    """An hour is an hour when the clock is put forward or back."""
    before = datetime(*day, 1, 30, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    standing = Standing("pending", before)
    assert decide(standing, ALARM, before + 59 * timedelta(minutes=1), HOLDS) is None
    assert decide(standing, ALARM, before + HOUR, HOLDS) == ("firing", FELL)
