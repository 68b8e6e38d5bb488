"""The linear head: what it learns, and how its regularisation is chosen."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from boxless.learning.head import head as head_module
from boxless.learning.head.head import STRENGTHS, fit_head
from boxless.learning.report.held_out import log_loss

Floats = NDArray[np.float32]


def clouds(counts: list[int], spread: float = 0.6) -> tuple[Floats, Floats]:
    """Features (n, 8) around a centre a class, on scales that differ from channel to channel; targets (n, K)."""
    random = np.random.default_rng(0)
    classes = np.repeat(np.arange(len(counts)), counts)
    features = np.eye(8)[classes] + spread * random.normal(size=(len(classes), 8))
    return (features * 10.0 ** np.arange(-3, 5) + 3).astype(np.float32), np.eye(len(counts), dtype=np.float32)[classes]


@pytest.mark.parametrize("classes", [2, 3])
def test_one_label_a_image(classes: int) -> None:
    features, targets = clouds([40] * classes, 0.2)
    head = fit_head(features, targets, several=False)
    assert head.weight.shape == (classes, 8)
    said = (features.astype(np.float64) @ head.weight.T.astype(np.float64) + head.bias).argmax(axis=1)
    assert (said == targets.argmax(axis=1)).mean() > 0.97
    assert (np.abs(head.weight.sum(axis=0)) <= 1e-3 * np.abs(head.weight).max(axis=0)).all()


def test_several_labels_a_image() -> None:
    features, targets = clouds([40, 40, 40], 0.2)
    targets[:20, 2] = 1
    features[:20] += features[80:100] - 3
    head = fit_head(features, targets, several=True)
    said = features.astype(np.float64) @ head.weight.T.astype(np.float64) + head.bias > 0
    assert (said == (targets > 0)).mean() > 0.95


def test_the_least_loss_on_what_was_left_out_wins() -> None:
    features, targets = clouds([40, 40, 40], 1.2)
    head = fit_head(features, targets, several=False)
    assert set(head.losses) == set(STRENGTHS)
    assert head.losses[head.strength] == min(head.losses.values())
    assert head.strength < max(STRENGTHS)
    assert head.left_out is not None
    assert log_loss(head.left_out, targets, several=False).mean() == pytest.approx(head.losses[head.strength], rel=1e-5)


def test_few_images_of_a_class_leave_nothing_to_choose_by() -> None:
    features, targets = clouds([20, 1])
    head = fit_head(features, targets, several=False)
    assert not head.losses
    assert head.left_out is None
    assert head.weight.shape == (2, 8)


@pytest.mark.parametrize("several", [False, True])
def test_a_rare_class_counts_as_much(several: bool) -> None:
    features, targets = clouds([600, 60], 0.5)
    head = fit_head(features[::2], targets[::2], several=several)
    said = (features[1::2].astype(np.float64) @ head.weight.T.astype(np.float64) + head.bias).argmax(axis=1)
    common, rare = (said[:300] == 0).mean(), (said[300:] == 1).mean()
    assert common > 0.8
    assert rare > 0.75, "errors are shared, not put on the rare class"


def test_a_head_repeats() -> None:
    features, targets = clouds([30, 30], 1.0)
    first, second = (fit_head(features, targets, several=False, seed=3) for _ in range(2))
    assert np.array_equal(first.weight, second.weight)
    assert first.strength == second.strength


@pytest.mark.parametrize("several", [False, True])
def test_scikit_learn_says_nothing(several: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even that it did not converge: a warning is an error in these tests."""
    monkeypatch.setattr(head_module, "STEPS", 1)
    features, targets = clouds([12, 12, 12], 0.2)
    assert np.isfinite(fit_head(features, targets, several=several).weight).all()
