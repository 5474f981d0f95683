"""The rule "drop": how far and since when the mentions of a service have become worse.

Whatever is asked is computed anew from the posts in the order in which they were written, so that
posts that arrive late, are changed or vanish count as if they had always been so.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from models.labels import EKMAN
from sentiment.database import count, get_state, rows, set_state, timestamp
from sentiment.decision import Evidence
from sentiment.detection import (
    FARTHEST,
    MIN_VOTES,
    PENDING,
    Episode,
    Test,
    Votes,
    Watch,
    calibrate,
    first_guess,
    sums,
    watch,
    without_weekdays,
)
from sentiment.reasons import Reason, why
from sentiment.schema.intervals import net_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from sqlite_utils import Database

    from sentiment.config import Alerts, Config

METHOD = "5"  # changes when levels must be found anew
HISTORY = timedelta(days=400)  # watched beside the baseline
LEAST_DAYS = 14  # of a baseline
DOUBT = math.log(10)  # evidence this short of the level is still some, for an alert that fires
MUCH = 1.3  # times as many votes, and the level is found anew within the week
SUPPORT = 0.2  # share of a baseline; without such a source nothing can be said

VOTES = """
SELECT p.day, ifnull(p.author, '#' || m.id) AS voice, s.name AS source,
    min(p.posted_at) AS at, avg(k.valence) AS value, min(m.id) AS mention_id, p.url
FROM mentions m
JOIN posts p ON p.id = m.post_id
JOIN sources s ON s.id = p.source_id
JOIN scores k ON k.mention_id = m.id AND k.model = m.model
JOIN companies c ON c.id = m.company_id AND c.own = 1
WHERE m.service_id = :service AND m.model = :model AND p.duplicate_of IS NULL
    AND s.kind <> 'survey' AND p.day >= :since AND p.posted_at <= :until
GROUP BY p.source_id, p.day, voice
ORDER BY at, mention_id
"""

SOURCES = """
SELECT name, active, (SELECT min(day) FROM posts WHERE source_id = s.id) AS first_day
FROM sources s WHERE first_day IS NOT NULL
"""


@dataclass(frozen=True)
class Heard:
    """The votes on a service with what they came from; all in the same order."""

    votes: Votes
    voice: list[str]
    source: list[str]
    thread: list[str]
    mention: list[int]

    def where(self, keep: NDArray[np.bool_]) -> Heard:
        """Only those votes."""

        def pick(column: list[Any]) -> list[Any]:
            return [value for value, kept in zip(column, keep, strict=True) if kept]

        return Heard(self.votes.where(keep), pick(self.voice), pick(self.source),
                     pick(self.thread), pick(self.mention))  # fmt: skip


@dataclass(frozen=True)
class Assessed:
    """A service's votes, the test for them, and where it stands.

    start_at: POSIX seconds. aside: sources left out, for they came or went when a drop began.
    """

    heard: Heard
    test: Test
    watch: Watch
    start_at: float = -math.inf
    aside: tuple[str, ...] = ()


def heard(  # noqa: PLR0917
    db: Database,
    settings: Alerts,
    service: int,
    model: str,
    now: datetime,
    fired_at: datetime | None = None,
) -> Heard:
    """The votes on a service that count at this moment, as far back as when an alert fired."""
    since = ((fired_at or now) - settings.baseline - HISTORY).date().isoformat()
    values = {"service": service, "model": model, "since": since, "until": timestamp(now)}
    found = list(db.query(VOTES, values))
    votes = Votes(
        np.array([datetime.fromisoformat(row["at"]).timestamp() for row in found], dtype=float),
        np.array([date.fromisoformat(row["day"]).toordinal() for row in found], dtype=np.int64),
        np.array([row["value"] for row in found], dtype=float),
    )
    return Heard(
        without_weekdays(votes) if found else votes,
        [f"{row['source']}\0{row['voice']}" for row in found],
        [row["source"] for row in found],
        [_thread(row["url"]) or f"#{row['mention_id']}" for row in found],
        [row["mention_id"] for row in found],
    )


def _thread(url: str | None) -> str:
    """The page a post stands on: …/topic/7#p12, item?id=7 or watch?v=7&lc=12; one page a number."""
    return (url or "").split("#")[0].split("&")[0]


def rate(config: Config) -> float:
    """A service's share of the accepted false alarms, a year."""
    off = {one.service for one in config.alerts.services if not one.enabled}
    watched = [service for service in config.services if service.name not in off]
    return config.alerts.false_alarms_per_year / max(len(watched), 1)


_last: dict[tuple[str, int], tuple[str, Assessed | None]] = {}  # of each service, in this process


def assess_once(  # noqa: PLR0917
    db: Database,
    config: Config,
    service: int,
    model: str,
    now: datetime,
    start_at: datetime | None = None,
    *,
    fired_at: datetime | None = None,
) -> Assessed | None:
    """`assess`, unless nothing has changed since it was last asked in this process."""
    figures = rows(
        db,
        "SELECT count(*) AS n, sum(authors) AS authors, sum(mentions) AS mentions, "
        "sum(valence) AS valence, max(day) AS day FROM daily_sentiment d "
        "JOIN companies c ON c.id = d.company_id AND c.own = 1 WHERE d.service_id = ?",
        service,
    )[0]
    # some sources give times that are still to come; such posts are heard when it is so late
    ahead = count(db, "SELECT count(*) FROM posts WHERE posted_at > ?", timestamp(now))
    parts = [*figures.values(), ahead, model, f"{now:%G-W%V-%u}", str(start_at), fired_at,
             config.alerts, len(config.services)]  # fmt: skip
    stamp = hashlib.sha256(repr(parts).encode()).hexdigest()
    key = (str(config.database_path), service)
    if key not in _last or _last[key][0] != stamp:
        _last[key] = stamp, assess(db, config, service, model, now, start_at, fired_at=fired_at)
    return _last[key][1]


def assess(  # noqa: PLR0917
    db: Database,
    config: Config,
    service: int,
    model: str,
    now: datetime,
    start_at: datetime | None = None,
    *,
    fired_at: datetime | None = None,
    keep: bool = True,
) -> Assessed | None:
    """Follow a service's votes to this moment; None while there are too few.

    From the moment an alert has `fired_at` on, its level and the past that it rests on stand still,
    like its baseline: what wavers about a level that is found anew each week, or loses its first
    days each day, would be told again and again. keep: remember the level; who only tries something
    out must not.
    """
    settings = config.alerts
    found = heard(db, settings, service, model, now, fired_at)
    start = start_at.timestamp() if start_at else -math.inf
    past = found.votes
    if fired_at:  # a drop of which few speak any more has not lost what it is measured against
        past = past.where(past.at <= fired_at.timestamp())
    latest = _latest(past, settings.baseline.days)
    if len(latest) < MIN_VOTES or int(latest.day[-1] - latest.day[0]) < LEAST_DAYS:
        return None

    def calm() -> tuple[Votes, Votes]:
        return undisturbed(found.votes, settings, rate(config), start)

    week = None if fired_at else f"{now:%G-W%V}"
    test = level(
        db, settings, service, calm, rate(config), f"{model} {start}", week, len(latest), keep=keep
    )
    seen = watch(found.votes, test, start_at=start)
    aside = _came_or_went(db, found, seen.open) if seen.open else ()
    if aside:
        found = found.where(np.array([name not in aside for name in found.source]))
        seen = watch(found.votes, test, start_at=start)
    return Assessed(found, test, seen, start, aside)


def _came_or_went(db: Database, found: Heard, drop: Episode) -> tuple[str, ...]:
    """Sources that cannot be compared with the time before a drop, where others can.

    One had no post yet two weeks before, or was taken out of the configuration and is silent since:
    where people write elsewhere they are another crowd, and nobody has changed their mind.
    """
    since = {n for n, at in zip(found.source, found.votes.at, strict=True) if at >= drop.onset_at}
    known = datetime.fromtimestamp(drop.onset_at, UTC).date() - timedelta(days=LEAST_DAYS)
    aside = {
        row["name"]
        for row in rows(db, SOURCES)
        if row["first_day"] > known.isoformat() or not (row["active"] or row["name"] in since)
    }
    there = set(found.source)
    return tuple(sorted(aside & there)) if there - aside else ()


def undisturbed(
    votes: Votes, settings: Alerts, false_alarms: float, start: float
) -> tuple[Votes, Votes]:
    """The votes of the latest baseline, and of all the time: without those of drops.

    A drop that goes on ends the baseline before it.
    """
    if len(votes) < MIN_VOTES:
        return votes, votes
    baseline = settings.baseline.days
    guess = first_guess(votes, false_alarms, baseline=baseline)
    guess = replace(guess, accept_after=settings.accept_after.days)
    seen = watch(votes, guess, start_at=start)
    keep = np.ones(len(votes), dtype=bool)
    for drop in seen.episodes:
        if drop.ending != "usual":
            keep &= (votes.at < drop.onset_at) | (votes.at >= (drop.ended_at or math.inf))
        else:
            keep &= votes.at >= drop.onset_at
    if not seen.open and seen.score > -PENDING and seen.onset_at:
        keep &= votes.at < seen.onset_at
    calm = votes.where(keep)
    latest = _latest(calm, baseline)
    # one drop after the other: better a coarse baseline than none
    return (latest, calm) if len(latest) >= MIN_VOTES else (_latest(votes, baseline), votes)


def _latest(votes: Votes, days: int) -> Votes:
    return votes.where(votes.day > votes.day[-1] - days) if len(votes) else votes


def level(  # noqa: PLR0917
    db: Database,
    settings: Alerts,
    service: int,
    calm: Callable[[], tuple[Votes, Votes]],
    false_alarms: float,
    stamp: str,
    week: str | None,
    votes: int,
    *,
    keep: bool = True,
) -> Test:
    """The test for a service, found by simulation once a week or when its votes have changed much.

    calm: gives the undisturbed votes. stamp: the model, and since when it counts. week: None where
    the level that is known is to stay. votes: how many the baseline has.
    """
    parts = [METHOD, stamp, false_alarms, settings.baseline.days, settings.accept_after.days]
    fingerprint = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
    key = f"alert level {service}"
    known = json.loads(get_state(db, key) or "{}")
    stays = known.get("fingerprint") == fingerprint and (
        week is None or (known["week"] == week and 1 / MUCH < votes / known["votes"] < MUCH)
    )
    if not stays:
        quiet, ever = calm()
        test = calibrate(quiet, false_alarms, baseline=settings.baseline.days, past=ever)
        known = {"fingerprint": fingerprint, "level": test.level, "size": test.size}
        known |= {"skew": test.skew, "votes": votes, "week": week}
        if keep:
            set_state(db, key, json.dumps(known))
    return Test(
        known["level"],
        known["size"],
        known["skew"],
        settings.baseline.days,
        settings.accept_after.days,
    )


def evidence(
    assessed: Assessed | None,
    broken: list[str],
    fired_at: datetime | None,
    config: Config,
    now: datetime,
) -> Evidence:
    """What the test says, as the state machine wants to hear it. fired_at: of a firing alert."""
    if assessed is None:
        lacking = why("too few", authors=MIN_VOTES, days=LEAST_DAYS)
        # the past that an alert rests on stands still: its rows are gone, or mean something else
        return Evidence(over=why("no drop")) if fired_at else Evidence(unknown=lacking)
    seen = assessed.watch
    if lost := _missed(assessed, broken):
        return Evidence(frozen=why("not read", names=lost))
    if seen.open:
        votes = assessed.heard.votes
        if ending := outlived(seen.open, votes, config.alerts, now):
            return Evidence(over=why(ending))
        return Evidence("alarm", fell(seen.open, votes, config))
    over = _over(seen, fired_at)
    if seen.score >= -PENDING:
        return Evidence("suspected", why("suspected"), over)
    apart = why("other sources", names=list(assessed.aside)) if assessed.aside else None
    return Evidence(over=over, unknown=None if fired_at else apart)


def outlived(drop: Episode, votes: Votes, settings: Alerts, now: datetime) -> str | None:
    """How an open drop has ended that no vote can end, since there are none; None while it goes on.

    An old import ends in such a drop, or a service that people stopped speaking of.
    """
    if now.timestamp() - drop.alarm_at < settings.accept_after.total_seconds():
        return None
    silent = now.timestamp() - float(votes.at[-1])
    return "unheard" if silent > LEAST_DAYS * 86400 else "usual"


def _over(seen: Watch, fired_at: datetime | None) -> Reason | None:
    last = seen.episodes[-1] if seen.episodes else None
    if last and fired_at and (last.ended_at or 0) >= fired_at.timestamp() - 86400:
        return why(last.ending)
    # late posts and weekdays learnt anew move the evidence a little: that ends no alert
    return None if fired_at and seen.score >= -DOUBT else why("no drop")


def _missed(assessed: Assessed, broken: list[str]) -> list[str]:
    """Broken sources that gave a good part of the service's votes."""
    sources = assessed.heard.source
    return [name for name in broken if sources.count(name) >= SUPPORT * len(sources)]


def fell(drop: Episode, votes: Votes, config: Config) -> Reason:
    """How far the valence fell, and since which day in the configured time zone."""
    low = (votes.at >= drop.onset_at) & (votes.at < (drop.ended_at or math.inf))
    before, after = round(drop.mean, 2), round(float(votes.value[low].mean()), 2)
    return why("fell", before=before, after=after, since=_day(drop.onset_at, config).isoformat())


def _day(seconds: float, config: Config) -> date:
    return datetime.fromtimestamp(seconds, UTC).astimezone(config.zone).date()


def explain(
    db: Database, config: Config, service: int, assessed: Assessed, drop: Episode
) -> dict[str, Any]:
    """The facts of a message, free of any language."""
    since = assessed.heard.where(assessed.heard.votes.at >= drop.onset_at)
    before = assessed.heard.where(
        (assessed.heard.votes.at < drop.onset_at)
        & (assessed.heard.votes.at >= drop.onset_at - config.alerts.baseline.total_seconds())
    )
    mean = float(since.votes.value.mean())
    tallest = _evidence_since(since.votes, drop, assessed.test)
    first, last = _day(drop.onset_at, config), date.fromordinal(int(since.votes.day[-1]))
    return {
        "since": first.isoformat(),
        "net": _net(db, service, first, last),
        "net_before": _net(db, service, first - config.alerts.baseline, first - timedelta(days=1)),
        "before": round(100 * drop.mean, 1),
        "after": round(100 * mean, 1),
        "authors": len(since.votes),
        "authors_before": drop.votes,
        "years_between": round(min(1 / rate(config) * math.exp(min(tallest, 20.0)), 1000.0), 3),
        "emotion": _emotion(db, since, before),
        "mentions": _weightiest(since, 3),
        "sources": _shares(since),
        "without": _without(assessed, since, drop),
    }


_LOW, _HIGH = net_interval("positive", "negative", "authors")
NET = f"""
SELECT authors, 100.0 * (positive - negative) / authors AS net, {_LOW} AS low, {_HIGH} AS high
FROM (SELECT sum(authors) AS authors, sum(positive) AS positive, sum(negative) AS negative
    FROM daily_sentiment d JOIN companies c ON c.id = d.company_id AND c.own = 1
    WHERE d.service_id = ? AND d.day BETWEEN ? AND ?
        AND d.source_id NOT IN (SELECT id FROM sources WHERE kind = 'survey'))
WHERE authors > 0
"""


def _net(db: Database, service: int, first: date, last: date) -> dict[str, Any] | None:
    """The net sentiment of these days as the pages have it: authors, net, low, high (95 %)."""
    found = rows(db, NET, service, first.isoformat(), last.isoformat())
    return {name: round(value, 1) for name, value in found[0].items()} if found else None


def _evidence_since(votes: Votes, drop: Episode, test: Test) -> float:
    """The strongest evidence beyond the threshold that the votes since the onset make together."""
    z = np.minimum((drop.mean - votes.value) / drop.deviation, FARTHEST)
    trusted = drop.votes / (drop.votes + len(votes))
    known = sums(replace(test, size=1))
    totals = (known.tilt * z.sum() - len(votes) * known.cost) * trusted
    beyond = totals - sums(test).need - test.level
    return max(drop.score, float(beyond.max()))


def _emotion(db: Database, since: Heard, before: Heard) -> dict[str, Any] | None:
    """The emotion that has risen most, with its share of the mentions before and since."""
    now, then = (_emotions(db, part.mention) for part in (since, before))
    risen = max(EKMAN, key=lambda emotion: now[emotion] - then[emotion])
    if now[risen] - then[risen] < 0.05 or risen == "joy":
        return None
    return {"name": risen, "before": round(100 * then[risen]), "after": round(100 * now[risen])}


def _emotions(db: Database, mentions: list[int]) -> dict[str, float]:
    found = rows(
        db,
        "SELECT e.emotion, sum(e.probability >= 0.5) AS present FROM json_each(?) j "
        "JOIN mentions m ON m.id = j.value "
        "JOIN emotions e ON e.mention_id = m.id AND e.model = m.model GROUP BY e.emotion",
        json.dumps(mentions),
    )
    present = {row["emotion"]: row["present"] / max(len(mentions), 1) for row in found}
    return {emotion: present.get(emotion, 0.0) for emotion in EKMAN}


def _weightiest(since: Heard, number: int) -> list[int]:
    """Mentions that pull down most, no two of one author."""
    order = np.argsort(since.votes.value, kind="stable")
    chosen: dict[str, int] = {}
    for index in order.tolist():
        chosen.setdefault(since.voice[index], since.mention[index])
    return list(chosen.values())[:number]


def _shares(since: Heard) -> list[dict[str, Any]]:
    names = sorted(set(since.source), key=since.source.count, reverse=True)
    whole = len(since.source)
    return [{"name": n, "share": round(100 * since.source.count(n) / whole)} for n in names]


def _without(assessed: Assessed, since: Heard, drop: Episode) -> dict[str, bool]:
    """Whether there would be an alarm without the loudest author, thread and source."""
    weight = drop.mean - since.votes.value
    out = {}
    for name in ("voice", "thread", "source"):
        column: list[str] = getattr(since, name)
        pull: dict[str, float] = {}
        for value, one in zip(column, weight.tolist(), strict=True):
            pull[value] = pull.get(value, 0.0) + one
        loudest = max(pull, key=lambda value: pull[value])
        every = getattr(assessed.heard, name)
        keep = np.array([value != loudest for value in every])
        keep |= assessed.heard.votes.at < drop.onset_at if name != "source" else False
        rest = assessed.heard.votes.where(keep)
        seen = watch(rest, assessed.test, start_at=assessed.start_at)
        out["author" if name == "voice" else name] = seen.open is not None
    return out
