"""The rule "survey": NPS or CSAT of a service, or of a watched customer class, falls.

Answers are read once, added up by day as the views have them; every look at a moment between adds
up days. So a pass of the worker and a backtest over a year are the same few queries.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from sentiment.database import day_of, rows
from sentiment.decision import Evidence
from sentiment.reasons import why
from sentiment.rules import Seen, of_service, watched
from sentiment.schema.intervals import Z
from sentiment.schema.survey_views import figured, parts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlite_utils import Database

    from sentiment.config import Config

METRICS = ("nps", "csat")
BEFORE = 3  # windows that a window is compared with
Subject = tuple[int | None, str | None]  # service or customer class
Scale = tuple[str, float, float]
SCALE = ("metric", "scale_low", "scale_high")  # and the ends of the scale it was asked on
SUMS = ("n", "people", "w", "ww", "wx", "wu", "wuu")

_DAYS = parts(
    "day",
    # all services, named for the index's sake, which begins with them
    "period BETWEEN :first AND :last "
    "AND ifnull(service_id, 0) IN (SELECT value FROM json_each(:services))",
    "day BETWEEN :first AND :last",
)
_ADDED = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
DAYS = f"""
WITH {_DAYS}
SELECT service_id, NULL AS segment, metric, scale_low, scale_high, period,
    max(people) AS most, {_ADDED}
FROM parts WHERE service_id IS NOT NULL AND metric IN (SELECT value FROM json_each(:metrics))
GROUP BY service_id, metric, scale_low, scale_high, period
UNION ALL
SELECT NULL, segment, metric, scale_low, scale_high, period, max(people), {_ADDED}
FROM parts WHERE segment IN (SELECT value FROM json_each(:segments))
    AND metric IN (SELECT value FROM json_each(:metrics))
GROUP BY segment, metric, scale_low, scale_high, period
ORDER BY service_id, segment, metric, scale_low, scale_high
"""
# Respondents of the days on which few answered. Those whose answers are unlinked ("-…") have
# another name each day, and may all be one person.
FEW = f"""
WITH {_DAYS}
SELECT s.service_id, s.segment, s.metric, s.scale_low, s.scale_high, s.period, r.respondent
FROM parts s CROSS JOIN survey_responses r
    ON r.service_id IS s.service_id AND r.day = s.period AND r.segment IS s.segment
    AND r.metric = s.metric AND r.scale_low = s.scale_low AND r.scale_high = s.scale_high
WHERE s.people < :least AND s.metric IN (SELECT value FROM json_each(:metrics))
    AND ifnull(r.respondent, '') NOT LIKE '-%'
"""
FIGURE = figured("SELECT " + ", ".join(f":{name} AS {name}" for name in SCALE + SUMS))


@dataclass(frozen=True)
class Whom:
    """A service or a customer class, and the configuration that counts for it."""

    config: Config
    service: int | None = None
    segment: str | None = None


class Answers:
    """The answers that the rule looks at from one moment to another; both may be the same."""

    def __init__(self, db: Database, config: Config, since: datetime, until: datetime) -> None:
        self.whom = _whom(db, config)
        if not self.whom:
            return
        self._db, self._zone, self._least = db, config.zone, config.surveys.min_responses
        longest = max(whom.config.alerts.survey.window for whom in self.whom)
        self._values = {
            "first": day_of(since - (1 + BEFORE) * longest, config.zone),
            "last": day_of(until, config.zone),
            "services": json.dumps(
                [0, *(row["id"] for row in rows(db, "SELECT id FROM services"))]
            ),
            "metrics": json.dumps(METRICS),
            "segments": json.dumps([whom.segment for whom in self.whom if whom.segment]),
        }
        days = (date.fromisoformat(self._values[end]).toordinal() for end in ("first", "last"))
        self._first, self._last = days
        self._asked: dict[Subject, list[_Asked]] = {}
        for (subject, scale), found in groupby(db.query(DAYS, self._values), _asked_of):
            asked = _Asked(scale, self._first, self._last, list(found))
            self._asked.setdefault(subject, []).append(asked)

    def look(self, now: datetime) -> Iterator[Seen]:
        """What the rule sees at a moment, by the answers up to and with its day."""
        for whom in self.whom:
            for metric in METRICS:
                yield self._look(whom, metric, now)

    def _look(self, whom: Whom, metric: str, now: datetime) -> Seen:
        """The last window against those before it, on the scale most used in it."""
        rule = whom.config.alerts.survey
        start, middle, end = (
            date.fromisoformat(day_of(now - windows * rule.window, self._zone)).toordinal()
            for windows in (1 + BEFORE, 1, 0)
        )
        subject = f"{metric} {whom.segment}" if whom.segment else metric
        whose = (whom.service, whom.segment)
        scales = [one for one in self._asked.get(whose, []) if one.scale[0] == metric]
        asked = max(scales, key=lambda one: one.count(middle, end), default=None)
        if asked is None or not all(
            asked.count(*window) >= rule.min_answers and self._enough(whose, asked, *window)
            for window in ((start, middle), (middle, end))
        ):
            lacking = Evidence(unknown=why("few answers", answers=rule.min_answers))
            return Seen("survey", whom.service, subject, lacking)
        before, after = asked.sums(start, middle), asked.sums(middle, end)
        return _fallen(whom, subject, self._figure(before), self._figure(after))

    def _enough(self, whose: Subject, asked: _Asked, after: int, until: int) -> bool:
        """Whether people enough to tell a figure of answered."""
        if asked.most(after, until) >= self._least:
            return True
        by_day = self._few.get((whose, asked.scale), {})
        people: set[str] = set()
        for day in range(after + 1, until + 1):
            people.update(by_day.get(day, ()))
            if len(people) >= self._least:
                return True
        return False

    @cached_property
    def _few(self) -> dict[tuple[Subject, Scale], dict[int, list[str]]]:
        """Who answered on days on which few did; the anonymous are one person each."""
        found: dict[tuple[Subject, Scale], dict[int, list[str]]] = {}
        for number, row in enumerate(self._db.query(FEW, self._values | {"least": self._least})):
            (service, segment), scale = _asked_of(row)
            day = date.fromisoformat(row["period"]).toordinal()
            for whose in ((service, None), (None, segment)):
                by_day = found.setdefault((whose, scale), {})
                by_day.setdefault(day, []).append(row["respondent"] or f"#{number}")
        return found

    def _figure(self, sums: dict[str, Any]) -> dict[str, Any]:
        """mean, low, high and n, as the views compute them."""
        return next(iter(self._db.query(FIGURE, sums)))


def _whom(db: Database, config: Config) -> list[Whom]:
    """Nobody where there are no surveys."""
    if not rows(db, "SELECT 1 FROM survey_responses LIMIT 1"):
        return []
    whom = [Whom(of_service(config, row["name"]), row["id"]) for row in watched(db, config)]
    whom += [Whom(config, segment=segment) for segment in config.alerts.survey.segments]
    return [one for one in whom if one.config.alerts.survey.enabled]


def _asked_of(row: dict[str, Any]) -> tuple[Subject, Scale]:
    scale = (row["metric"], row["scale_low"], row["scale_high"])
    return (row["service_id"], row["segment"]), scale


class _Asked:
    """Answers of a subject on a scale, added up by day.

    Days are ordinals; windows begin after one day and end with another.
    """

    def __init__(self, scale: Scale, first: int, last: int, days: list[dict[str, Any]]) -> None:
        self.scale, self._first = scale, first
        self._sums = np.zeros((last - first + 1, len(SUMS)))
        self._most = np.zeros(last - first + 1)
        for row in days:
            at = date.fromisoformat(row["period"]).toordinal() - first
            self._sums[at] = [row[name] for name in SUMS]
            self._most[at] = row["most"]

    def count(self, after: int, until: int) -> float:
        """How many answers."""
        return float(self._sums[self._within(after, until), SUMS.index("n")].sum())

    def most(self, after: int, until: int) -> float:
        """People of the day on which most answered: so many there surely are."""
        return float(self._most[self._within(after, until)].max(initial=0))

    def sums(self, after: int, until: int) -> dict[str, Any]:
        """Scale and sums as a row of survey_sums has them; people count once a day."""
        added = self._sums[self._within(after, until)].sum(axis=0).tolist()
        return dict(zip(SCALE + SUMS, (*self.scale, *added), strict=True))

    def _within(self, after: int, until: int) -> slice:
        return slice(after + 1 - self._first, until + 1 - self._first)


def _fallen(whom: Whom, subject: str, early: dict[str, Any], late: dict[str, Any]) -> Seen:
    rule = whom.config.alerts.survey
    # the two intervals put together, as for changes in the views (MOVER)
    fall = early["mean"] - late["mean"]
    z = Z * fall / max(math.hypot(early["mean"] - early["low"], late["high"] - late["mean"]), 1e-9)
    name, _, segment = subject.partition(" ")
    metric = f"{name.upper()} {segment}".strip()  # a class is written as it was given
    lower = why("scored lower", metric=metric, before=early["mean"], after=late["mean"])
    over = why("scored again", metric=metric) if z < rule.z / 2 else None
    facts = {
        "before": round(early["mean"], 2),
        "after": round(late["mean"], 2),
        "answers": int(late["n"]),
    }
    level = Evidence("alarm" if z >= rule.z else "quiet", lower, over)
    return Seen("survey", whom.service, subject, level, facts)
