"""How often 95 % intervals hold the truth: python benchmarks/coverage.py [--trials 20000]

Draws answers from known distributions and asks the views' own SQL for the intervals. For scores of
n answers between 1 and 5, or -1, 0 and 1, everything that can come out is drawn many times; beside
it Student's t interval (scipy) on the same draws. The issue asks for 94 to 96.5 %.
"""

from __future__ import annotations

import argparse
import math
import sqlite3
import sys

import numpy as np

from sentiment.schema.intervals import mean_bounds, share_interval

SIZES = (20, 30, 50, 100, 200, 500, 1000, 2000)
WANTED = (0.94, 0.965)
NPS = {
    # shares of detractors, passives, promoters
    "NPS -40": (0.55, 0.30, 0.15),
    "NPS 0": (0.30, 0.40, 0.30),
    "NPS 30": (0.20, 0.30, 0.50),
    "NPS 40": (0.125, 0.35, 0.525),
    "NPS 70": (0.05, 0.20, 0.75),
}
CSAT = {
    "usual (airport)": (0.003, 0.014, 0.18, 0.55, 0.253),
    "happy": (0.02, 0.02, 0.05, 0.2, 0.71),
    "crowded at 5": (0.01, 0.01, 0.03, 0.1, 0.85),
    "split": (0.2, 0.05, 0.05, 0.1, 0.6),
    "middle": (0.1, 0.2, 0.4, 0.2, 0.1),
    "sad": (0.5, 0.25, 0.15, 0.07, 0.03),
}
CES = {
    "easy": (0.02, 0.03, 0.05, 0.1, 0.2, 0.35, 0.25),
    "hard": (0.3, 0.25, 0.2, 0.1, 0.08, 0.05, 0.02),
}
SHARES = {f"share {p}": p for p in (0.3, 0.5, 0.7, 0.82, 0.9)}


def bounds(sql: tuple[str, str], rows: list[tuple[float, ...]]) -> np.ndarray:
    """The intervals of many trials, (trials, 2), computed by SQLite."""
    with sqlite3.connect(":memory:") as db:
        db.execute("CREATE TABLE trials (id INTEGER PRIMARY KEY, a REAL, b REAL, n REAL)")
        db.executemany("INSERT INTO trials (a, b, n) VALUES (?, ?, ?)", rows)
        found = db.execute(f"SELECT {sql[0]}, {sql[1]} FROM trials ORDER BY id").fetchall()
    db.close()
    return np.array(found)


def mean_coverage(p: np.ndarray, n: int, trials: int, chance: np.random.Generator) -> list[float]:
    """Of our interval, and of Student's."""
    from scipy import stats

    p = p / p.sum()
    u = np.linspace(-1, 1, len(p))
    drawn = chance.multinomial(n, p, trials)
    mean, square = drawn @ u / n, drawn @ u**2 / n
    rows = [(a, b, n) for a, b in zip(mean.tolist(), square.tolist(), strict=True)]
    found = bounds(mean_bounds("a", "b", "n"), rows)
    truth = 100 * float(p @ u)
    inside = (found[:, 0] <= truth) & (truth <= found[:, 1])
    error = np.sqrt(np.maximum(square - mean**2, 0) / (n - 1))
    student = abs(mean - p @ u) <= stats.t.ppf(0.975, n - 1) * error
    return [float(inside.mean()), float(student.mean())]


def share_coverage(p: float, n: int) -> float:
    """Exact: every number of good answers, by its probability."""
    rows = [(k / n, 0.0, n) for k in range(n + 1)]
    found = bounds(share_interval("a", "n"), rows)
    inside = (found[:, 0] <= 100 * p) & (100 * p <= found[:, 1])
    log = [math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
           + k * math.log(p) + (n - k) * math.log(1 - p) for k in range(n + 1)]  # fmt: skip
    return float((np.exp(log) * inside).sum())


def main() -> int:
    """Print a table for each figure; exit status 1 when a mean's interval is out of bounds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trials", type=int, default=20_000)
    trials = options.parse_args().trials
    chance = np.random.default_rng(1)
    outside = cells = 0
    print(f"coverage in percent, {trials:,} trials; in brackets Student's t")
    print(f"{'':18}" + "".join(f"{f'n={n}':>14}" for n in SIZES))
    for name, p in {**NPS, **CSAT, **CES}.items():
        line = [mean_coverage(np.array(p), n, trials, chance) for n in SIZES]
        cells += len(line)
        outside += sum(not WANTED[0] <= ours <= WANTED[1] for ours, _ in line)
        print(f"{name:18}" + "".join(f"{100 * a:7.1f} ({100 * b:4.1f})" for a, b in line))
    for name, p in SHARES.items():
        line = [share_coverage(p, n) for n in SIZES]
        print(f"{name:18}" + "".join(f"{100 * a:14.1f}" for a in line))
    print(f"{cells - outside} of {cells} means within {WANTED[0]:.1%} to {WANTED[1]:.1%}")
    return int(outside > 0)


if __name__ == "__main__":
    sys.exit(main())
