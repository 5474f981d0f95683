"""95 % intervals as SQL."""

from __future__ import annotations

MIN_VOTES = 5  # below that a figure says more about chance than about a service
Z = 1.959964  # standard normal quantile of 0.975


def mean_bounds(mean: str, square: str, n: str) -> tuple[str, str]:
    """SQL for the bounds of 100 × a mean of n votes between −1 and 1; square: of their squares.

    The adjusted Wald interval AW(3,T) (Rocks, The American Statistician 70(4), 2016).
    """
    m = f"(({mean}) * {n} / ({n} + 3.0))"
    variance = f"((({square}) * {n} + 1.5) / ({n} + 3.0) - {m} * {m})"
    half = f"{Z} * sqrt({variance} / ({n} + 3.0))"
    return (
        f"max(-100.0, 100.0 * min({mean}, {m} - {half}))",
        f"min(100.0, 100.0 * max({mean}, {m} + {half}))",
    )


def net_interval(positive: str, negative: str, votes: str) -> tuple[str, str]:
    """SQL for the lower and upper bound of 100 × (positive − negative) / votes."""
    mean = f"(1.0 * ({positive} - {negative}) / {votes})"
    return mean_bounds(mean, f"(1.0 * ({positive} + {negative}) / {votes})", votes)


def share_interval(share: str, n: str) -> tuple[str, str]:
    """SQL for the lower and upper bound of a share, in points of 100; n: answers, or their worth.

    Whole counts among up to 300 answers have the bounds of the table share_bounds, whose coverage
    is as even as counts allow (benchmarks/share_bounds.py); others AW(3,T) on votes of −1 and 1.
    """
    low, high = mean_bounds(f"(2 * {share} - 1)", "1.0", n)
    good, bad = f"({share} * {n})", f"({n} - {share} * {n})"
    return (
        f"ifnull({_stored(good, good, n)}, ({low} + 100) / 2)",
        f"ifnull(100 - {_stored(bad, good, n)}, ({high} + 100) / 2)",
    )


def _stored(k: str, good: str, n: str) -> str:
    """SQL for the stored lower bound of k of n; NULL when there is none, or no whole counts."""
    return (
        f"(SELECT substr(lows, 5 * CAST(round({k}) AS INTEGER) + 1, 5) / 1000.0 FROM share_bounds "
        f"WHERE whole = CAST(round({n}) AS INTEGER) AND abs({n} - round({n})) < 1e-6 "
        f"AND abs({good} - round({good})) < 1e-6)"
    )


def difference_interval(now: tuple[str, str, str], before: tuple[str, str, str]) -> tuple[str, str]:
    """SQL for the bounds of a difference, from value, low and high of both.

    MOVER: Zou and Donner, Statistics in Medicine 27, 2008.
    """
    (value, low, high), (value_0, low_0, high_0) = now, before
    down, up = f"max(0.0, {value} - {low})", f"max(0.0, {high} - {value})"
    down_0, up_0 = f"max(0.0, {value_0} - {low_0})", f"max(0.0, {high_0} - {value_0})"
    return (
        f"{value} - {value_0} - sqrt({down} * {down} + {up_0} * {up_0})",
        f"{value} - {value_0} + sqrt({up} * {up} + {down_0} * {down_0})",
    )
