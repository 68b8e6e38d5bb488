"""Batches of an epoch: which pictures, in which order, changed how, all decided by (seed, epoch, picture)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.networks.framework import keras
from boxless.training.augment import Augmentation, augmented
from boxless.training.examples import Store

Floats = NDArray[np.float32]

_PLAIN = Augmentation()
_FEW_PIXELS = 96 * 96
"""Smaller pictures are made faster than threads are told to make them."""


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """The batches of one epoch, all of nearly the same size.

    Args:
        store: n decoded pictures.
        targets: (n, K).
        side: of the pictures that the network sees.
        batch: pictures in one, at most.
        epoch: from 0; None shows the pictures in their order and as they are.
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
        order = np.arange(len(store))
        if epoch is not None:
            order = np.random.default_rng([seed, epoch]).permutation(order)
        self._parts = np.array_split(order, max(1, ceil(len(order) / batch)))
        threads = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(threads) if side * side > _FEW_PIXELS and threads > 1 else None

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, index: int) -> tuple[Floats, Floats]:
        """float32 (b, side, side, 3) in 0-255, and targets (b, K)."""
        part = self._parts[index].tolist()
        shown = (self._pool.map if self._pool else map)(self._shown, part)
        return np.stack(list(shown)), self._targets[part]

    def _shown(self, picture: int) -> Floats:
        pixels = self._store[picture]
        if self._epoch is None:
            return augmented(pixels, self._side, _PLAIN, _NO_CHANCE)
        # From 1 on: to NumPy the seeds [s, e] and [s, e, 0] are one, and the first has ordered the pictures.
        random = np.random.default_rng([self._seed, self._epoch, picture + 1])
        return augmented(pixels, self._side, self._augmentation, random)

    def close(self) -> None:
        """Lets the threads go."""
        if self._pool:
            self._pool.shutdown(wait=False)

    def __enter__(self) -> Batches:
        return self

    def __exit__(self, *_: Any) -> None:  # noqa: ANN401
        self.close()


_NO_CHANCE = np.random.default_rng(0)
