"""How certain a figure is: 95 % intervals, of shares by Wilson's formula, of others by drawing the images anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Statistic = Callable[[Array], Array]
"""Takes weights (r, n), how often each of n cases counts in each of r draws; gives the figure of each draw (r,)."""

_NORMAL_975 = 1.959963984540054
"""The 97.5th percentile of the standard normal distribution."""

_AT_ONCE = 4_000_000  # weights in memory


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval.

    Attributes:
        value: of the data as they are.
        low, high: of a share, Wilson's; of others the 2.5 and 97.5 percentiles of the figure over the draws.
    """

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """The figure and its interval, rounded to thousandths.

        Returns:
            Plain data for JSON.
        """
        return {"value": round(self.value, 3), "low": round(self.low, 3), "high": round(self.high, 3)}


class Bootstrap:
    """Draws images with replacement, as many as there are, again and again.

    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, the percentile interval. Images are drawn, not
    cases: the classes of one image stand or fall together.

    Args:
        images: (n,), which image each case belongs to, as numbers from 0.
        draws: how many.
        seed: of the draws; the same seed gives the same intervals, and pairs the draws of two figures.
    """

    def __init__(self, images: NDArray[np.int64], draws: int = 1000, seed: int = 0) -> None:
        self._images = images
        self._draws = draws
        self._seed = seed

    def weights(self) -> Iterator[Array]:
        """Draws, some at a time.

        Returns:
            Arrays (r, n): how often each case counts in each of r draws.
        """
        random = np.random.default_rng(self._seed)
        count = int(self._images.max()) + 1
        step = max(1, _AT_ONCE // count)
        for start in range(0, self._draws, step):
            rows = min(step, self._draws - start)
            drawn = random.multinomial(count, np.full(count, 1 / count), size=rows)
            yield drawn[:, self._images].astype(np.float64)

    def samples(self, statistic: Statistic) -> Array:
        """The figure of each draw.

        Args:
            statistic: computes it from weights (r, n).

        Returns:
            (draws,); NaN where it is not defined.
        """
        return np.concatenate([statistic(weights) for weights in self.weights()])

    def share(self, hits: NDArray[np.bool_]) -> Interval:
        """A share with Wilson's interval for the number of images.

        Args:
            hits: (n,), which cases are hits.

        Returns:
            The share in percent.
        """
        return wilson(100 * float(np.mean(hits)), int(self._images.max()) + 1)

    def interval(self, statistic: Statistic) -> Interval:
        """A figure with its interval.

        Args:
            statistic: computes it from weights (r, n).

        Returns:
            The figure of the data as they are; the 2.5 and 97.5 percentiles of the draws.
        """
        value = statistic(np.ones((1, len(self._images))))[0]
        low, high = np.nanpercentile(self.samples(statistic), [2.5, 97.5])
        return Interval(float(value), float(low), float(high))


def wilson(share: float, count: int) -> Interval:
    """A share, in percent, with its 95 % score interval (Wilson, JASA 1927), no point where all or none are right.

    Example:
        >>> round(wilson(100.0, 10).low, 1)
        72.2
    """
    p, z2 = share / 100, _NORMAL_975**2
    middle = (p + z2 / (2 * count)) / (1 + z2 / count)
    reach = sqrt(z2 * (p * (1 - p) / count + z2 / (4 * count**2))) / (1 + z2 / count)
    # The formula's ends at 0 and 100 % are exact but for rounding.
    low = 0.0 if share == 0 else 100 * (middle - reach)
    return Interval(float(share), low, 100.0 if share == 100 else 100 * (middle + reach))


def mean_of(values: NDArray[Any]) -> Statistic:
    """The mean of a value per case (n,), in percent if the values are."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)

    def statistic(weights: Array) -> Array:
        total = weights @ known.astype(np.float64)
        return np.asarray((weights @ filled) / np.where(total > 0, total, np.nan))

    return statistic


def best_mean_of(values: NDArray[Any]) -> Statistic:
    """The mean over cases at the best threshold, mean over the first axis: from (m, n, thresholds).

    Each draw picks its own best, as the figure itself does.
    """

    def statistic(weights: Array) -> Array:
        total = weights.sum(axis=1, keepdims=True)
        return np.asarray(np.mean([((weights @ each) / total).max(axis=1) for each in values], axis=0))

    return statistic
