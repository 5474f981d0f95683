"""How often 95 % intervals hold the truth: python benchmarks/coverage.py [--trials 20000]

Asks the views' own SQL for the intervals. For NPS, CSAT and CES draws answers from known
distributions, beside Student's t interval (scipy) on the same draws. NPS is computed exactly, too,
for every true share of detractors and promoters in steps of 0.05. For the share of the two best
it is exact: every count by its probability, for true shares from 0.05 to 0.95, beside the intervals
of statsmodels where that is installed. The aim is 94 to 96.5 %.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from share_bounds import impossible

from sentiment.database import connect, migrate
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
SHARES = np.round(np.arange(0.05, 0.951, 0.01), 2)
OTHERS = ("wilson", "agresti_coull", "jeffreys", "beta")  # beta: Clopper and Pearson


def bounds(sql: tuple[str, str], rows: list[tuple[float, ...]]) -> np.ndarray:
    """The intervals of many trials, (trials, 2), computed by SQLite in a database of ours."""
    with tempfile.TemporaryDirectory() as folder, connect(Path(folder) / "x.db") as db:
        migrate(db)
        db.execute("CREATE TEMP TABLE trials (id INTEGER PRIMARY KEY, a REAL, b REAL, n REAL)")
        db.conn.executemany("INSERT INTO trials (a, b, n) VALUES (?, ?, ?)", rows)
        return np.array(db.execute(f"SELECT {sql[0]}, {sql[1]} FROM trials ORDER BY id").fetchall())


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


def nps_coverage(n: int) -> np.ndarray:
    """At 153 true pairs of shares of detractors and promoters, exactly: (153,)."""
    from scipy import stats

    pairs = [(d, p) for d in range(n + 1) for p in range(n + 1 - d)]
    found = bounds(
        mean_bounds("a", "b", "n"), [((p - d) / n, (p + d) / n, float(n)) for d, p in pairs]
    )
    drawn = np.array([(d, p, n - d - p) for d, p in pairs])
    steps = range(1, 20)  # shares in steps of 0.05
    true = [(d / 20, p / 20, 1 - (d + p) / 20) for d in steps for p in steps[1:] if d + p < 20]
    out = []
    for shares in true:
        nps = 100 * (shares[1] - shares[0])
        inside = (found[:, 0] <= nps + 1e-9) & (nps - 1e-9 <= found[:, 1])
        out.append(stats.multinomial.pmf(drawn, n, shares)[inside].sum())
    return np.array(out)


def ours(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bounds of the shares 0/n … n/n: (n + 1,) each."""
    found = bounds(share_interval("a", "n"), [(k / n, 0.0, n) for k in range(n + 1)])
    return found[:, 0] / 100, found[:, 1] / 100


def share_coverage(low: np.ndarray, high: np.ndarray, n: int) -> np.ndarray:
    """At each of SHARES, exactly: low and high of each count."""
    from scipy import stats

    k = np.arange(n + 1)[:, None]
    inside = (low[:, None] <= SHARES) & (high[:, None] >= SHARES)
    return np.asarray((stats.binom.pmf(k, n, SHARES) * inside).sum(axis=0))


def outside(coverage: np.ndarray) -> np.ndarray:
    """Which of them miss the aim."""
    return (coverage < WANTED[0]) | (coverage > WANTED[1])


def shares() -> int:
    """Prints what shares come to; how many miss the aim although some interval could meet it."""
    avoidable = 0
    print(f"\nshare of the two best: of {len(SHARES)} true shares, how many are outside")
    for n in SIZES:
        coverage = share_coverage(*ours(n), n)
        line = f"n={n:<5} {outside(coverage).sum():3} ({range_of(coverage)})"
        for method in OTHERS:
            line += others(method, n)
        print(line)
        for p, found in zip(SHARES, coverage, strict=True):
            if not WANTED[0] <= found <= WANTED[1]:
                nearest = impossible(n, p)
                avoidable += nearest is None
                why = "" if nearest is None else f"; no interval comes nearer than {nearest:.2%}"
                print(f"    {found:.2%} at {p:.2f}{why}")
    return avoidable


def others(method: str, n: int) -> str:
    """The same for an interval of statsmodels; empty where that is not installed."""
    try:
        from statsmodels.stats.proportion import proportion_confint
    except ImportError:
        return ""
    coverage = share_coverage(*proportion_confint(np.arange(n + 1), n, method=method), n)
    return f"; {method} {outside(coverage).sum()} ({range_of(coverage)})"


def range_of(coverage: np.ndarray) -> str:
    """As in "92.5 to 97.4"."""
    return f"{100 * coverage.min():.1f} to {100 * coverage.max():.1f}"


def main() -> int:
    """Prints the tables; 1 when a mean misses the aim, or a share that need not."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--trials", type=int, default=20_000)
    trials = options.parse_args().trials
    chance = np.random.default_rng(1)
    missed = cells = 0
    print(f"coverage in percent, {trials:,} trials; in brackets Student's t")
    print(f"{'':18}" + "".join(f"{f'n={n}':>14}" for n in SIZES))
    for name, p in {**NPS, **CSAT, **CES}.items():
        line = [mean_coverage(np.array(p), n, trials, chance) for n in SIZES]
        cells += len(line)
        missed += sum(not WANTED[0] <= ours <= WANTED[1] for ours, _ in line)
        print(f"{name:18}" + "".join(f"{100 * a:7.1f} ({100 * b:4.1f})" for a, b in line))
    print(f"{cells - missed} of {cells} means within {WANTED[0]:.1%} to {WANTED[1]:.1%}")
    print("\nNPS, exactly: of so many true pairs of shares, how many are outside")
    for n in SIZES[:5]:
        coverage = nps_coverage(n)
        print(f"n={n:<5} {outside(coverage).sum()} of {len(coverage)} ({range_of(coverage)})")
    return int(missed + shares() > 0)


if __name__ == "__main__":
    sys.exit(main())
