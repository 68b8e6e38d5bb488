"""The same linear head for more features than memory holds: they are read piece by piece, once for each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from boxless.learning.head.head import STEPS, STRENGTHS, TINY, LinearHead, balanced_loss, folds_of
from boxless.maps.class_maps import probabilities
from boxless.system.cores import usable_cores
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]
Wide = NDArray[np.float64]
Indices = NDArray[np.int64]
Result = TypeVar("Result")

STREAMED_FROM = 50_000
"""Images up to which the features are taken into memory, several times over while folds are cross-validated."""

_PIECE = 2048  # images in memory at a time, for each thread


class Rows(Protocol):
    """Features of images, wherever they are."""

    @property
    def width(self) -> int:
        """C, of features."""

    def __len__(self) -> int:
        """n, of images."""

    def __getitem__(self, part: Indices) -> Floats:
        """Those of some images, in memory: (m, C)."""


def fit_streamed(
    features: Rows,
    targets: Floats,
    *,
    several: bool,
    seed: int = 0,
    done: Callable[[int, int], object] = lambda done, of: None,
) -> LinearHead:
    """Fits what `boxless.learning.head.head.fit_head` fits: the same loss, minimised by the same method (L-BFGS).

    But features are read anew for every step, a piece at a time, and the regularisation is chosen on one fifth that is
    left out, in place of five. Memory does not grow with the features.

    Args:
        features: of n images.
        targets: (n, K), zeros and ones, every class there.
        several: whether an image may show several classes, or none.
        seed: of the folds.
        done: told how many fits of how many are done.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):  # a piece a core: two threads within a small product wait for each other
        everything = _Problem.of(features, np.arange(len(features)), targets, several)
        folds = folds_of(targets, several, seed)[:1]
        losses: dict[float, float] = {}
        left_out = unseen = None
        start = everything.zeros
        best = start
        for seen, unseen in folds:
            part = _Problem.of(features, seen, targets, several)
            for count, strength in enumerate(STRENGTHS, start=1):
                start = part.solved(strength, start)
                guessed = list(part.guesses(start, unseen))
                losses[strength] = balanced_loss(guessed, several)
                if losses[strength] == min(losses.values()):
                    best, left_out = start, np.concatenate([predicted for predicted, _ in guessed])
                done(count, len(STRENGTHS) + 1)
        strength = min(losses, key=lambda each: losses[each]) if losses else STRENGTHS[len(STRENGTHS) // 2 - 1]
        weight, bias = everything.head(everything.solved(strength, best))
        done(len(STRENGTHS) + 1, len(STRENGTHS) + 1)
    return LinearHead(weight, bias, strength, losses, left_out, unseen)


@dataclass(frozen=True, eq=False)
class _Problem:
    """Logistic regression on some of the images, all classes counting alike; see `fit_head`.

    Attributes:
        features: of all images.
        chosen: m indices of images.
        targets: (n, J): as given; of two classes that exclude each other, the second alone.
        columns: K, classes.
        activation: over the J.
        mean, deviation: (C,), of the chosen images' features.
        weights: (J, 2): what an absent and a present class counts; softmax asks only for the present.
    """

    features: Rows
    chosen: Indices
    targets: Floats
    columns: int
    activation: Literal["softmax", "sigmoid"]
    mean: Floats
    deviation: Floats
    weights: Floats

    @classmethod
    def of(cls, features: Rows, chosen: Indices, targets: Floats, several: bool) -> _Problem:
        columns = targets.shape[1]
        two = columns == 2 and not several
        kept = targets[:, 1:] if two else targets
        alone = several or two
        mean, deviation = _moments(features, chosen)
        present = kept[chosen].sum(axis=0, dtype=np.float64)
        count = len(chosen)
        if alone:
            weights = np.stack([count / (2 * (count - present)), count / (2 * present)], axis=1)
        else:
            weights = np.stack([np.zeros(columns), count / (columns * present)], axis=1)
        return cls(
            features, chosen, kept, columns, "sigmoid" if alone else "softmax", mean, deviation, weights.astype("f4")
        )

    @property
    def zeros(self) -> Wide:
        """(J, C + 1): no weights, and no biases behind them."""
        return np.zeros((self.targets.shape[1], self.features.width + 1))

    def solved(self, strength: float, start: Wide) -> Wide:
        """Weights and biases for standardised features at which the penalised loss is least.

        Args:
            strength: scikit-learn's C.
            start: where to begin.
        """
        from scipy.optimize import minimize

        penalty = 1 / (strength * len(self.chosen))

        def objective(flat: Wide) -> tuple[float, Wide]:
            found = flat.reshape(start.shape)
            loss, slope = 0.0, np.zeros_like(found)
            for lost, sloped in self._each(self.chosen, lambda x, y: self._piece(found, x, y)):
                loss += lost
                slope += sloped
            loss, slope = loss / len(self.chosen), slope / len(self.chosen)
            slope[:, :-1] += penalty * found[:, :-1]
            return loss + 0.5 * penalty * float((found[:, :-1] ** 2).sum()), slope.ravel()

        # As scikit-learn calls it.
        options = {"maxiter": STEPS, "maxls": 50, "gtol": 1e-4, "ftol": 64 * np.finfo(float).eps}
        found = minimize(objective, start.ravel(), method="L-BFGS-B", jac=True, options=options)
        return np.asarray(found.x).reshape(start.shape)

    def guesses(self, found: Wide, unseen: Indices) -> Iterator[tuple[Floats, Floats]]:
        """Probabilities and targets of other images, (m, K) both, piece by piece."""

        def guess(standard: Floats, targets: Floats) -> tuple[Floats, Floats]:
            predicted = probabilities(_logits(found, standard), self.activation)
            return self._both(predicted), self._both(targets)

        return self._each(unseen, guess)

    def head(self, found: Wide) -> tuple[Floats, Floats]:
        """Weights (K, C) and biases (K,) for features as they are."""
        if self.targets.shape[1] < self.columns:
            found = np.concatenate([-found, found]) / 2
        weight = found[:, :-1] / self.deviation
        bias = found[:, -1] - weight @ self.mean.astype(np.float64)
        return weight.astype(np.float32), bias.astype(np.float32)

    def _piece(self, found: Wide, standard: Floats, targets: Floats) -> tuple[float, Wide]:
        """The loss of images, summed, and its slope (J, C + 1)."""
        logits = _logits(found, standard)
        absent, present = self.weights.T
        if self.activation == "sigmoid":
            counts = np.where(targets > 0, present, absent)
            losses = counts * (np.logaddexp(0, logits) - targets * logits)
        else:
            counts = (targets @ present)[:, None]
            highest = logits.max(axis=1, keepdims=True)
            total = highest + np.log(np.exp(logits - highest).sum(axis=1, keepdims=True))
            losses = counts * (total - (targets * logits).sum(axis=1, keepdims=True))
        over = (counts * (probabilities(logits, self.activation) - targets)).astype(np.float32)
        slope = np.concatenate([over.T @ standard, over.sum(axis=0)[:, None]], axis=1)
        return float(losses.sum(dtype=np.float64)), slope.astype(np.float64)

    def _each(self, chosen: Indices, what: Callable[[Floats, Floats], Result]) -> Iterator[Result]:
        """What becomes of the standardised features and targets of each piece, in order."""

        def one(part: Indices) -> Result:
            standard = (self.features[part] - self.mean) / self.deviation
            return what(standard, self.targets[part])

        return ordered_map(one, _pieces(chosen), usable_cores())

    def _both(self, columns: Floats) -> Floats:
        """(m, K) of (m, J)."""
        return np.concatenate([1 - columns, columns], axis=1) if columns.shape[1] < self.columns else columns


def _logits(found: Wide, standard: Floats) -> Floats:
    return np.asarray(standard @ found[:, :-1].T.astype(np.float32) + found[:, -1].astype(np.float32))


def _pieces(chosen: Indices) -> list[Indices]:
    return [chosen[start : start + _PIECE] for start in range(0, len(chosen), _PIECE)]


def _moments(features: Rows, chosen: Indices) -> tuple[Floats, Floats]:
    """Mean and deviation (C,) of features, by parts (Chan, Golub and LeVeque, 1983)."""
    count, mean, squares = 0, np.zeros(features.width), np.zeros(features.width)
    for rows in ordered_map(lambda part: features[part].astype(np.float64), _pieces(chosen), usable_cores()):
        middle = rows.mean(axis=0)
        both = count + len(rows)
        squares += ((rows - middle) ** 2).sum(axis=0) + (middle - mean) ** 2 * (count * len(rows) / both)
        mean += (middle - mean) * len(rows) / both
        count = both
    return mean.astype(np.float32), (np.sqrt(squares / count) + TINY).astype(np.float32)
