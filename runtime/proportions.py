"""Intervals for a share of attempts: Wilson's, and the quantiles of a beta distribution. Knows numbers, not what was attempted."""

import math

Z = 1.959963984540054  # two-sided 95 %
_TINY = 1e-300
_STEPS = 10_000


def wilson(correct: float, n: float) -> tuple[float, float]:
    """The Wilson 95 % interval of the share `correct / n`; `n` above 0, and no whole number where answers are not independent."""
    share, spread = correct / n, Z * Z / n
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    return (0.0 if correct == 0 else max(0.0, middle - half)), (1.0 if correct == n else min(1.0, middle + half))


def beta_cdf(x: float, a: float, b: float) -> float:
    """I_x(a, b), the share of beta(a, b) that lies below `x`; a and b above 0. By the continued fraction of DLMF 8.17.22, to about 1e-12."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_cdf(1 - x, b, a)
    front = math.exp(a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)) / a
    return front / _fraction(x, a, b)


def beta_quantile(share: float, a: float, b: float) -> float:
    """Where beta(a, b) has `share` below it, by halving: to the last bits of a float."""
    low, high = 0.0, 1.0
    while True:
        middle = (low + high) / 2
        if not low < middle < high:
            return middle
        low, high = (middle, high) if beta_cdf(middle, a, b) < share else (low, middle)


def credible(a: float, b: float) -> tuple[float, float]:
    """The middle 95 % of beta(a, b)."""
    return beta_quantile(0.025, a, b), beta_quantile(0.975, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d_1/(1 + d_2/(1 + …)), by Lentz's method."""
    found = c = 1.0
    d = 0.0
    for step in range(1, _STEPS):
        m = step // 2
        top = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) if step % 2 == 0 else -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / (1 + top * d or _TINY)
        c = 1 + top / c or _TINY
        found *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return found
