"""A head that is learned piece by piece is the head that is learned at once."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.learning.head.test_head import clouds

from boxless.learning.head import head, streamed_head
from boxless.learning.head.head import STRENGTHS, fit_head, folds_of
from boxless.learning.head.streamed_head import fit_streamed

Floats = NDArray[np.float32]


class InMemory:
    """Rows that are there."""

    def __init__(self, features: Floats) -> None:
        self.width = features.shape[1]
        self._features = features

    def __len__(self) -> int:
        return len(self._features)

    def __getitem__(self, part: NDArray[np.int64]) -> Floats:
        return self._features[part]


@pytest.mark.parametrize(("classes", "several"), [(2, False), (3, False), (3, True)])
def test_it_is_the_head_that_is_learned_at_once(classes: int, several: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_head, "_PIECE", 7)
    features, targets = clouds([60, 50, 40][:classes], 1.0)
    if several:
        targets[:20, 2] = 1
    one, other = (
        fit_head(features, targets, several=several),
        fit_streamed(InMemory(features), targets, several=several),
    )
    assert set(other.losses) == set(STRENGTHS)
    assert other.unseen is not None and other.left_out is not None
    assert other.left_out.shape == (len(other.unseen), classes)
    logits = [features.astype(np.float64) @ head.weight.T.astype(np.float64) + head.bias for head in (one, other)]
    said = [each > 0 if several else each.argmax(axis=1) for each in logits]
    assert (said[0] == said[1]).mean() > 0.98


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("strength", STRENGTHS)
def test_at_a_given_strength_its_weights_are_those(
    strength: float, several: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each chooses its strength by folds of its own, so both are given the same one."""
    monkeypatch.setattr(streamed_head, "_PIECE", 7)
    for module in (head, streamed_head):
        monkeypatch.setattr(module, "STRENGTHS", (strength,))
    features, targets = clouds([60, 50, 40], 1.0)
    one, other = (
        fit_head(features, targets, several=several),
        fit_streamed(InMemory(features), targets, several=several),
    )
    assert one.strength == other.strength == strength
    scale = np.abs(one.weight).max(axis=0)
    assert np.abs((one.weight - other.weight) / scale).max() < 0.02


def test_few_images_of_a_class_leave_nothing_to_choose_by() -> None:
    features, targets = clouds([20, 1])
    head = fit_streamed(InMemory(features), targets, several=False)
    assert (head.losses, head.left_out, head.unseen) == ({}, None, None)
    assert head.weight.shape == (2, 8)


def test_a_class_that_the_left_out_fifth_lacks_leaves_something_to_choose_by() -> None:
    """Four images of sixty, none of which the first fold leaves out."""
    features, targets = clouds([40, 20, 4], 1.0)
    targets[:10, 1] = 1
    (_, unseen), *_ = folds_of(targets, several=True, seed=2)
    assert not targets[unseen, 2].any()
    head = fit_streamed(InMemory(features), targets, several=True, seed=2)
    assert np.isfinite(list(head.losses.values())).all()
    assert head.losses[head.strength] == min(head.losses.values())
    assert head.strength > min(STRENGTHS)
    assert head.left_out is not None


def test_memory_does_not_grow_with_the_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_head, "_PIECE", 256)
    count, width = 20_000, 256
    classes = np.arange(count) % 3
    stored = np.memmap(tmp_path / "features", np.float32, "w+", shape=(count, width))
    random = np.random.default_rng(0)
    for start in range(0, count, 1000):
        stored[start : start + 1000] = random.normal(size=(1000, width))
    stored[np.arange(count), classes] += 4
    tracemalloc.start()
    try:
        head = fit_streamed(InMemory(stored), np.eye(3, dtype=np.float32)[classes], several=False)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < stored.nbytes / 2
    assert ((stored @ head.weight.T + head.bias).argmax(axis=1) == classes).mean() > 0.98
