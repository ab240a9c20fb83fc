"""The regularised incomplete gamma function and its inverse, which exact Poisson limits need.

P(a, x) by its power series below a + 1 and by Lentz's continued fraction above; the inverse by Newton steps
kept inside a bracket. Held against scipy to 1e-9 by the tests, and free of it at run time.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, inf, lgamma, log, sqrt
from statistics import NormalDist

_TINY = 1e-300
_EPSILON = 1e-16
_MOST_STEPS = 100_000


def _log_density(a: float, x: float) -> float:
    """log(x^a · e^-x / Γ(a))."""
    return a * log(x) - x - lgamma(a)


def _by_series(a: float, x: float) -> float:
    term = total = 1 / a
    step = a
    for _ in range(_MOST_STEPS):
        step += 1
        term *= x / step
        total += term
        if term < total * _EPSILON:
            break
    return total * exp(_log_density(a, x))


def _upper_by_fraction(a: float, x: float) -> float:
    b = x + 1 - a
    c = 1 / _TINY
    d = 1 / b
    value = d
    for i in range(1, _MOST_STEPS):
        an = -i * (i - a)
        b += 2
        d = an * d + b
        d = 1 / (d if abs(d) > _TINY else _TINY)
        c = b + an / c
        c = c if abs(c) > _TINY else _TINY
        value *= d * c
        if abs(d * c - 1) < _EPSILON * 10:
            break
    return value * exp(_log_density(a, x))


def gamma_p(a: float, x: float) -> float:
    """P(a, x): the chance that a Gamma(a) variable is at most x."""
    if a <= 0:
        raise ValueError("a must be positive")
    if x <= 0:
        return 0.0
    return _by_series(a, x) if x < a + 1 else 1 - _upper_by_fraction(a, x)


def _first_guess(a: float, p: float) -> float:
    """Wilson and Hilferty's cube, or the leading term of the series where that falls to nothing."""
    z = NormalDist().inv_cdf(p)
    cube = 1 - 1 / (9 * a) + z / (3 * sqrt(a))
    if a > 0.5 and cube > 0.1:
        return float(a * cube**3)
    return exp((log(p) + lgamma(a + 1)) / a)


@lru_cache(maxsize=8192)
def gamma_quantile(a: float, p: float) -> float:
    """The x with P(a, x) = p."""
    if not 0 <= p < 1:
        raise ValueError("p must lie in [0, 1)")
    if p == 0:
        return 0.0
    low, high = 0.0, inf
    x = max(_first_guess(a, p), _TINY)
    for _ in range(200):
        error = gamma_p(a, x) - p
        low, high = (low, x) if error > 0 else (x, high)
        density = exp(_log_density(a, x)) / x
        following = x - error / density if density > 0 else inf
        if not low < following < high:
            following = (low + high) / 2 if high < inf else 2 * x
        if abs(following - x) <= 1e-14 * x:
            return following
        x = following
    return x
