"""The linear head: what it learns, and how its regularisation is chosen."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from boxless.learning.head import head as head_module
from boxless.learning.head.head import STRENGTHS, fit_head, folds_of
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
def test_too_few_steps_are_no_warning(several: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning is an error in these tests."""
    monkeypatch.setattr(head_module, "STEPS", 1)
    features, targets = clouds([12, 12, 12], 0.2)
    assert np.isfinite(fit_head(features, targets, several=several).weight).all()


@pytest.mark.parametrize(("classes", "several"), [(2, False), (3, False), (3, True)])
@pytest.mark.parametrize("strength", STRENGTHS)
def test_it_is_scikit_learns_logistic_regression(
    classes: int, several: bool, strength: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head_module, "STRENGTHS", (strength,))
    features, targets = clouds([60, 50, 40][:classes], 1.0)
    if several:
        targets[:20, 2] = 1
    head = fit_head(features, targets, several=several)
    standard = (features - features.mean(axis=0)) / features.std(axis=0)
    reference = LogisticRegression(C=strength, class_weight="balanced", max_iter=1000, tol=1e-6)
    said = features.astype(np.float64) @ head.weight.T.astype(np.float64) + head.bias
    if several:
        columns = [reference.fit(standard, targets[:, k] > 0).decision_function(standard) for k in range(classes)]
        expected = np.stack(columns, axis=1)
    else:
        reference.fit(standard, targets.argmax(axis=1))
        expected = reference.predict_log_proba(standard)
        said = said - np.logaddexp.reduce(said, axis=1, keepdims=True)
    assert np.abs(said - expected).max() < 0.02 * np.abs(expected).max()


def streamed(monkeypatch: pytest.MonkeyPatch, piece: int = 7) -> None:
    """More images than fit into memory, a few at a time."""
    monkeypatch.setattr(head_module, "STREAMED_FROM", 0)
    monkeypatch.setattr(head_module, "_PIECE", piece)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("strength", STRENGTHS)
def test_piece_by_piece_it_is_the_same_head(strength: float, several: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_module, "STRENGTHS", (strength,))
    features, targets = clouds([60, 50, 40], 1.0)
    at_once = fit_head(features, targets, several=several)
    streamed(monkeypatch)
    head = fit_head(features, targets, several=several)
    assert np.abs((at_once.weight - head.weight) / np.abs(at_once.weight).max(axis=0)).max() < 0.02


@pytest.mark.parametrize(("classes", "several"), [(2, False), (3, False), (3, True)])
def test_piece_by_piece_one_fold_is_left_out(classes: int, several: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    streamed(monkeypatch)
    features, targets = clouds([60, 50, 40][:classes], 0.2)
    head = fit_head(features, targets, several=several)
    assert set(head.losses) == set(STRENGTHS)
    assert head.unseen is not None and head.left_out is not None
    assert head.left_out.shape == (len(head.unseen), classes)
    assert len(head.unseen) == len(features) // 5
    assert (head.left_out.argmax(axis=1) == targets[head.unseen].argmax(axis=1)).mean() > 0.9


def test_a_class_that_the_left_out_fifth_lacks_leaves_something_to_choose_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four images of sixty, none of which the first fold leaves out."""
    streamed(monkeypatch)
    features, targets = clouds([40, 20, 4], 1.0)
    targets[:10, 1] = 1
    (_, unseen), *_ = folds_of(targets, several=True, seed=2)
    assert not targets[unseen, 2].any()
    head = fit_head(features, targets, several=True, seed=2)
    assert np.isfinite(list(head.losses.values())).all()
    assert head.losses[head.strength] == min(head.losses.values())
    assert head.strength > min(STRENGTHS)
    assert head.left_out is not None


def test_piece_by_piece_memory_does_not_grow_with_the_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    streamed(monkeypatch, piece=256)
    count, width = 20_000, 256
    classes = np.arange(count) % 3
    stored = np.memmap(tmp_path / "features", np.float32, "w+", shape=(count, width))
    random = np.random.default_rng(0)
    for start in range(0, count, 1000):
        stored[start : start + 1000] = random.normal(size=(1000, width))
    stored[np.arange(count), classes] += 4
    tracemalloc.start()
    try:
        head = fit_head(stored, np.eye(3, dtype=np.float32)[classes], several=False)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < stored.nbytes / 2
    assert ((stored @ head.weight.T + head.bias).argmax(axis=1) == classes).mean() > 0.98
