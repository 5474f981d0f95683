"""How often the sequential test cries wolf, and how soon it sees a drop, beside other rules.

    python -m benchmarks.alerts [--quick] [--only false-alarms|delay] [--out FOLDER]

False alarms: streams without any drop, watched for at least 2,000 years a cell, each "service" with
a baseline of its own from which its threshold is found. Delay: days from a drop to the alarm, with
every procedure set to the same rate of false alarms. Drops are exponential tilts of the valence's
distribution, for which the CUSUM that knows baseline and size is the optimal procedure
(Moustakides 1986): its rows are what nobody can beat. Our test is insured against moods, so on
these independent streams it raises fewer false alarms than it may; "at equal rates" compares it
with the optimal procedure that raises as few (in brackets).
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import alerts_fast
from sentiment.detection import (
    Test,
    Votes,
    calibrate,
    heights,
    level_of,
    likely,
    mood_evidence,
    prepared,
    scores,
    shares_of,
    together,
    without_bursts,
    without_weekdays,
)

RATE = 1.0  # false alarms a service and year
SHIFTS = (0.25, 0.5, 1.0)
VOLUMES = (1, 3, 10, 100)
YEAR = 360  # days
ANEW = 60  # days after which a threshold is found anew
STREAMS = 100  # for each mood
BASELINES = 60  # from which our test finds its threshold, each for at least FOLLOW streams
FOLLOW = 5
CALM = 50  # years after each of them in which false alarms are counted
SERVICES = {1: 100, 3: 60, 10: 40, 100: 20}  # of a cell, by voices a day
MONDAY = 738_886
POINTS = np.array([-0.9, -0.6, 0.0, 0.6, 0.9])  # valence of a voice, as reviews of services have it
SHARES = np.array([0.17, 0.07, 0.08, 0.18, 0.50])
WEEKDAY = np.array([0.15, 0.10, 0.05, 0.05, -0.05, -0.15, -0.15])
# One day in thirty brings a story: the correlation of its voices, and at most so many times the
# usual number. `alerts_real --measure` finds up to 0.04 (0.06 on few days) and 41 times.
BURSTS = {"bursts": (0.07, 40.0), "storms": (0.20, 6.0)}
# How much further than chance the means of weeks are spread; `--measure` finds 0.5 to 1.6.
MOODS = {"dependence": 1.7, "moods": 2.0}
KINDS = ("plain", "weekdays", "bursts", "dependence", "storms", "moods")

SEED = 20261124  # of what is reported; the method was tuned on others (7 and 20260301)
rng = np.random.default_rng(SEED)
USUAL = np.repeat(POINTS, np.rint(100 * SHARES).astype(int))


def valence(n: int, tilt: float = 0.0) -> np.ndarray:
    """Voices; `tilt` makes negative ones more likely."""
    if not tilt:
        return USUAL[rng.integers(0, 100, n)] + rng.normal(0, 0.07, n)
    weights = SHARES * np.exp(-tilt * POINTS)
    return rng.choice(POINTS, n, p=weights / weights.sum()) + rng.normal(0, 0.07, n)


MEAN = float(SHARES @ POINTS)
DEVIATION = float(np.sqrt(SHARES @ (POINTS - MEAN) ** 2 + 0.07**2))


def tilt_for(shift: float) -> float:
    """The tilt that lowers the mean by `shift` standard deviations."""
    low, high = 0.0, 8.0
    for _ in range(60):
        tilt = (low + high) / 2
        weights = SHARES * np.exp(-tilt * POINTS)
        fall = MEAN - float(weights @ POINTS / weights.sum())
        low, high = (tilt, high) if fall < shift * DEVIATION else (low, tilt)
    return tilt


def days_of(days: int, a_day: float, kind: str, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Day (from `first` on) and value of each voice of a stream of that kind, without any drop."""
    volume = np.full(days, float(a_day))
    mood = np.zeros(days)
    if kind in BURSTS:
        alike, most = BURSTS[kind]
        burst = rng.random(days) < 1 / 30
        factor = np.minimum(6 * (rng.pareto(1.5, days) + 1) / 1.5, most)
        volume *= np.where(burst, factor, 1) * 30 / (29 + 10)
        mood = np.where(burst, rng.normal(0, np.sqrt(alike) * DEVIATION, days), 0)
    if kind in MOODS:  # an autoregression of days that inflates the variance of a month's mean
        share = min((MOODS[kind] - 1) / (4 * a_day), 0.25)
        for day in range(1, days):
            mood[day] = 0.6 * mood[day - 1] + 0.8 * rng.normal(0, np.sqrt(share) * DEVIATION)
    day = np.repeat(np.arange(days), rng.poisson(volume))
    value = valence(len(day)) + mood[day]
    if kind == "weekdays":
        value = value + WEEKDAY[(day + first) % 7]
    return day + first, value


def votes(day: np.ndarray, value: np.ndarray) -> Votes:
    """In random order within a day, as they come."""
    at = np.sort(day + rng.random(len(day)))
    return Votes(at * 86400.0, (day + MONDAY).astype(np.int64), value)


def stacked(streams: list[np.ndarray], size: int) -> np.ndarray:
    """Bundled observations, cut to the shortest stream."""
    shortest = min(len(stream) for stream in streams) // size * size
    return np.stack([stream[:shortest].reshape(-1, size).mean(axis=1) for stream in streams])


def false_alarms(a_day: int, baseline: int, kind: str, years: int) -> tuple[np.ndarray, float]:
    """Alarms a year of each service, and the years that each was watched.

    Like the worker, the threshold is found anew as the past grows (here every two months): what
    moods a service has is learnt from all of it.
    """
    global rng  # noqa: PLW0603 - each cell has streams of its own, in whatever order it is asked
    rng = np.random.default_rng([SEED, a_day, baseline, KINDS.index(kind)])
    services = SERVICES[a_day]
    each = math.ceil(years * 365.25 / YEAR / services)
    watched = each * YEAR / 365.25
    rates = np.empty(services)
    for service in range(services):
        day, value = days_of(baseline, a_day, kind)
        while len(value) < 20:
            day, value = days_of(baseline, a_day, kind)
        past = without_weekdays(votes(day, value))
        levels = Levels(past, baseline, service)
        window = len(together(past, levels.test.size))
        streams = []
        for _ in range(each):
            later, more = days_of(YEAR, a_day, kind, baseline)
            whole = votes(np.concatenate([day, later]), np.concatenate([value, more]))
            streams.append(without_weekdays(whole))
        level = levels.over_time(streams, baseline)
        value_of = stacked([together(whole, levels.test.size).value for whole in streams], 1)
        rates[service] = alerts_fast.alarms(value_of, window, levels.test, level) / watched
    return rates, watched


class Levels:
    """A service's threshold: found once for each mood, mixed as its past makes them likely."""

    def __init__(self, past: Votes, baseline: int, seed: int) -> None:
        self.test = prepared(past, baseline)
        self.a_day, self.each = past.a_day(), STREAMS
        shares = np.repeat(shares_of(past.a_day() / self.test.size), self.each)
        self.highest, self.silent = heights(
            past, self.test, RATE, shares, np.random.default_rng([SEED, seed])
        )

    def over_time(self, streams: list[Votes], baseline: int) -> np.ndarray:
        """The level that the worker would use in each stream after each `ANEW` days."""
        days = baseline + YEAR
        total, n = np.zeros((days, len(streams))), np.zeros((days, len(streams)))
        for column, whole in enumerate(map(without_bursts, streams)):
            known = whole.day - MONDAY < baseline
            z = (whole.value - whole.value[known].mean()) / whole.value[known].std()
            total[:, column] = np.bincount(whole.day - MONDAY, z, days)
            n[:, column] = np.bincount(whole.day - MONDAY, minlength=days)
        evidence = mood_evidence(total, n, self.a_day)[baseline - 1 : -1 : ANEW]
        return np.array(
            [
                [level_of(self.highest, self.silent, np.repeat(w, self.each)) for w in at]
                for at in likely(evidence)
            ]
        ).T


@dataclass
class Drops:
    """Streams (streams, votes) with a drop after `before` votes; `window` of them are baseline."""

    value: np.ndarray
    window: int
    before: int


def with_drop(a_day: int, streams: int, shift: float) -> Drops:
    window, warm = 90 * a_day, max(30 * a_day, 60)
    after = int(min(400 * a_day, 1200 / shift**2))
    tilt = tilt_for(shift)
    value = np.stack(
        [np.concatenate([valence(window + warm), valence(after, tilt)]) for _ in range(streams)]
    )
    return Drops(value, window, window + warm)


Run = Callable[[np.ndarray, int], np.ndarray]  # streams, window → statistic after each later vote


def optimal(shift: float) -> Run:
    """CUSUM of the log likelihood ratio, which is linear in the valence."""
    tilt = tilt_for(shift)
    weights = SHARES * np.exp(-tilt * POINTS)
    # the jitter around the five points is not tilted: it carries next to nothing
    log_norm = float(np.log(weights.sum()))

    def run(value: np.ndarray, window: int) -> np.ndarray:
        total = np.zeros(len(value))
        out = np.empty((len(value), value.shape[1] - window))
        for step in range(out.shape[1]):
            total = np.maximum(total - tilt * value[:, window + step] - log_norm, 0)
            out[:, step] = total
        return out

    return run


def but_mean(shift: float) -> Run:
    """The same, but for the mean, which it takes from the baseline: what 90 days alone cost.

    Its evidence shrinks by n₀ / (n₀ + n), as the likelihood ratio does that averages over the
    mean: no procedure that treats all means alike has a better one.
    """
    tilt = tilt_for(shift)
    weights = SHARES * np.exp(-tilt * POINTS)
    log_norm = float(np.log(weights.sum()))

    def run(value: np.ndarray, window: int) -> np.ndarray:
        sums = np.pad(np.cumsum(value, axis=1), ((0, 0), (1, 0)))
        total, since, mean = np.zeros(len(value)), np.zeros(len(value)), np.zeros(len(value))
        out = np.empty((len(value), value.shape[1] - window))
        for step in range(out.shape[1]):
            usual = (sums[:, window + step] - sums[:, step]) / window
            mean = np.where(total > 0, mean, usual)
            at = value[:, window + step] - mean + MEAN
            total = np.maximum(total - tilt * at - log_norm, 0)
            since = np.where(total > 0, since + 1, 0)
            out[:, step] = total * window / (window + since)
        return out

    return run


def ours(test: Test) -> Run:
    size = test.size

    def run(value: np.ndarray, window: int) -> np.ndarray:
        bundled = stacked(list(value), size)
        found = np.stack([s.copy() for s, _ in scores(bundled, window // size, test)], axis=1)
        out = np.full((len(value), value.shape[1] - window), -np.inf)
        known = np.repeat(found, size, axis=1)[:, : out.shape[1] - size + 1]
        out[:, size - 1 : size - 1 + known.shape[1]] = known
        return out

    return run


def moving(a_day: int, short: int, long: int, *, standard_error: bool) -> Run:
    """Mean of the last `short` days against that of the last `long`, looked at once a day."""

    def run(value: np.ndarray, window: int) -> np.ndarray:
        sums = np.pad(np.cumsum(value, axis=1), ((0, 0), (1, 0)))
        squares = np.pad(np.cumsum(value**2, axis=1), ((0, 0), (1, 0)))
        out = np.full((len(value), value.shape[1] - window), -np.inf)
        m, n = short * a_day, long * a_day
        for end in range(window + a_day, value.shape[1] + 1, a_day):
            late = (sums[:, end] - sums[:, end - m]) / m
            early = (sums[:, end] - sums[:, end - n]) / n
            spread = np.sqrt(
                np.maximum((squares[:, end] - squares[:, end - n]) / n - early**2, 0.01)
            )
            error = spread * np.sqrt(1 / m + 1 / n) if standard_error else spread
            out[:, end - window - 1] = (early - late) / error
        return out

    return run


def level_for(run: Run, a_day: int, streams: int, rate: float = RATE) -> float:
    """The threshold at which streams without a drop raise so many alarms a year."""
    window, year = 90 * a_day, int(365.25 * a_day)
    value = np.stack([valence(window + year) for _ in range(streams)])
    return float(np.quantile(run(value, window).max(axis=1), np.exp(-rate)))


def delay(run: Run, level: float, drops: Drops, a_day: int) -> tuple[float, float]:
    """Mean days to an alarm, and the share of drops never seen."""
    found = run(drops.value, drops.window) >= level
    quiet = drops.before - drops.window
    fair = ~found[:, :quiet].any(axis=1)  # no false alarm before
    late = found[fair, quiet:]
    seen = late.any(axis=1)
    return float((late[seen].argmax(axis=1) + 1).mean()) / a_day, 1 - float(seen.mean())


@dataclass(frozen=True)
class Ours:
    """What the whole procedure reaches: days to an alarm, share missed, false alarms a year."""

    days: float
    missed: float
    rate: float


def our_delay(drops: Drops, a_day: int, known: int = 0) -> Ours:
    """The whole procedure: its threshold found from a baseline, once for each group of streams.

    known: days before the baseline, from which the worker has learnt what moods there are.
    """
    streams = np.arange(len(drops.value))
    groups = np.array_split(streams, max(1, min(BASELINES, len(streams) // FOLLOW)))
    reached = []
    for seed, group in enumerate(groups):
        day = np.arange(drops.window) // a_day
        own = drops.value[group[0], : drops.window]
        earlier = np.arange(known * a_day) // a_day
        past = votes(
            np.concatenate([earlier, known + day]), np.concatenate([valence(len(earlier)), own])
        )
        test = calibrate(votes(day, own), RATE, seed=seed, past=past)
        part = Drops(drops.value[group], drops.window, drops.before)
        rate = calm_rate(own, test, a_day)
        reached.append((*delay(ours(test), test.level, part, a_day), rate))
    return Ours(*np.average(reached, axis=0, weights=[len(group) for group in groups]).tolist())


def calm_rate(own: np.ndarray, test: Test, a_day: int) -> float:
    """False alarms a year that a test raises on independent streams after its own baseline."""
    calm = [np.concatenate([own, valence(int(365.25 * a_day))]) for _ in range(CALM)]
    level = np.full((CALM, 1), test.level)
    window = len(own) // test.size
    return alerts_fast.alarms(stacked(calm, test.size), window, test, level) / CALM


def river_adwin(drops: Drops, streams: int, a_day: int) -> list[tuple[float, float]]:
    """river's ADWIN with the delta that gives RATE; nearest of a grid."""
    from river import drift

    def first(stream: np.ndarray, start: int, delta: float) -> float:
        test = drift.ADWIN(delta=delta, clock=1 if a_day < 10 else a_day // 2)
        for step, one in enumerate(stream):
            test.update(one)
            if step >= start and test.drift_detected:
                return step - start + 1
        return np.inf

    year = int(365.25 * a_day)
    calm = [valence(90 * a_day + year) for _ in range(streams)]
    best = min(
        (0.3, 0.1, 0.03, 0.01, 0.002),
        key=lambda delta: abs(
            np.mean([np.isinf(first(s, 90 * a_day, delta)) for s in calm]) - np.exp(-RATE)
        ),
    )
    found = np.array([first(s, drops.before, best) for s in drops.value[:streams]])
    seen = np.isfinite(found)
    return [(float(found[seen].mean()) / a_day if seen.any() else np.inf, 1 - float(seen.mean()))]


def river_page_hinkley(drops: Drops, level: float, streams: int, a_day: int) -> tuple[float, float]:
    """river's own PageHinkley, at the threshold that its fast version needs."""
    from river import drift

    found = []
    for stream in drops.value[:streams]:
        test = drift.PageHinkley(
            min_instances=30, delta=0.125 * DEVIATION, threshold=level, alpha=1.0, mode="down"
        )
        first = np.inf
        for step, one in enumerate(stream):
            test.update(one)
            if test.drift_detected and step >= drops.before:
                first = step - drops.before + 1
                break
        found.append(first)
    seen = np.isfinite(found)
    days = float(np.array(found)[seen].mean()) / a_day if seen.any() else np.inf
    return days, 1 - float(seen.mean())


def cells(years: int, volumes: tuple[int, ...], kinds: tuple[str, ...], out: Path) -> dict:
    """The rates of false alarms by cell; those that the file has are not measured again."""
    known = {}
    if out.exists():
        for line in out.read_text("utf-8").splitlines():
            row = json.loads(line)
            known[tuple(row["cell"])] = row
    for kind in kinds:
        for a_day in volumes:
            for baseline in (30, 90):
                cell = (a_day, baseline, kind)
                if cell in known and known[cell]["years"] >= years:
                    continue
                started = time.process_time()
                rates, watched = false_alarms(a_day, baseline, kind, years)
                known[cell] = {
                    "cell": cell,
                    "rate": round(float(rates.mean()) / RATE, 3),
                    "error": round(float(rates.std(ddof=1)) / len(rates) ** 0.5 / RATE, 3),
                    "years": round(watched * len(rates)),
                }
                with out.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(known[cell]) + "\n")
                print(f"  {known[cell]} {time.process_time() - started:.0f} s", flush=True)
    return known


def table(known: dict) -> list[str]:
    """Cells as a table."""
    lines = [
        f"| voices a day | baseline | {' | '.join(KINDS)} |",
        "|---|---|" + "---|" * len(KINDS),
    ]
    for a_day in VOLUMES:
        for baseline in (30, 90):
            row = [known.get((a_day, baseline, kind)) for kind in KINDS]
            shown = [
                f"{cell['rate']:.2f} ± {1.96 * cell['error']:.2f}" if cell else "–" for cell in row
            ]
            lines.append(f"| {a_day} | {baseline} d | {' | '.join(shown)} |")
    return lines


def print_delays(streams: int, volumes: tuple[int, ...]) -> tuple[list[str], dict]:
    lines = [
        (
            "| voices a day | drop | optimal, all known | all but the mean | ratio | ours | ratio "
            "| at equal rates | ours, a year known | ratio | at equal rates | 7 d against 28 d "
            "| 24 h against 7 d | PageHinkley | ADWIN |"
        ),
        "|" + "---|" * 15,
    ]
    drawn: dict = {}
    global rng  # noqa: PLW0603 - each volume has streams of its own, whichever are asked for
    for a_day in volumes:
        rng = np.random.default_rng([SEED, a_day])
        n = streams if a_day < 100 else max(60, streams // 5)
        rules = {
            "7 d against 28 d": moving(a_day, 7, 28, standard_error=True),
            "24 h against 7 d": moving(a_day, 1, 7, standard_error=False),
        }
        if a_day < 100:
            rules["PageHinkley"] = page_hinkley
        levels = {name: level_for(run, a_day, n) for name, run in rules.items()}
        for shift in SHIFTS:
            drops = with_drop(a_day, n, shift)
            best = optimal(shift)
            at_best, _ = delay(best, level_for(best, a_day, 2 * n), drops, a_day)
            mine, later = our_delay(drops, a_day), our_delay(drops, a_day, known=275)
            mean = but_mean(shift)
            bound, none = delay(mean, level_for(mean, a_day, 2 * n), drops, a_day)
            row = [shown(bound, none), f"{bound / at_best:.2f}"]
            for reached in (mine, later):
                level = level_for(best, a_day, 2 * n, reached.rate)
                as_rare, _ = delay(best, level, drops, a_day)
                row += [shown(reached.days, reached.missed), f"**{reached.days / at_best:.2f}**"]
                row.append(f"{reached.days / as_rare:.2f} ({reached.rate:.2f})")
            for name, run in rules.items():
                row.append(shown(*delay(run, levels[name], drops, a_day)))
            if a_day < 100:
                row[-1] = shown(
                    *river_page_hinkley(drops, levels["PageHinkley"], min(n, 100), a_day)
                )
                row.append(shown(*river_adwin(drops, min(n, 40), a_day)[0]))
            row += ["–"] * (12 - len(row))
            lines.append(f"| {a_day} | {shift} σ | {at_best:.1f} d | " + " | ".join(row) + " |")
            drawn[a_day, shift] = (at_best, mine.days)
            print(lines[-1], flush=True)
    return lines, drawn


def page_hinkley(value: np.ndarray, window: int) -> np.ndarray:
    """The statistic of river's PageHinkley (mean of all so far, a delta, no forgetting)."""
    total, least = np.zeros(len(value)), np.zeros(len(value))
    mean = np.zeros(len(value))
    out = np.empty((len(value), value.shape[1] - window))
    for step in range(value.shape[1]):
        mean += (value[:, step] - mean) / (step + 1)
        total += value[:, step] - mean + 0.125 * DEVIATION
        least = np.maximum(least, total)
        if step == window:
            total[:], least[:] = 0, 0
        if step >= window:
            out[:, step - window] = least - total
    return out


def shown(days: float, lost: float) -> str:
    if lost > 0.98:
        return "never"
    return f"{days:.1f} d" + (f" ({100 * lost:.0f} % missed)" if lost >= 0.005 else "")


def picture(drawn: dict) -> str:
    """Delay against volume, both on logarithmic axes, as SVG."""

    def place(a_day: float, days: float) -> tuple[float, float]:
        return 60 + 190 * np.log10(a_day), 330 - 95 * np.log10(max(days, 0.1) * 10)

    parts = [
        (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 380" '
            'font-family="sans-serif" font-size="12">'
        ),
        '<rect width="560" height="380" fill="white"/>',
        (
            '<text x="60" y="20">Days to the alarm against voices a day; '
            "dashed: optimal, all known</text>"
        ),
    ]
    for days in (0.1, 1, 10, 100):
        _, y = place(1, days)
        parts.append(
            f'<path d="M60 {y:.0f}H450" stroke="#ddd"/><text x="20" y="{y + 4:.0f}">{days:g}</text>'
        )
    for a_day in sorted({key[0] for key in drawn}):
        x, _ = place(a_day, 1)
        parts.append(f'<text x="{x - 8:.0f}" y="350">{a_day}</text>')
    for shift, colour in zip(SHIFTS, ("#1b6ca8", "#c77700", "#8a1c5b"), strict=True):
        for which, dash in ((0, "5 4"), (1, "0")):
            points = [place(a, d[which]) for (a, s), d in sorted(drawn.items()) if s == shift]
            path = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
            parts.append(
                f'<polyline points="{path}" fill="none" stroke="{colour}" '
                f'stroke-width="2" stroke-dasharray="{dash}"/>'
            )
        x, y = points[-1]
        parts.append(f'<text x="{x + 8:.0f}" y="{y + 4:.0f}" fill="{colour}">{shift:g} σ</text>')
    return "\n".join([*parts, "</svg>\n"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few years and streams")
    parser.add_argument("--only", choices=("false-alarms", "delay"))
    parser.add_argument("--volumes", type=int, nargs="+", default=VOLUMES)
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--out", type=Path, default=Path("docs/measured"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.only != "delay":
        years = 200 if given.quick else 2000
        found = given.out / "alerts-false-alarms.jsonl"
        lines = table(cells(years, tuple(given.volumes), tuple(given.kinds), found))
        (given.out / "alerts-false-alarms.md").write_text("\n".join(lines) + "\n", "utf-8")
        print("\n".join(lines))
    if given.only != "false-alarms":
        lines, drawn = print_delays(120 if given.quick else 1500, tuple(given.volumes))
        (given.out / "alerts-delay.md").write_text("\n".join(lines) + "\n", "utf-8")
        (given.out / "alerts-delay.svg").write_text(picture(drawn), "utf-8")
        print("\n".join(lines))


if __name__ == "__main__":
    main()
