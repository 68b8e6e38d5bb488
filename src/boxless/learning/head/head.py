"""A linear head on pooled features: logistic regression, its regularisation chosen by cross-validation.

Loss and method (L-BFGS) are those of scikit-learn's LogisticRegression. That needs all features in memory, once for
each fold; here more of them than `STREAMED_FROM` are read anew for each step, piece by piece (docs/decisions/0064).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from boxless.maps.class_maps import probabilities
from boxless.system.cores import usable_cores
from boxless.system.extras import missing_extra
from boxless.system.ordered import ordered_map

try:
    from scipy.optimize import minimize
    from sklearn.model_selection import KFold, StratifiedKFold
    from threadpoolctl import threadpool_limits
except ImportError:
    raise missing_extra("fitting a head", "scikit-learn", "fit") from None

Floats = NDArray[np.float32]
Wide = NDArray[np.float64]
Indices = NDArray[np.int64]
Part: TypeAlias = "Indices | slice"
Result = TypeVar("Result")

STRENGTHS = (0.001, 0.01, 0.1, 1.0)
"""Inverse regularisation (scikit-learn's C) to choose from, for features of mean 0 and deviation 1."""

STEPS = 300
"""Of gradient descent for each strength, at most."""

STREAMED_FROM = 50_000
"""Images up to which the features are taken into memory, several times over while folds are cross-validated."""

_TINY = 1e-6
"""Added to deviations, for features that never change."""

_FOLDS = 5

_PIECE = 2048
"""Images in memory at a time, for each thread, where features are streamed."""


class Rows(Protocol):
    """Features of images, wherever they are."""

    def __len__(self) -> int:
        """n, of images."""

    def __getitem__(self, part: Any, /) -> Floats:  # noqa: ANN401
        """Those of some images, in memory: (m, C)."""


@dataclass(frozen=True, eq=False)
class LinearHead:
    """logits = features @ weight.T + bias.

    Attributes:
        weight: float32 (K, C).
        bias: float32 (K,).
        strength: the inverse regularisation that cross-validation chose.
        losses: the log loss on left-out folds, mean over classes, by strength; empty where there was too little to
            leave out.
        left_out: (m, K), probabilities of images by a head that had not seen them, or None.
        unseen: (m,), the indices of those images; all where None.
    """

    weight: Floats
    bias: Floats
    strength: float
    losses: dict[float, float]
    left_out: Floats | None
    unseen: Indices | None = None


def fit_head(
    features: Rows,
    targets: Floats,
    *,
    several: bool,
    seed: int = 0,
    done: Callable[[int, int], object] = lambda done, of: None,
) -> LinearHead:
    """Fits a head.

    One label an image: multinomial logistic regression, whose weights sum to zero over the classes, so that a class
    map shows what sets its class apart from the others. Several: one logistic regression a class. Both with an L2
    penalty on weights of standardised features; the standardisation is folded into the weights. All classes count
    alike, however many images they have (docs/decisions/0011). Of more images than `STREAMED_FROM` only the first of
    the five folds is left out.

    Args:
        features: (n, C).
        targets: (n, K), zeros and ones, every class there.
        several: whether an image may show several classes, or none.
        seed: of the folds.
        done: told how many folds, and the whole, are done.
    """
    streamed = len(features) > STREAMED_FROM
    with threadpool_limits(1, "blas"):  # two threads within a small product wait for each other
        standard = _Standardised.of(features, streamed)
        folds = folds_of(targets, several, seed)[: 1 if streamed else None]
        paths = []
        # In memory a thread a fold, else a thread a piece.
        for path in ordered_map(
            lambda fold: list(_path(standard, targets, several, *fold)), folds, 1 if streamed else usable_cores()
        ):
            paths.append(path)
            done(len(paths), len(folds) + 1)
        losses = {
            strength: balanced_loss(
                [(path[i].guess, targets[unseen]) for path, (_, unseen) in zip(paths, folds, strict=True)], several
            )
            for i, strength in enumerate(STRENGTHS if folds else ())
        }
        strength = min(losses, key=lambda each: losses[each]) if losses else STRENGTHS[len(STRENGTHS) // 2 - 1]
        best = [path[STRENGTHS.index(strength)] for path in paths]
        whole = _Problem.of(standard, targets, several, np.arange(len(features)))
        found = whole.solved(strength, best[0].found if best else whole.zeros)
        done(len(folds) + 1, len(folds) + 1)
    weight, bias = whole.weights_and_biases(found)
    weight = weight / standard.deviation
    bias = bias - weight @ standard.mean.astype(np.float64)
    left_out = unseen = None
    if best:
        unseen = np.concatenate([each for _, each in folds])
        left_out = np.concatenate([each.guess for each in best])[np.argsort(unseen)]
        unseen = np.sort(unseen) if streamed else None
    return LinearHead(weight.astype(np.float32), bias.astype(np.float32), strength, losses, left_out, unseen)


@dataclass(frozen=True, eq=False)
class _Step:
    """A strength's weights and biases, and what they say of the images that were left out."""

    found: Wide
    guess: Floats


def _path(standard: _Standardised, targets: Floats, several: bool, seen: Indices, unseen: Indices) -> Iterator[_Step]:
    """A step for each of `STRENGTHS`; each starts from the one before, which saves iterations."""
    problem = _Problem.of(standard, targets, several, seen)
    found = problem.zeros
    for strength in STRENGTHS:
        found = problem.solved(strength, found)
        yield _Step(found, problem.guesses(found, standard, unseen))


@dataclass(frozen=True, eq=False)
class _Standardised:
    """Features of mean 0 and deviation 1: in memory, or made so as they are read.

    Attributes:
        rows: (n, C), standardised where they are in memory.
        mean, deviation: (C,), of the features as they are.
        streamed: whether they are left where they are.
    """

    rows: Rows
    mean: Floats
    deviation: Floats
    streamed: bool

    @classmethod
    def of(cls, features: Rows, streamed: bool) -> _Standardised:
        mean, deviation = _moments(features)
        if streamed:
            return cls(features, mean, deviation, streamed)
        return cls((features[:] - mean) / deviation, mean, deviation, streamed)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, part: Part) -> Floats:
        return (self.rows[part] - self.mean) / self.deviation if self.streamed else self.rows[part]


@dataclass(frozen=True, eq=False)
class _Problem:
    """Logistic regression on some of the images, all classes counting alike; see `fit_head`.

    Attributes:
        rows: standardised features.
        targets: (n, J) of the same images: as given; of two classes that exclude each other, the second alone.
        parts: what is read of both at a time.
        count: m, of images in all parts.
        columns: K, classes.
        activation: over the J.
        weights: (J, 2): what an absent and a present class counts; softmax asks only for the present.
    """

    rows: Rows
    targets: Floats
    parts: list[Part]
    count: int
    columns: int
    activation: Literal["softmax", "sigmoid"]
    weights: Floats

    @classmethod
    def of(cls, standard: _Standardised, targets: Floats, several: bool, chosen: Indices) -> _Problem:
        columns, count = targets.shape[1], len(chosen)
        two = columns == 2 and not several
        kept = targets[:, 1:] if two else targets
        alone = several or two
        present = kept[chosen].sum(axis=0, dtype=np.float64)
        if alone:
            weights = np.stack([count / (2 * (count - present)), count / (2 * present)], axis=1)
        else:
            weights = np.stack([np.zeros(columns), count / (columns * present)], axis=1)
        rows: Rows = standard
        parts: list[Part] = list(_pieces(chosen))
        if not standard.streamed:
            rows, kept, parts = standard[chosen], kept[chosen], [slice(None)]
        return cls(rows, kept, parts, count, columns, "sigmoid" if alone else "softmax", weights.astype(np.float32))

    @property
    def zeros(self) -> Wide:
        """(J, C + 1): no weights, and no biases behind them."""
        return np.zeros((self.targets.shape[1], self.rows[:1].shape[1] + 1))

    def solved(self, strength: float, start: Wide) -> Wide:
        """Weights and biases for standardised features at which the penalised loss is least.

        Args:
            strength: scikit-learn's C.
            start: where to begin.
        """
        penalty = 1 / (strength * self.count)

        def objective(flat: Wide) -> tuple[float, Wide]:
            found = flat.reshape(start.shape)
            loss, slope = 0.0, np.zeros_like(found)
            for lost, sloped in self._each(lambda x, y: self._piece(found, x, y)):
                loss += lost
                slope += sloped
            loss, slope = loss / self.count, slope / self.count
            slope[:, :-1] += penalty * found[:, :-1]
            return loss + 0.5 * penalty * float((found[:, :-1] ** 2).sum()), slope.ravel()

        # As scikit-learn calls it.
        options = {"maxiter": STEPS, "maxls": 50, "gtol": 1e-4, "ftol": 64 * np.finfo(float).eps}
        found = minimize(objective, start.ravel(), method="L-BFGS-B", jac=True, options=options)
        return np.asarray(found.x).reshape(start.shape)

    def guesses(self, found: Wide, standard: _Standardised, unseen: Indices) -> Floats:
        """Probabilities (m, K) of other images."""
        guessed = [probabilities(_logits(found, standard[part]), self.activation) for part in _pieces(unseen)]
        predicted = np.concatenate(guessed)
        return np.concatenate([1 - predicted, predicted], axis=1) if predicted.shape[1] < self.columns else predicted

    def weights_and_biases(self, found: Wide) -> tuple[Wide, Wide]:
        """(K, C) and (K,). Of two classes that exclude each other, the second's logit is the first's, turned round."""
        if self.targets.shape[1] < self.columns:
            found = np.concatenate([-found, found]) / 2
        return found[:, :-1], found[:, -1]

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

    def _each(self, what: Callable[[Floats, Floats], Result]) -> Iterator[Result]:
        """What becomes of the features and targets of each part, in order."""
        if len(self.parts) == 1:
            return iter([what(self.rows[self.parts[0]], self.targets[self.parts[0]])])
        return ordered_map(lambda part: what(self.rows[part], self.targets[part]), self.parts, usable_cores())


def _logits(found: Wide, standard: Floats) -> Floats:
    return np.asarray(standard @ found[:, :-1].T.astype(np.float32) + found[:, -1].astype(np.float32))


def _pieces(chosen: Indices) -> Iterator[Indices]:
    return (chosen[start : start + _PIECE] for start in range(0, len(chosen), _PIECE))


def _moments(features: Rows) -> tuple[Floats, Floats]:
    """Mean and deviation (C,) of features, by parts (Chan, Golub and LeVeque, 1983)."""
    mean = squares = np.zeros(())
    count = 0
    parts = [slice(start, start + _PIECE) for start in range(0, len(features), _PIECE)]
    for rows in ordered_map(lambda part: features[part].astype(np.float64), parts, usable_cores()):
        middle = rows.mean(axis=0)
        both = count + len(rows)
        squares = squares + ((rows - middle) ** 2).sum(axis=0) + (middle - mean) ** 2 * (count * len(rows) / both)
        mean = mean + (middle - mean) * len(rows) / both
        count = both
    return mean.astype(np.float32), (np.sqrt(squares / count) + _TINY).astype(np.float32)


def balanced_loss(parts: Iterable[tuple[Floats, Floats]], several: bool) -> float:
    """The log loss, every class counting alike; with several labels, its presence and its absence alike too.

    What no image shows does not count: of a rare class a single fold may have none.

    Args:
        parts: (probabilities, targets) of images, (n, K) both.
        several: whether an image may show several classes, or none.
    """
    lost = counted = np.zeros(())
    for predicted, targets in parts:
        ways = ((targets, predicted), (1 - targets, 1 - predicted)) if several else ((targets, predicted),)
        lost = lost + np.stack([-(true * np.log(np.clip(p, 1e-12, 1))).sum(axis=0, dtype=float) for true, p in ways])
        counted = counted + np.stack([true.sum(axis=0, dtype=float) for true, _ in ways])
    there = counted > 0
    return float(np.mean(lost[there] / counted[there]))


def folds_of(targets: Floats, several: bool, seed: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(seen, unseen) of each fold, every class among the seen; none where a class has a single image."""
    fewest = int(targets.sum(axis=0).min())
    if several:
        folds = list(KFold(_FOLDS, shuffle=True, random_state=seed).split(targets)) if len(targets) >= _FOLDS else []
        shown = ((targets[seen].max(axis=0) > targets[seen].min(axis=0)).all() for seen, _ in folds)
        return folds if all(shown) else []
    count = min(_FOLDS, fewest)
    if count < 2:
        return []
    return list(StratifiedKFold(count, shuffle=True, random_state=seed).split(targets, targets.argmax(axis=1)))
