"""95 % intervals as SQL."""

from __future__ import annotations

Z = 1.959964  # standard normal quantile of 0.975


def mean_bounds(mean: str, square: str, n: str) -> tuple[str, str]:
    """SQL for the bounds of 100 × a mean of n votes between −1 and 1; square: of their squares."""
    m = f"(({mean}) * {n} / ({n} + 3.0))"
    variance = f"((({square}) * {n} + 1.5) / ({n} + 3.0) - {m} * {m})"
    half = f"{Z} * sqrt({variance} / ({n} + 3.0))"
    return f"max(-100.0, 100.0 * ({m} - {half}))", f"min(100.0, 100.0 * ({m} + {half}))"


def net_interval(positive: str, negative: str, votes: str) -> tuple[str, str]:
    """SQL for the lower and upper bound of 100 × (positive − negative) / votes."""
    n = f"({votes} + 3.0)"
    mean = f"({positive} - {negative}) / {n}"
    variance = f"(({positive} + {negative} + 1.5) / {n} - {mean} * {mean})"
    half = f"{Z} * sqrt({variance} / {n})"
    return (
        f"max(-100.0, 100.0 * ({mean} - {half}))",
        f"min(100.0, 100.0 * ({mean} + {half}))",
    )


def share_interval(share: str, n: str) -> tuple[str, str]:
    """SQL for Wilson's lower and upper bound of a share, in points of 100."""
    centre = f"{share} + {Z * Z / 2} / {n}"
    half = f"{Z} * sqrt(({share} * (1 - {share}) + {Z * Z / 4} / {n}) / {n})"
    return (
        f"max(0.0, 100.0 * ({centre} - {half}) / (1 + {Z * Z} / {n}))",
        f"min(100.0, 100.0 * ({centre} + {half}) / (1 + {Z * Z} / {n}))",
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
