"""A sequential test for drops: three CUSUMs side by side against a baseline that is only estimated.

A vote z standard deviations below the baseline is evidence d·z − d²/2 for a drop by d (the log
likelihood ratio of two normal means; Page, "Continuous inspection schemes", Biometrika 41, 1954).
Summed up and never below zero, it finds a drop of that size as early as any procedure with as few
false alarms can (Lorden, Annals of Mathematical Statistics 42, 1971; Moustakides, Annals of
Statistics 14, 1986). Since nobody knows the size beforehand, one sum is kept for each of three
(Lorden's mixture; Sparks, Journal of Quality Technology 32, 2000), and the false alarms are shared
out among them by Siegmund's approximation (Sequential Analysis, 1985).

The baseline is the mean of n₀ votes, not the truth. With a normal prior of variance 1/n₀ on its
error, the evidence of n votes shrinks by n₀ / (n₀ + n): a short baseline can prove no small drop.
A sum's baseline is taken anew whenever the sum is zero, and stands still while it is not, so that a
drop does not become its own yardstick.

The threshold is found by simulation from the service's own votes, in blocks of whole weeks, so that
bursts, weekdays and moods that last for days raise it as much as they must.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DROPS = np.array([0.25, 0.5, 1.0])  # in standard deviations of a vote
SHARES = np.array([0.5, 0.2, 0.3])  # of the accepted false alarms
MIN_VOTES = 20  # of a baseline
BLOCK = 7  # days whose means show how long moods last
ALIKE = 0.1  # correlation among the voices of a storm; 0.01 to 0.07 was measured (docs/alerts.md)
MOOD = 2.0  # days
QUARTER = 91
UNKNOWN = 100.0  # variance of a mean that is not known, in those of a vote
MOODS = np.array([1.0, 1.25, 1.5, 2.0, 3.0])  # of their variance, by moods
USUAL = np.array([0.42, 0.22, 0.17, 0.11, 0.08])
SMOOTH = 30  # votes from which on their own distribution counts for more than a normal one
STREAMS = 400  # drawn for a threshold
FASTEST = 120  # observations a day; of more votes, several make one
LEAST_DEVIATION = 0.1  # of a vote; a service that all agree on has next to none
FARTHEST = 3.0  # standard deviations that one vote can count for: no single one is an alarm
PENDING = math.log(2)  # evidence short of the threshold by a factor of two makes an alert pending
RECOVERED = math.log(100)  # evidence that a drop is over
YEAR = 365.25


@dataclass(frozen=True)
class Votes:
    """One author's voice a service and day, in the order of their posts.

    at: POSIX seconds; day: ordinal of the date in the configured zone; value: valence.
    """

    at: Floats
    day: Ints
    value: Floats

    def __len__(self) -> int:
        return len(self.value)

    def where(self, keep: NDArray[np.bool_]) -> Votes:
        """Only those votes."""
        return Votes(self.at[keep], self.day[keep], self.value[keep])

    def a_day(self) -> float:
        """Mean number of votes a day, from the first day to the last."""
        return len(self) / (int(self.day[-1] - self.day[0]) + 1) if len(self) else 0.0


@dataclass(frozen=True)
class Test:
    """What is decided before looking.

    level: evidence (log) at which an alarm is raised; size: votes that make one observation;
    skew: third standardised moment of the votes.
    """

    level: float
    size: int = 1
    skew: float = 0.0
    baseline: int = 90
    accept_after: int = 60


@dataclass(frozen=True)
class Episode:
    """A drop: since when, found when, over when and why ("recovered" or "usual"); or still open.

    mean, deviation, votes: the baseline that it is measured against. score: evidence above the
    threshold when it was found, in natural logarithms.
    """

    onset_at: float
    alarm_at: float
    mean: float
    deviation: float
    votes: int
    score: float
    ended_at: float | None = None
    ending: str = ""


@dataclass
class Watch:
    """Where a test stands after the last vote. score: evidence beyond the threshold."""

    score: float = -math.inf
    onset_at: float | None = None
    mean: float = 0.0
    deviation: float = 0.0
    votes: int = 0
    episodes: list[Episode] = field(default_factory=list)

    @property
    def open(self) -> Episode | None:
        """The drop that is not over yet."""
        return self.episodes[-1] if self.episodes and self.episodes[-1].ended_at is None else None


@dataclass(frozen=True)
class Sums:
    """What each of the three sums adds a vote, and what it must show beyond the level.

    A drop tilts the distribution of the votes exponentially until its mean has fallen by d. With
    the first three cumulants of that distribution, a vote z below the mean is evidence
    tilt·z − cost; without skewness, d·z − d²/2.
    """

    tilt: Floats
    cost: Floats
    need: Floats


def sums(test: Test) -> Sums:
    """The sums for bundles of that size. Siegmund's approximation shares out the false alarms."""
    drops = DROPS * math.sqrt(test.size)
    skew = min(max(test.skew / math.sqrt(test.size), -1.5), 0.25)
    tilt = drops if abs(skew) < 1e-3 else (1 - np.sqrt(1 - 2 * skew * drops)) / skew
    cost = tilt**2 / 2 - skew * tilt**3 / 6
    need = np.log(drops * tilt - cost) - 1.166 * tilt - np.log(SHARES)
    return Sums(tilt, cost, need)


def skewness(votes: Votes) -> float:
    """Third standardised moment, drawn towards none where there are few votes."""
    z = (votes.value - votes.value.mean()) / max(float(votes.value.std()), LEAST_DEVIATION)
    return float((z**3).mean()) * len(votes) / (len(votes) + SMOOTH)


def without_weekdays(votes: Votes) -> Votes:
    """The votes less what is usual for their weekday, as far as the data support that there is one.

    Each vote is compared with its own week, so that slow changes are no weekday effect; the seven
    means shrink towards none by the ratio of their variance to that which chance alone gives.
    """
    if len(votes) < 7 * MIN_VOTES // 2:
        return votes
    _, week = np.unique((votes.day - 1) // 7, return_inverse=True)  # ordinal 1 was a Monday
    weekday = (votes.day - 1) % 7
    rest = votes.value - (np.bincount(week, votes.value) / np.bincount(week))[week]
    n = np.maximum(np.bincount(weekday, minlength=7), 1)
    means = np.bincount(weekday, rest, minlength=7) / n
    chance = rest.var() / n
    true = max(0.0, float(np.mean(means**2 - chance)))
    effect = means * true / (true + chance + 1e-12)
    return replace(votes, value=votes.value - effect[weekday])


def without_bursts(votes: Votes) -> Votes:
    """What a busy day says counts for as many votes as it has independent ones.

    Who comes beside the usual voices of a day (and three standard deviations of their number)
    comes for the same reason and says much the same. With a correlation of ALIKE among them, n
    voices with a share s of such ones have a mean of variance 1/n + ALIKE·s²: they are worth the
    inverse (Kish's design effect, Survey Sampling, 1965). Its voices are bundled into that many
    means. What counts is the time of the day: the first hours of a storm are known to be one.
    """
    if not len(votes):
        return votes
    day, clock = np.divmod(votes.at / 86400, 1)  # in UTC: only the pace matters
    _, first, count = np.unique(day, return_index=True, return_counts=True)
    usual = len(votes) / (day[-1] - day[0] + 1)
    usual = float(np.minimum(count, 2 * usual + 2).sum() / (day[-1] - day[0] + 1))
    n = np.arange(len(votes)) - np.repeat(first, count) + 1.0
    expected = usual * clock + 3 * np.sqrt(usual * clock) + 2
    beside = np.maximum(0, 1 - expected / n)
    worth = np.minimum(n, 1 / (1 / n + ALIKE * beside**2))
    whole = (day - day[0]) * (count.max() + 1.0)
    bundle = np.ceil(np.maximum.accumulate(whole + worth) - 1e-9)
    if len(np.unique(bundle)) == len(votes):
        return votes
    _, group, size = np.unique(bundle, return_inverse=True, return_counts=True)
    last = np.cumsum(size) - 1
    return Votes(votes.at[last], votes.day[last], np.bincount(group, votes.value) / size)


def together(votes: Votes, size: int) -> Votes:
    """What the test looks at: means of so many votes each, at the time of the last.

    Bursts are bundled first; an incomplete rest waits.
    """
    votes = without_bursts(votes)
    if size == 1:
        return votes
    n = len(votes) // size * size
    last = slice(size - 1, n, size)
    value = votes.value[:n].reshape(-1, size).mean(axis=1)
    return Votes(votes.at[:n][last], votes.day[:n][last], value)


def calibrate(
    votes: Votes,
    false_alarms: float,
    *,
    baseline: int = 90,
    seed: int = 1,
    past: Votes | None = None,
) -> Test:
    """The test of a service with so many false alarms a year, from its undisturbed votes.

    Streams are drawn from the service's own votes and watched like real ones, the estimation of
    their baselines included. The level is where the share of streams without an alarm is what a
    Poisson process of that rate leaves. past: what moods are learnt from, more than the baseline.
    """
    test = prepared(votes, baseline)
    n = streams_for(votes, test, false_alarms)
    rng = np.random.default_rng(seed)
    share = rng.choice(shares_of(votes.a_day() / test.size), n, p=moods(past or votes))
    return replace(test, level=level_of(*heights(votes, test, false_alarms, share, rng)))


def prepared(votes: Votes, baseline: int) -> Test:
    """What is known of the test before its level."""
    size = max(1, math.ceil(votes.a_day() / FASTEST))
    return Test(0.0, size, skewness(votes), baseline)


def _steps(votes: Votes, test: Test, false_alarms: float) -> tuple[float, int]:
    """Accepted false alarms an observation, and observations to simulate."""
    rate = false_alarms / YEAR / max(together(votes, test.size).a_day(), 1e-3)
    return rate, int(np.clip(1 / rate, 50, 20_000))


def streams_for(votes: Votes, test: Test, false_alarms: float) -> int:
    """How many streams to draw: fewer where they are long."""
    return STREAMS if _steps(votes, test, false_alarms)[1] < 5_000 else STREAMS // 2


def heights(
    votes: Votes, test: Test, false_alarms: float, share: Floats, rng: np.random.Generator
) -> tuple[Floats, float]:
    """The highest evidence in each simulated stream, and the share that may reach the level.

    share: of the variance that a mood has, for each stream.
    """
    rate, steps = _steps(votes, test, false_alarms)
    votes = together(votes, test.size)
    window = max(len(votes), 2)
    drawn = draw(votes, share, window + steps, rng)
    return highest(drawn, window, test), math.exp(-rate * steps)


def highest(streams: Floats, window: int, test: Test) -> Floats:
    """The strongest evidence in each stream beyond its first `window` observations."""
    found = np.full(len(streams), -np.inf)
    for score, _ in scores(streams, window, test):
        np.maximum(found, score, out=found)
    return found


def level_of(highest: Floats, silent: float, weights: Floats | None = None) -> float:
    """The level that so many of the streams stay below. weights: of the streams."""
    if weights is None:
        return float(np.quantile(highest, silent))
    order = np.argsort(highest)
    below = np.cumsum(weights[order])
    return float(np.interp(silent, below / below[-1], highest[order]))


def first_guess(votes: Votes, false_alarms: float, *, baseline: int = 90) -> Test:
    """The test that independent normal votes would need; good for finding what is undisturbed."""
    size = max(1, math.ceil(votes.a_day() / FASTEST))
    rate = false_alarms / YEAR / max(votes.a_day() / size, 1e-3)
    return Test(-math.log(min(rate, 0.5)), size, skewness(votes), baseline)


def draw(votes: Votes, share: Floats, length: int, rng: np.random.Generator) -> Floats:
    """Streams (streams, length) like these votes, each with a beginning of its own.

    A vote is drawn from the votes (or, the fewer they are, from a normal distribution with their
    mean and variance) plus a mood that lasts for about two days. share: of the variance that
    the mood has, for each stream.
    """
    n, streams = len(votes), len(share)
    mean, deviation = float(votes.value.mean()), float(votes.value.std(ddof=1))
    drawn = (rng.choice(votes.value, (streams, length)) - mean) / max(deviation, 1e-9)
    normal = rng.random((streams, length)) > n / (n + SMOOTH)
    drawn[normal] = rng.standard_normal(int(normal.sum()))
    lasting = math.exp(-1 / (MOOD * max(votes.a_day(), 1e-3)))
    if share.any():
        drawn *= np.sqrt(1 - share)[:, None]
        mood, strength = rng.standard_normal(streams), np.sqrt(share)
        for step in range(length):
            fresh = rng.standard_normal(streams)
            mood = lasting * mood + math.sqrt(1 - lasting**2) * fresh
            drawn[:, step] += strength * mood
    out: Floats = mean + max(deviation, LEAST_DEVIATION) * drawn
    return out


def moods(votes: Votes) -> Floats:
    """How probable each of `MOODS` is, given the means of the days (Bayes; `USUAL` before)."""
    votes = without_bursts(votes)
    day = votes.day - votes.day[0]
    n = np.bincount(day).astype(float)
    deviation = max(float(votes.value.std(ddof=1)), LEAST_DEVIATION)
    total = np.bincount(day, votes.value - votes.value.mean()) / deviation
    return likely(mood_evidence(total[:, None], n[:, None], votes.a_day())[-1, 0])


def likely(evidence: Floats) -> Floats:
    """Probabilities from log likelihoods (..., moods)."""
    posterior = USUAL * np.exp(evidence - evidence.max(axis=-1, keepdims=True))
    out: Floats = posterior / posterior.sum(axis=-1, keepdims=True)
    return out


def mood_evidence(total: Floats, n: Floats, a_day: float) -> Floats:
    """Log likelihood of each of `MOODS` after each day (days, streams, moods).

    total, n: standardised sum and number of a day's votes (days, streams). The model is a first
    order autoregression beneath independent votes, followed by a Kalman filter (1960). Each
    quarter has an unknown mean of its own: a slow change is no mood.
    """
    share = shares_of(a_day)
    lasting = math.exp(-1 / MOOD)
    shape = (n.shape[1], len(share))
    mood, usual, log_likelihood = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    var_mood, both, var_usual = share + np.zeros(shape), np.zeros(shape), np.zeros(shape)
    out = np.empty((len(n), *shape))
    for day in range(len(n)):
        if day % QUARTER == 0:
            usual, both, var_usual = np.zeros(shape), np.zeros(shape), np.full(shape, UNKNOWN)
        mood, both = lasting * mood, lasting * both
        var_mood = lasting**2 * var_mood + (1 - lasting**2) * share
        seen = n[day, :, None] > 0
        many = np.maximum(n[day, :, None], 1)
        variance = var_mood + 2 * both + var_usual + (1 - share) / many
        error = np.where(seen, total[day, :, None] / many - mood - usual, 0)
        log_likelihood -= np.where(seen, np.log(variance) + error**2 / variance, 0) / 2
        gain_mood = np.where(seen, (var_mood + both) / variance, 0)
        gain_usual = np.where(seen, (var_usual + both) / variance, 0)
        mood, usual = mood + gain_mood * error, usual + gain_usual * error
        var_mood, both, var_usual = (
            var_mood - gain_mood**2 * variance,
            both - gain_mood * gain_usual * variance,
            var_usual - gain_usual**2 * variance,
        )
        out[day] = log_likelihood
    return out


def shares_of(a_day: float) -> Floats:
    """The share of a vote's variance that its day's mood has, for each of `MOODS`."""
    lasting = math.exp(-1 / MOOD)
    return np.minimum((MOODS - 1) * (1 - lasting) / (1 + lasting) / max(a_day, 1e-3), 0.5)


def scores(streams: Floats, window: int, test: Test) -> Iterator[tuple[Floats, NDArray[np.bool_]]]:
    """The evidence in each stream after each observation beyond the first `window` ones.

    The second array may be set where a stream is to begin anew (after an alarm).
    """
    known = sums(test)
    mean, deviation = _trailing(streams, window)
    shape = (len(streams), len(DROPS))
    total, since = np.zeros(shape), np.zeros(shape)
    mu, sigma = np.zeros(shape), np.ones(shape)
    anew = np.zeros(len(streams), dtype=bool)
    for step in range(streams.shape[1] - window):
        idle = total <= 0
        mu = np.where(idle, mean[:, step, None], mu)
        sigma = np.where(idle, deviation[:, step, None], sigma)
        z = np.minimum((mu - streams[:, window + step, None]) / sigma, FARTHEST)
        total = np.maximum(total + known.tilt * z - known.cost, 0)
        since = np.where(total > 0, since + 1, 0)
        yield (total * (window / (window + since)) - known.need).max(axis=1), anew
        if anew.any():
            total[anew] = 0
            anew[:] = False


def _trailing(streams: Floats, window: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the `window` observations before each later one."""
    steps = streams.shape[1] - window
    sums = np.pad(np.cumsum(streams, axis=1), ((0, 0), (1, 0)))
    squares = np.pad(np.cumsum(streams**2, axis=1), ((0, 0), (1, 0)))
    mean = (sums[:, window : window + steps] - sums[:, :steps]) / window
    variance = (squares[:, window : window + steps] - squares[:, :steps]) / window - mean**2
    variance *= window / (window - 1)
    return mean, np.sqrt(np.maximum(variance, LEAST_DEVIATION**2))


def watch(votes: Votes, test: Test, *, start_at: float = -math.inf) -> Watch:
    """Follow the votes from the first to the last; evidence counts from `start_at` on."""
    votes = together(votes, test.size)
    follow = _Follow(test)
    for at, day, value in zip(
        votes.at.tolist(), votes.day.tolist(), votes.value.tolist(), strict=True
    ):
        follow.see((at, day, value), counts=at >= start_at)
    return follow.seen


class _Follow:
    """The same sums as in `scores`, for one real stream with its calendar and its drops."""

    def __init__(self, test: Test) -> None:
        self.test = test
        self.seen = Watch()
        known = sums(test)
        numbers = (known.tilt.tolist(), known.cost.tolist(), (known.need + test.level).tolist())
        self.sums = [_Sum(*one) for one in zip(*numbers, strict=True)]
        self.usual = _History()
        self.low = _History()  # the votes of an open drop
        self.size_of_drop = 0.0
        self.back = 0.0  # evidence that the open drop is over

    def see(self, vote: tuple[float, int, float], *, counts: bool) -> None:
        """One more vote."""
        if self.seen.open:
            self._fallen(vote, self.seen.open)
            return
        baseline = self.usual.before(vote[1] - self.test.baseline)
        if counts and baseline and baseline.n * self.test.size >= MIN_VOTES:
            self._test(vote, baseline)
        if self.seen.open:
            self.low.add(vote)
        else:
            self.usual.add(vote)

    def _test(self, vote: tuple[float, int, float], baseline: _Baseline) -> None:
        for total in self.sums:
            total.add(vote, baseline, len(self.usual.votes))
        strongest = max(self.sums, key=lambda total: total.score)
        used = strongest.baseline or baseline
        self.seen.score = strongest.score
        self.seen.onset_at = strongest.onset_at
        self.seen.mean, self.seen.votes = used.mean, used.n * self.test.size
        self.seen.deviation = used.deviation * math.sqrt(self.test.size)
        if strongest.score >= 0:
            self._fall(vote, strongest, used)

    def _fall(self, vote: tuple[float, int, float], total: _Sum, used: _Baseline) -> None:
        onset = total.onset_at if total.onset_at is not None else vote[0]
        self.low = self.usual.cut(total.place)
        values = [value for _, _, value in self.low.votes] + [vote[2]]
        bundle = math.sqrt(self.test.size)
        fallen = (used.mean - sum(values) / len(values)) / used.deviation
        least, most = (DROPS[0] * bundle, 0.75 * bundle)
        self.size_of_drop = float(min(max(fallen, least), most))
        self.back = 0.0
        episode = Episode(
            onset, vote[0], used.mean, self.seen.deviation, self.seen.votes, total.score
        )
        self.seen.episodes.append(episode)

    def _fallen(self, vote: tuple[float, int, float], episode: Episode) -> None:
        """A vote during a drop: is it over (a sum of the other sign), or the usual state by now?"""
        self.low.add(vote)
        deviation = episode.deviation / math.sqrt(self.test.size)
        z = min((vote[2] - episode.mean) / deviation, FARTHEST)
        self.back = max(0.0, self.back + self.size_of_drop * z + self.size_of_drop**2 / 2)
        days = (vote[0] - episode.alarm_at) / 86400
        ending = "recovered" if self.back >= RECOVERED else "usual"
        if self.back < RECOVERED and days < self.test.accept_after:
            return
        if ending == "usual":
            self.usual = self.low
        self.low = _History()
        self.seen.episodes[-1] = replace(episode, ended_at=vote[0], ending=ending)
        self.seen.score, self.seen.onset_at = -math.inf, None
        for total in self.sums:
            total.begin()


@dataclass(frozen=True)
class _Baseline:
    mean: float
    deviation: float
    n: int


class _History:
    """Votes in order, with running sums for the mean and deviation of any stretch."""

    def __init__(self, votes: list[tuple[float, int, float]] | None = None) -> None:
        self.votes: list[tuple[float, int, float]] = []
        self.days: list[int] = []
        self.sums, self.squares = [0.0], [0.0]
        for vote in votes or []:
            self.add(vote)

    def add(self, vote: tuple[float, int, float]) -> None:
        self.votes.append(vote)
        self.days.append(vote[1])
        self.sums.append(self.sums[-1] + vote[2])
        self.squares.append(self.squares[-1] + vote[2] ** 2)

    def before(self, first_day: int) -> _Baseline | None:
        """Of the votes from that day on."""
        first = bisect_left(self.days, first_day)
        n = len(self.votes) - first
        if n < 2:
            return None
        mean = (self.sums[-1] - self.sums[first]) / n
        variance = (self.squares[-1] - self.squares[first]) / n - mean**2
        return _Baseline(mean, math.sqrt(max(variance * n / (n - 1), LEAST_DEVIATION**2)), n)

    def cut(self, place: int) -> _History:
        """Take the votes from a place on out of this history into one of their own."""
        later = _History(self.votes[place:])
        del self.votes[place:], self.days[place:]
        del self.sums[place + 1 :], self.squares[place + 1 :]
        return later


@dataclass
class _Sum:
    """The evidence for a drop of one size. place: of its first vote in the history."""

    tilt: float
    cost: float
    need: float
    total: float = 0.0
    n: int = 0
    onset_at: float | None = None
    place: int = 0
    baseline: _Baseline | None = None
    score: float = -math.inf

    def begin(self) -> None:
        """No evidence."""
        self.total, self.n, self.onset_at, self.baseline = 0.0, 0, None, None
        self.score = -self.need

    def add(self, vote: tuple[float, int, float], baseline: _Baseline, place: int) -> None:
        if self.total <= 0:
            self.n, self.onset_at, self.place, self.baseline = 0, vote[0], place, baseline
        used = self.baseline or baseline
        z = min((used.mean - vote[2]) / used.deviation, FARTHEST)
        self.total = self.total + self.tilt * z - self.cost
        self.n += 1
        if self.total <= 0:
            self.begin()
        else:
            self.score = self.total * (used.n / (used.n + self.n)) - self.need


@dataclass(frozen=True)
class Plan:
    """What to expect: days to a false alarm, days to see a drop, share of drops that are seen."""

    days_to_false_alarm: float
    days_to_detect: float | None
    detected: float


def plan(votes: Votes, test: Test, false_alarms: float, drop: float, *, seed: int = 2) -> Plan:
    """How long a drop of the mean by `drop` would take to be seen, within half a year."""
    days = max(votes.a_day() / test.size, 1e-3)
    votes = together(votes, test.size)
    ahead = int(np.clip(180 * days, 20, 20_000))
    drawn = draw(votes, np.zeros(200), len(votes) + ahead, np.random.default_rng(seed))
    drawn[:, len(votes) :] -= drop
    found = np.full(len(drawn), np.inf)
    for step, (score, _) in enumerate(scores(drawn, len(votes), test)):
        found[(score >= test.level) & np.isinf(found)] = (step + 1) / days
        if np.isfinite(found).all():
            break
    seen = np.isfinite(found)
    delay = float(found[seen].mean()) if seen.any() else None
    return Plan(YEAR / false_alarms, delay, float(seen.mean()))
