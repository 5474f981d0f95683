"""What becomes of an alert: a near-pure function of its state, the evidence and the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sentiment.reasons import Reason, why

QUIET = why("quiet")
State = Literal["ok", "pending", "firing", "resolved", "no-data"]


@dataclass(frozen=True)
class Pace:
    """How hasty a rule is.

    hold: how long evidence must last before it fires. stay: how long it fires at least. rest: how
    long after the end it stays silent, so that what comes and goes is told once. patience: how long
    it fires at most while there are no data to go by.
    """

    hold: timedelta = timedelta(0)
    stay: timedelta = timedelta(0)
    rest: timedelta = timedelta(days=1)
    patience: timedelta = timedelta(days=60)


@dataclass(frozen=True)
class Evidence:
    """What a rule sees at present.

    level: "quiet", "suspected" (worth to be marked as pending) or "alarm". over: why a firing
    alert is over; None while it goes on. unknown: why nothing can be said for lack of data.
    frozen: why what is seen may not be believed at present; nothing fires and nothing ends.
    """

    level: Literal["quiet", "suspected", "alarm"] = "quiet"
    why: Reason = QUIET
    over: Reason | None = None
    unknown: Reason | None = None
    frozen: Reason | None = None


@dataclass(frozen=True)
class Standing:
    """An alert as it stands in the database. ended_at: when it last was resolved."""

    state: State
    since: datetime
    ended_at: datetime | None = None


Transition = tuple[State, Reason]  # the new state and the reason


def decide(standing: Standing, seen: Evidence, now: datetime, pace: Pace) -> Transition | None:
    """The next state and why, or None when all stays as it is. One step; see `course`.

    What lies in the future was written by a clock that was ahead: it counts as long past, so that
    nothing waits until the right clock has come so far.
    """
    step: Transition | None = None
    since = abs(now - standing.since)
    match standing.state:
        case state if lacking := seen.frozen or seen.unknown:
            tired = seen.frozen is None and since >= pace.patience
            step = _without_data(state, lacking, broken=seen.frozen is not None, tired=tired)
        case "no-data":
            step = "ok", why("enough")
        case "ok" | "resolved" if seen.level != "quiet":
            step = "pending", seen.why
        case "resolved" if since >= pace.rest:
            step = "ok", why("quiet")
        case "pending":
            step = _pending(standing, seen, now, pace)
        case "firing" if seen.over and since >= pace.stay:
            step = "resolved", seen.over
    return step


def course(standing: Standing, seen: Evidence, now: datetime, pace: Pace) -> list[Transition]:
    """All steps that the evidence leads to at once, each a transition of its own."""
    steps: list[Transition] = []
    while len(steps) < 4 and (step := decide(standing, seen, now, pace)):
        steps.append(step)
        ended = now if step[0] == "resolved" else standing.ended_at
        standing = Standing(step[0], now, ended)
        if step[0] == "resolved":
            break
    return steps


def _without_data(state: State, lacking: Reason, *, broken: bool, tired: bool) -> Transition | None:
    """A firing alert stays as it is, for a while; so does a pending one whose source broke."""
    if state == "firing" and tired:
        return "resolved", lacking
    if state in ("ok", "resolved") or (state == "pending" and not broken):
        return "no-data", lacking
    return None


def _pending(standing: Standing, seen: Evidence, now: datetime, pace: Pace) -> Transition | None:
    if seen.level == "quiet":
        return "ok", why("unfounded")
    rested = standing.ended_at is None or abs(now - standing.ended_at) >= pace.rest
    if seen.level == "alarm" and rested and abs(now - standing.since) >= pace.hold:
        return "firing", seen.why
    return None
