"""Intervals of a share whose coverage is as even as counts allow: python benchmarks/share_bounds.py

Writes sentiment/schema/share_bounds.txt. Takes about five minutes of CPU.

With n answers of which k are good, a 95 % interval is a choice, for each true share p, of the
counts a(p) … b(p) whose intervals hold p; its coverage at p is the probability of these counts. No
formula keeps that probability even: as p moves, it jumps by the probability of a whole count, and
both ends may jump at once (Brown, Cai, DasGupta, "Interval Estimation for a Binomial Proportion",
Statistical Science 16(2), 2001). So the ends are chosen instead of calculated, as Blyth and Still
(JASA 78, 1983) do for intervals that never cover less than 95 %. Here the aim is 94 to 96.5 %: of
all choices in which a(p) and b(p) never fall, that one is taken whose coverage leaves the aim
least, and then whose tails are most alike. It is found by dynamic programming over p.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

LOWEST, HIGHEST = 0.94, 0.965
SIZES = range(5, 301)
STEP = 0.0005  # of p
HALF = np.arange(0.5, 1 - STEP / 2, STEP)  # the other half is its mirror image
DIGITS = 5
TARGET = Path(__file__).parents[1] / "sentiment" / "schema" / "share_bounds.txt"


def runs(n: int, p: float) -> tuple[np.ndarray, np.ndarray]:
    """Probability of a … b, by a and b, (n + 1, n + 1), and how unlike the two tails are."""
    from scipy import stats

    below = np.concatenate([[0.0], stats.binom.cdf(np.arange(n + 1), n, p)])  # fewer than k
    inside = below[None, 1:] - below[:-1, None]
    return inside, np.abs(below[:-1, None] - (1 - below[None, 1:]))


def cost(n: int, p: float) -> np.ndarray:
    """Of each a and b; infinite where a > b."""
    inside, unlike = runs(n, p)
    outside = np.maximum(np.maximum(LOWEST - inside, inside - HIGHEST), 0)
    found: np.ndarray = 1000 * outside + unlike + 0.2 * np.abs(inside - 0.95)
    found[np.tril_indices(n + 1, -1)] = np.inf
    return found


def choose(n: int) -> tuple[np.ndarray, np.ndarray]:
    """The best a and b for each p from 0.5 on: (p,), (p,)."""
    counts = np.arange(n + 1)
    mirrored = counts[:, None] + counts[None, :] == n
    totals = [np.where(mirrored, cost(n, HALF[0]), np.inf).astype(np.float32)]
    for p in HALF[1:]:
        before = np.minimum.accumulate(np.minimum.accumulate(totals[-1], axis=0), axis=1)
        totals.append((cost(n, p) + before).astype(np.float32))
    a = b = n
    path = []
    for total in reversed(totals):
        within = total[: a + 1, : b + 1]
        a, b = map(int, np.unravel_index(np.argmin(within), within.shape))
        path.append((a, b))
    ends = np.array(path[::-1])
    return ends[:, 0], ends[:, 1]


def lows(n: int) -> np.ndarray:
    """The lower bound of each k; the upper one of k is 1 less the lower one of n - k: (n + 1,)."""
    a, b = choose(n)
    highest = np.concatenate([n - a[:0:-1], b])  # b(p) for all p, rising
    p = np.concatenate([1 - HALF[:0:-1], HALF])
    first = np.searchsorted(highest, np.arange(n + 1))
    bounds = p[first] - STEP / 2
    bounds[0] = 0
    return np.asarray(bounds)


def impossible(n: int, p: float) -> float | None:
    """The coverage nearest to the aim, where no choice of counts whatever reaches it.

    At one half, of the choices that treat good and bad answers alike.
    """
    inside = runs(n, p)[0]
    inside = inside[::-1].diagonal() if p == 0.5 else inside[np.triu_indices(n + 1)]
    away = np.maximum(LOWEST - inside, inside - HIGHEST)
    return float(inside[np.argmin(away)]) if away.min() > 0 else None


def main() -> int:
    """A line for each n: the lower bounds of k = 0 … n, five digits each."""
    with TARGET.open("w", encoding="ascii") as file:
        for n in SIZES:
            digits = (f"{round(10**DIGITS * low):0{DIGITS}}" for low in lows(n))
            file.write(f"{n} {''.join(digits)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
