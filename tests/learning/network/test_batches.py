"""What the network is shown: the same whenever the seed is the same, and whatever came before."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("keras", reason="Keras is not installed: pip install 'boxless[train]'")

from boxless.learning.network import examples
from boxless.learning.network.augment import AUGMENTATIONS, Augmentation, augmented, usual_augmentation
from boxless.learning.network.batches import Batches
from boxless.learning.network.examples import Store
from boxless.learning.readable import unreadable


def pixels(side: int = 16, count: int = 7) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize(("height", "side"), [(32, 32), (40, 32), (20, 32), (128, 112)])
def test_a_changed_image_is_a_image(name: str, height: int, side: int) -> None:
    for seed in range(10):
        shown = augmented(pixels(height, 1)[0], side, AUGMENTATIONS[name], np.random.default_rng(seed))
        assert shown.shape == (side, side, 3)
        assert shown.dtype == np.float32
        assert shown.min() >= 0
        assert shown.max() <= 255


def test_nothing_changes_nothing() -> None:
    image = pixels()[0]
    assert np.array_equal(augmented(image, 16, Augmentation(), np.random.default_rng(0)), image)


def test_what_suits_a_size() -> None:
    assert usual_augmentation(32) == "small"
    assert usual_augmentation(224) == "large"


@pytest.mark.parametrize("side", [16, 112])
def test_an_epoch_is_decided_by_its_seed(side: int) -> None:
    targets = np.eye(7, dtype=np.float32)

    def epoch(number: int | None, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
        store = Store(pixels(side), side)
        batches = Batches(store, targets, side, 3, epoch=number, augmentation=AUGMENTATIONS["small"], seed=seed)
        assert len(batches) == 3
        # Backwards: what came before does not matter.
        parts = [batches[index] for index in reversed(range(3))][::-1]
        assert all(np.array_equal(one[0], other[0]) for one, other in zip(parts, batches.ahead(), strict=True))
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    first, second, other, plain = epoch(0), epoch(1), epoch(0, 2), epoch(None)
    assert len(first[0]) == 6  # one of seven is left out, so that three batches are as large
    assert len(set(first[1].argmax(axis=1))) == 6
    assert not np.array_equal(first[0], second[0])
    assert not np.array_equal(first[0], other[0])
    assert np.array_equal(first[0], epoch(0)[0])
    assert len(plain[0]) == 9  # all, and the last twice more
    assert np.array_equal(plain[0][:7], pixels(side).astype(np.float32))
    assert np.array_equal(plain[1][:7], targets)


def test_few_images_are_one_batch() -> None:
    for epoch in (0, None):
        (batch,) = Batches(Store(pixels(), 16), np.eye(7, dtype=np.float32), 16, 32, epoch=epoch).ahead()
        assert batch[0].shape == (7, 16, 16, 3)


def test_files_are_squeezed_and_kept(tmp_path: Path) -> None:
    for index, image in enumerate(pixels(20, 3)):
        Image.fromarray(image[:12]).save(tmp_path / f"{index}.png")
    (tmp_path / "2.png").write_bytes(b"no image")
    paths = sorted(tmp_path.iterdir())
    assert list(unreadable(paths)) == [2]
    for memory in (1 << 20, 0):
        store = Store(paths, 16, memory)
        assert store[0].shape == (16, 16, 3)
        assert (store[1] is store[1]) == bool(memory)


@pytest.mark.parametrize(("memory", "kept"), [(1 << 20, False), (examples.MEMORY, True)])
def test_a_set_larger_than_memory_is_decoded_anew(tmp_path: Path, coffee: Path, memory: int, kept: bool) -> None:
    side, batch, images = 64, 4, 800
    with Image.open(coffee) as opened:
        opened.resize((100, 100)).save(tmp_path / "0.jpg")
    for i in range(1, images):
        os.link(tmp_path / "0.jpg", tmp_path / f"{i}.jpg")
    whole = images * side * side * 3

    def most(memory: int) -> int:
        """Bytes that an epoch and a validation take, at most, beside what was there."""
        store = Store(sorted(tmp_path.iterdir()), side, memory)
        targets = np.zeros((images, 1), np.float32)
        tracemalloc.start()
        try:
            for epoch in (0, None):
                for shown, _ in Batches(store, targets, side, batch, epoch=epoch).ahead():
                    assert shown.shape == (batch, side, side, 3)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    if kept:
        assert most(memory) > whole
    else:
        # Batches that are under way, float32, and what decoding one takes.
        assert most(memory) < whole / 2
