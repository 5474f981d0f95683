"""`sentiment.detection.scores`, compiled: the same sums, fast enough for thousands of years."""

from __future__ import annotations

import numpy as np
from numba import njit

from sentiment import detection
from sentiment.detection import FARTHEST, LEAST_DEVIATION, Test, sums


@njit(cache=False)
def _follow(streams, window, tilt, cost, need, level):  # noqa: PLR0917
    n, length = streams.shape
    steps = length - window
    highest, alarms = np.full(n, -np.inf), np.zeros(n, np.int64)
    k = len(tilt)
    for row in range(n):
        one, two = 0.0, 0.0
        for place in range(window):
            one += streams[row, place]
            two += streams[row, place] ** 2
        total, since = np.zeros(k), np.zeros(k)
        mu, sigma = np.zeros(k), np.ones(k)
        for step in range(steps):
            mean = one / window
            variance = (two / window - mean**2) * window / (window - 1)
            deviation = np.sqrt(max(variance, LEAST_DEVIATION**2))
            value = streams[row, window + step]
            best = -np.inf
            for j in range(k):
                if total[j] <= 0:
                    mu[j], sigma[j] = mean, deviation
                z = min((mu[j] - value) / sigma[j], FARTHEST)
                total[j] = max(total[j] + tilt[j] * z - cost[j], 0.0)
                since[j] = since[j] + 1 if total[j] > 0 else 0
                best = max(best, total[j] * (window / (window + since[j])) - need[j])
            highest[row] = max(highest[row], best)
            if best >= level[row, step * level.shape[1] // steps]:
                alarms[row] += 1
                total[:] = 0
            first = streams[row, step]
            one += value - first
            two += value**2 - first**2
    return highest, alarms


def highest(streams: np.ndarray, window: int, test: Test) -> np.ndarray:
    """As `detection.highest`."""
    return _run(streams, window, test, np.full((len(streams), 1), np.inf))[0]


def alarms(streams: np.ndarray, window: int, test: Test, level: np.ndarray) -> int:
    """How many alarms there are, each beginning anew. level: (streams, parts of their length)."""
    return int(_run(streams, window, test, level)[1].sum())


def _run(streams: np.ndarray, window: int, test: Test, level: np.ndarray) -> tuple:
    known = sums(test)
    return _follow(streams, window, known.tilt, known.cost, known.need, level)


def check() -> None:
    """The compiled sums and the worker's own say the same."""
    streams = np.random.default_rng(1).normal(size=(20, 400))
    test = Test(5.0, skew=-0.5)
    if not np.allclose(highest(streams, 90, test), detection.highest(streams, 90, test)):
        raise AssertionError("the compiled sums differ from the worker's")


check()
detection.highest = highest
