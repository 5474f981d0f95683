"""What each thing that is not known costs in days, for drops at ten voices a day.

    python -m benchmarks.alerts_bound [--streams N]

All rows raise one false alarm a year on streams of the true distribution (their thresholds are
found on such streams, which nobody has in practice), with a baseline of 90 days. The last is the
sums of `sentiment.detection`, which take the deviation from the baseline, too, but not their
threshold. What the shipped test needs beyond that (docs/alerts.md) is the price of finding its
threshold from its own votes, and of the insurance against moods.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks import alerts
from benchmarks.alerts import MEAN, POINTS, SHARES, SHIFTS, Run, tilt_for
from sentiment import detection

A_DAY = 10
OTHERS = ((0.6, 0.2, 0.2), (0.75, 0.1, 0.15))  # shares of the accepted false alarms by size
# of the true distribution; its jitter has none
SKEW = float(SHARES @ (POINTS - MEAN) ** 3 / alerts.DEVIATION**3)


def sums_for_sizes(need: np.ndarray, *, mean_known: bool) -> Run:
    """Three sums of true log likelihood ratios beside each other, each beyond its own need."""
    tilts = [tilt_for(shift) for shift in SHIFTS]
    norms = [float(np.log(SHARES @ np.exp(-tilt * POINTS))) for tilt in tilts]

    def run(value: np.ndarray, window: int) -> np.ndarray:
        sums = np.pad(np.cumsum(value, axis=1), ((0, 0), (1, 0)))
        shape = (len(tilts), len(value))
        total, since, mean = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        out = np.full((len(value), value.shape[1] - window), -np.inf)
        for step in range(out.shape[1]):
            usual = (sums[:, window + step] - sums[:, step]) / window
            for k, (tilt, norm) in enumerate(zip(tilts, norms, strict=True)):
                mean[k] = MEAN if mean_known else np.where(total[k] > 0, mean[k], usual)
                at = value[:, window + step] - mean[k] + MEAN
                total[k] = np.maximum(total[k] - tilt * at - norm, 0)
                since[k] = np.where(total[k] > 0, since[k] + 1, 0)
                trusted = 1.0 if mean_known else window / (window + since[k])
                out[:, step] = np.maximum(out[:, step], total[k] * trusted - need[k])
        return out

    return run


def needs(shares: tuple[float, ...]) -> np.ndarray:
    """What each sum must show beyond the level where the false alarms are shared out so."""
    shipped = detection.sums(detection.Test(0.0, skew=SKEW)).need
    return shipped + np.log(detection.SHARES) - np.log(shares)


def rows() -> dict[str, tuple[Run, ...]]:
    """Procedures by what they know; one for each size, or one for all."""
    shipped = tuple(detection.SHARES.tolist())
    found: dict[str, tuple[Run, ...]] = {
        "all known (optimal)": tuple(map(alerts.optimal, SHIFTS)),
        "all but the mean": tuple(map(alerts.but_mean, SHIFTS)),
    }
    for shares in (shipped, *OTHERS):
        said = " ".join(f"{share:g}" for share in shares)
        need = needs(shares)
        found[f"all but the size, shares {said}"] = (sums_for_sizes(need, mean_known=True),)
        found[f"all but mean and size, shares {said}"] = (sums_for_sizes(need, mean_known=False),)
    test = detection.Test(0.0, skew=SKEW)
    found["the shipped sums: deviation from the baseline, too"] = (alerts.ours(test),)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=3000)
    streams = parser.parse_args().streams
    alerts.rng = np.random.default_rng([alerts.SEED, A_DAY, 1])
    drops = {shift: alerts.with_drop(A_DAY, streams, shift) for shift in SHIFTS}
    best: dict[float, float] = {}
    print("| known | " + " | ".join(f"{shift} σ" for shift in SHIFTS) + " |")
    print("|---|" + "---|" * len(SHIFTS))
    for name, runs in rows().items():
        cells = []
        levels = [alerts.level_for(run, A_DAY, streams) for run in runs]
        for k, shift in enumerate(SHIFTS):
            which = k % len(runs)
            days, missed = alerts.delay(runs[which], levels[which], drops[shift], A_DAY)
            best.setdefault(shift, days)
            cells.append(f"{alerts.shown(days, missed)} ({days / best[shift]:.2f})")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
