"""Batches of an epoch: which images, in which order, changed how, all decided by (seed, epoch, image)."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np
from numpy.typing import NDArray

from boxless.errors import TrainingError
from boxless.learning.network.augment import Augmentation, augmented
from boxless.learning.network.device import sharing
from boxless.learning.network.examples import Store
from boxless.networks.framework import keras
from boxless.system.cores import usable_cores
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]

_PLAIN = Augmentation()
_NO_CHANCE = np.random.default_rng(0)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """The batches of one epoch, all of one size: with two, a framework would compute with two programs.

    Args:
        store: n decoded images.
        targets: (n, K).
        side: of the images that the network sees.
        batch: images in one, at most.
        epoch: from 0. A few images are left out, others each time, so that all batches are as large and each of
            the devices that share them gets as many: at most as many a batch as there are devices. None shows all
            images in their order and as they are, the last batch filled up with the last image.
        augmentation: what may be done to them.
        seed: of order and changes.
    """

    def __init__(
        self,
        store: Store,
        targets: Floats,
        side: int,
        batch: int,
        *,
        epoch: int | None = None,
        augmentation: Augmentation = _PLAIN,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self._store, self._targets, self._side = store, targets, side
        self._epoch, self._augmentation, self._seed = epoch, augmentation, seed
        count = len(store)
        devices = sharing()
        steps = ceil(count / batch)
        if epoch is None:
            size = -(-min(batch, count) // devices) * devices
            order = np.minimum(np.arange(steps * size), count - 1)
        else:
            size = count // steps // devices * devices
            if not size:
                raise TrainingError(
                    f"{count // steps} images a step on {devices} devices (expected one for each at least)"
                )
            order = np.random.default_rng([seed, epoch]).permutation(count)[: steps * size]
        self._parts = order.reshape(steps, size)

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, index: int) -> tuple[Floats, Floats]:
        """float32 (b, side, side, 3) in 0-255, and targets (b, K)."""
        part = self._parts[index].tolist()
        return np.stack([self._shown(image) for image in part]), self._targets[part]

    def ahead(self) -> Iterator[tuple[Floats, Floats]]:
        """The batches in their order, the next ones made while one is used."""
        return ordered_map(self.__getitem__, range(len(self)), usable_cores())

    def _shown(self, image: int) -> Floats:
        pixels = self._store[image]
        if self._epoch is None:
            return augmented(pixels, self._side, _PLAIN, _NO_CHANCE)
        # From 1 on: to NumPy the seeds [s, e] and [s, e, 0] are one, and the first has ordered the images.
        random = np.random.default_rng([self._seed, self._epoch, image + 1])
        return augmented(pixels, self._side, self._augmentation, random)
