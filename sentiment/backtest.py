"""Backtest: what the rules would have said of what is stored. Nothing is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sentiment import drop, rules
from sentiment.database import get_state, timestamp
from sentiment.decision import Evidence, Standing, course
from sentiment.reasons import why
from sentiment.rules import PACE, Seen
from sentiment.survey_rule import Answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlite_utils import Database

    from sentiment.config import Config
    from sentiment.detection import Episode
    from sentiment.drop import Assessed

NOT_REPLAYED = (
    'The rule "source" is not replayed: it is not kept when sources were read, which duties failed '
    "and how full the disk was."
)


def backtest(config: Config, db: Database, now: datetime) -> list[dict[str, Any]]:
    """What these settings would have found in the last 400 days, in order of the alarms.

    A row an alarm: service (None for a customer class), rule, subject, onset_at (drops only),
    alarm_at, ended_at (None while it goes on), ending, why. The rule "source" is left out; see
    NOT_REPLAYED.
    """
    model = get_state(db, "model") or ""
    found: list[dict[str, Any]] = []
    names = {service["id"]: service["name"] for service in rules.watched(db, config)}
    for service, name in names.items():
        own = rules.of_service(config, name)
        assessed = drop.assess(db, own, service, model, now, keep=False)
        episodes = assessed.watch.episodes if assessed else []
        found += [
            _told(episode, name, assessed, own, now)
            for episode in episodes
            if assessed and episode.alarm_at >= (now - drop.HISTORY).timestamp()
        ]
        plainer = (
            (day, _beside(seen, episodes, day))
            for day in _days(now)
            for seen in rules.look(db, own, service, name, day)
        )
        found += _replayed(plainer, names)
    answers = Answers(db, config, now - drop.HISTORY, now)
    found += _replayed(((day, seen) for day in _days(now) for seen in answers.look(day)), names)
    return sorted(found, key=lambda row: str(row["alarm_at"]))


def _days(now: datetime) -> Iterator[datetime]:
    """When the rules that look once a day do so, up to now."""
    for ago in range(drop.HISTORY.days, -1, -1):
        yield now - timedelta(days=ago)


def _beside(seen: Seen, drops: list[Episode], day: datetime) -> Seen:
    """One service, one alert: while its drop is told, the plainer rules keep still."""
    at = day.timestamp()
    if any(e.alarm_at <= at and (e.ended_at is None or at < e.ended_at) for e in drops):
        return replace(seen, evidence=Evidence(over=why("told")))
    return seen


def _replayed(
    looks: Iterable[tuple[datetime, Seen]], names: dict[int, str]
) -> list[dict[str, Any]]:
    """The alarms that what was seen at these moments leads to."""
    standing: dict[tuple[str, int | None, str], Standing] = {}
    last: dict[tuple[str, int | None, str], dict[str, Any]] = {}  # alarm of each
    found: list[dict[str, Any]] = []
    for at, seen in looks:
        key = (seen.rule, seen.service, seen.subject)
        stands = standing.get(key, Standing("ok", at))
        for state, reason in course(stands, seen.evidence, at, PACE[seen.rule]):
            if state == "firing":
                last[key] = _alarm(seen, at, str(reason), names)
                found.append(last[key])
            if state == "resolved":
                last[key] |= {"ended_at": timestamp(at), "ending": str(reason)}
            stands = Standing(state, at, at if state == "resolved" else stands.ended_at)
        standing[key] = stands
    return found


def _alarm(seen: Seen, at: datetime, reason: str, names: dict[int, str]) -> dict[str, Any]:
    return {
        "service": None if seen.service is None else names[seen.service],
        "rule": seen.rule,
        "subject": seen.subject,
        "onset_at": None,
        "alarm_at": timestamp(at),
        "ended_at": None,
        "ending": "",
        "why": reason,
    }


def _told(
    episode: Episode, service: str, assessed: Assessed, config: Config, now: datetime
) -> dict[str, Any]:
    votes, ended_at, ending = assessed.heard.votes, episode.ended_at, episode.ending
    if ended_at is None and (silent := drop.outlived(episode, votes, config.alerts, now)):
        ended_at = episode.alarm_at + config.alerts.accept_after.total_seconds()
        ending = silent
    since = str(drop.fell(episode, votes, config))
    return {
        "service": service,
        "rule": "drop",
        "subject": "",
        "onset_at": _moment(episode.onset_at),
        "alarm_at": _moment(episode.alarm_at),
        "ended_at": _moment(ended_at),
        "ending": str(why(ending)) if ending else "",
        "why": since,
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else timestamp(datetime.fromtimestamp(seconds, UTC))
