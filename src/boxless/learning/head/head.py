"""A linear head on pooled features: logistic regression, its regularisation chosen by cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from boxless.maps.class_maps import probabilities
from boxless.system.cores import usable_cores
from boxless.system.extras import missing_extra
from boxless.system.ordered import ordered_map

try:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import KFold, StratifiedKFold
    from threadpoolctl import threadpool_limits
except ImportError:
    raise missing_extra("fitting a head", "scikit-learn", "fit") from None

Floats = NDArray[np.float32]

STRENGTHS = (0.001, 0.01, 0.1, 1.0)
"""Inverse regularisation (scikit-learn's C) to choose from, for features of mean 0 and deviation 1."""

STEPS = 300
"""Of gradient descent for each strength, at most."""

TINY = 1e-6
"""Added to deviations, for features that never change."""

_FOLDS = 5


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
    unseen: NDArray[np.int64] | None = None


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silences scikit-learn, in all threads: that `STEPS` were too few to converge is what they are there for."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="sklearn")
        yield


@_without_warnings()
def fit_head(features: Floats, targets: Floats, *, several: bool, seed: int = 0) -> LinearHead:
    """Fits a head.

    One label an image: multinomial logistic regression, whose weights sum to zero over the classes, so that a class
    map shows what sets its class apart from the others. Several: one logistic regression a class. Both with an L2
    penalty on weights of standardised features; the standardisation is folded into the weights. All classes count
    alike, however many images they have (docs/decisions/0011).

    Args:
        features: (n, C).
        targets: (n, K), zeros and ones, every class there.
        several: whether an image may show several classes, or none.
        seed: of the folds.
    """
    mean, deviation = features.mean(axis=0), features.std(axis=0) + TINY
    standard = ((features - mean) / deviation).astype(np.float32)
    left_out = _cross_validated(standard, targets, several, seed)
    losses = {strength: balanced_loss([(guess, targets)], several) for strength, guess in left_out.items()}
    strength = min(losses, key=lambda each: losses[each]) if losses else STRENGTHS[len(STRENGTHS) // 2 - 1]
    with threadpool_limits(1, "blas"):
        weight, bias = _path(standard, targets, several, upto=strength)[strength]
    weight = weight / deviation
    bias = bias - weight @ mean
    return LinearHead(weight.astype(np.float32), bias.astype(np.float32), strength, losses, left_out.get(strength))


def _cross_validated(features: Floats, targets: Floats, several: bool, seed: int) -> dict[float, Floats]:
    """For each strength, each image's probabilities (n, K) by a head that had not seen it."""
    activation: Literal["softmax", "sigmoid"] = "sigmoid" if several else "softmax"
    folds = folds_of(targets, several, seed)
    # A thread a fold, with one each for its matrix products: two threads within a small product wait for each other.
    with threadpool_limits(1, "blas"):
        paths = ordered_map(lambda fold: _path(features[fold[0]], targets[fold[0]], several), folds, usable_cores())
        guesses = {strength: np.zeros_like(targets) for strength in STRENGTHS} if folds else {}
        for (_, unseen), path in zip(folds, paths, strict=True):
            for strength, (weight, bias) in path.items():
                guesses[strength][unseen] = probabilities(features[unseen] @ weight.T + bias, activation)
    return guesses


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


def _path(
    features: Floats, targets: Floats, several: bool, upto: float = STRENGTHS[-1]
) -> dict[float, tuple[Floats, Floats]]:
    """Weights (K, C) and biases (K,) by strength; each starts from the one before, which saves steps."""
    if not several:
        return _fits(features, targets.argmax(axis=1), upto)
    columns = [_fits(features, targets[:, k] > 0, upto) for k in range(targets.shape[1])]
    return {
        strength: (np.concatenate([each[strength][0] for each in columns]),
                   np.concatenate([each[strength][1] for each in columns]))
        for strength in columns[0]
    }  # fmt: skip


def _fits(features: Floats, classes: NDArray[np.generic], upto: float) -> dict[float, tuple[Floats, Floats]]:
    """Of two classes, softmax over the two: the second's logit is the first's, turned round."""
    found = {}
    model = LogisticRegression(class_weight="balanced", max_iter=STEPS, warm_start=True, tol=1e-4)
    for strength in (each for each in STRENGTHS if each <= upto):
        model.set_params(C=strength)
        model.fit(features, classes)
        weight, bias = model.coef_.copy(), model.intercept_.copy()
        if len(weight) == 1 and classes.dtype != bool:
            weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
        found[strength] = (weight, bias)
    return found


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
